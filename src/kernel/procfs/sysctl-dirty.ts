import { EINVAL } from '../../abi/errno.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { DirtySettings } from '../../mm/page-cache/dirty-limits.ts';
import type { Kernel } from '../kernel.ts';
import type { SysctlRow } from './sysctl-table.ts';
import { parseInteger } from './write-text.ts';

type Setting = keyof DirtySettings;

const settings = (k: Kernel): DirtySettings => k.mm.pageCache.dirty;

/** `other`: what a change makes 0. */
const ranged = (
  name: string,
  field: Setting,
  [min, max]: readonly [number, number],
  other: Setting | null = null,
): SysctlRow => ({
  path: `vm/${name}`,
  kind: 'number',
  read: (k) => settings(k)[field],
  write: (k, text) => {
    const value = parseInteger(text);
    if (value === null || value < min || value > max) return -EINVAL;
    const isChange = settings(k)[field] !== value;
    settings(k)[field] = value;
    if (isChange && other !== null) settings(k)[other] = 0;
    return 0;
  },
});

const INT_MAX = 0x7fff_ffff;

/** /proc/sys/vm/dirty_* (6.18, mm/page-writeback.c, vm_page_writeback_sysctls): a ratio makes the bytes 0, and the other way round. */
export const DIRTY_SYSCTLS: readonly SysctlRow[] = [
  ranged('dirty_background_bytes', 'backgroundBytes', [1, Number.MAX_SAFE_INTEGER], 'backgroundRatio'),
  ranged('dirty_background_ratio', 'backgroundRatio', [0, 100], 'backgroundBytes'),
  ranged('dirty_bytes', 'bytes', [2 * PAGE_SIZE, Number.MAX_SAFE_INTEGER], 'ratio'),
  ranged('dirty_expire_centisecs', 'expireCentisecs', [0, INT_MAX]),
  ranged('dirty_ratio', 'ratio', [0, 100], 'bytes'),
  ranged('dirty_writeback_centisecs', 'writebackCentisecs', [0, INT_MAX]),
];
