import { EINVAL } from '../../abi/errno.ts';
import { LRU_GEN_CORE, LRU_GEN_MM_WALK, LRU_GEN_NONLEAF_YOUNG } from '../../abi/lru-gen.ts';
import type { LruGen } from '../../mm/reclaim/mglru/lru-gen.ts';
import type { Kernel } from '../kernel.ts';
import type { SysfsRow } from './sysfs-table.ts';

const AT = 'kernel/mm/lru_gen';
const ALL_CAPS = LRU_GEN_CORE | LRU_GEN_MM_WALK | LRU_GEN_NONLEAF_YOUNG;

/** kstrtouint with base 0: null for what is none, or too large. */
function parseUint(text: string): number | null {
  const match = /^\+?(?:0x([0-9a-f]+)|(0[0-7]*)|([1-9][0-9]*))\n?$/i.exec(text);
  if (match === null) return null;
  const [, hexadecimal, octal, decimal] = match;
  const value =
    hexadecimal !== undefined
      ? Number.parseInt(hexadecimal, 16)
      : octal !== undefined
        ? Number.parseInt(octal, 8)
        : Number.parseInt(decimal, 10);
  return value < 2 ** 32 ? value : null;
}

/** enabled_store: by its first letter yes or no to everything, else the bits. */
function parseCaps(text: string): number | null {
  if (/^y/i.test(text)) return ALL_CAPS;
  return /^n/i.test(text) ? 0 : parseUint(text);
}

function row(
  name: string,
  read: (lruGen: LruGen) => string | number,
  set: (k: Kernel, lruGen: LruGen, text: string) => number,
): SysfsRow {
  return {
    path: `${AT}/${name}`,
    read: (k) => (k.mm.reclaimer.lruGen === null ? '' : read(k.mm.reclaimer.lruGen)),
    write: (k, text) => (k.mm.reclaimer.lruGen === null ? -EINVAL : set(k, k.mm.reclaimer.lruGen, text)),
  };
}

/** /sys/kernel/mm/lru_gen (lru_gen_attrs, mm/vmscan.c, 6.18), on machines that were booted with mglru. */
export const LRU_GEN_ROWS: readonly SysfsRow[] = [
  row(
    'enabled',
    (lruGen) => `0x${lruGen.activeCaps.toString(16).padStart(4, '0')}`,
    (k, lruGen, text) => {
      const caps = parseCaps(text);
      if (caps === null) return -EINVAL;
      k.mm.reclaimer.setLruGenCaps(lruGen, caps & ALL_CAPS);
      return 0;
    },
  ),
  row(
    'min_ttl_ms',
    (lruGen) => lruGen.minTtlMs,
    (_k, lruGen, text) => {
      const value = parseUint(text);
      if (value === null) return -EINVAL;
      lruGen.minTtlMs = value;
      return 0;
    },
  ),
];
