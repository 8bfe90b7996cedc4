import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../setup/faultline.ts';

/** Where `scripts/fetch-riscv64-packages.sh` unpacked Debian's riscv64 packages. */
export const DEBIAN_ROOT = process.env.FAULTLINE_DEBIAN ?? join(ROOT, '.cache', 'debian-riscv64');

/** The file of a Debian package, or null: then the test is skipped and says how to get it. */
export function debianFile(path: string): string | null {
  const file = join(DEBIAN_ROOT, path);
  return existsSync(file) ? file : null;
}

export const HOW_TO_GET = '(needs: scripts/fetch-riscv64-packages.sh .cache/debian-riscv64 busybox-static)';

/** A folder with Debian's dynamically linked programs: the root of a guest. */
export const DEBIAN_DYNAMIC_ROOT =
  process.env.FAULTLINE_DEBIAN_DYNAMIC ?? join(ROOT, '.cache', 'debian-riscv64-dynamic');

export const hasDynamicRoot = existsSync(join(DEBIAN_DYNAMIC_ROOT, 'lib', 'ld-linux-riscv64-lp64d.so.1'));

export const HOW_TO_GET_DYNAMIC =
  '(needs: scripts/fetch-riscv64-packages.sh .cache/debian-riscv64-dynamic $(cat test/programs/debian-packages.txt))';
