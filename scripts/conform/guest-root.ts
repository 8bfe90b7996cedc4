import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { System } from '../../src/index.ts';

/** What test programs start by name: through the shell (popen, system), to copy their helpers, to unpack /proc/config.gz. */
const APPLETS =
  'sh ash cat chmod chown cp cut date dd df echo env expr false find grep gunzip head id kill ln ls mkdir mkfifo mknod mount mv ps pwd rm rmdir sed sleep sort stat sync tail tar test touch tr true umount uname wc which xargs zcat';

export const HOW_TO_GET_SHELL =
  'the guest has no /bin/sh: scripts/fetch-riscv64-packages.sh .cache/debian-riscv64 busybox-static';

/** Debian's busybox-static where the script put it; null without it. `root`: the project's folder. */
export function findBusybox(root: string): string | null {
  const file = join(process.env.FAULTLINE_DEBIAN ?? join(root, '.cache', 'debian-riscv64'), 'usr', 'bin', 'busybox');
  return existsSync(file) ? file : null;
}

/** Gives the machine a shell and the usual small programs. */
export function furnish(system: System, busybox: string): void {
  system.mount({ host: busybox, guest: '/bin/busybox', mode: 'ro' });
  for (const name of APPLETS.split(' ')) {
    const error = system.symlink('busybox', `/bin/${name}`);
    if (error < 0) throw new Error(`cannot make /bin/${name}: error ${-error}`);
  }
}
