import { EINVAL } from '../abi/errno.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import { SHMEM_HUGE, type ShmemHuge } from '../mm/shmem/shmem-huge.ts';

export interface TmpfsOptions {
  readonly limitPages: number;
  readonly limitInodes: number;
  readonly mode: number;
  /** null: as it was, never at first. */
  readonly huge: ShmemHuge | null;
  /** Of the root folder, as the mounter numbers them; null: his own. */
  readonly uid: number | null;
  readonly gid: number | null;
}

const UNITS = 'kmgtpe';

/** memparse: a number with a unit; null where it is none. */
function parseMemory(text: string): number | null {
  const match = /^(0x[0-9a-f]+|\d+)([kmgtpe]?)$/i.exec(text);
  if (match === null) return null;
  const power = match[2] === '' ? 0 : UNITS.indexOf(match[2].toLowerCase()) + 1;
  return Number(match[1]) * 1024 ** power;
}

const parseCount = (text: string): number => parseMemory(text) ?? Number.NaN;

/**
 * The data argument of mount(2) for tmpfs (shmem_parse_one, 6.18, mm/shmem.c): -EINVAL for what it does not know. Without limits it may
 * have half of RAM, and as many files as half of RAM has pages.
 */
export function parseTmpfsOptions(data: string, totalPages: number): TmpfsOptions | number {
  const half = Math.floor(totalPages / 2);
  let limitPages = half;
  let limitInodes = half;
  let mode = 0o1777;
  let huge: ShmemHuge | null = null;
  let uid: number | null = null;
  let gid: number | null = null;
  for (const word of data.split(',').filter((each) => each !== '')) {
    const [name, value] = word.split('=', 2);
    if (value === undefined) return -EINVAL;
    switch (name) {
      case 'size':
        limitPages = value.endsWith('%')
          ? Math.floor((parseCount(value.slice(0, -1)) * totalPages) / 100)
          : Math.ceil(parseCount(value) / PAGE_SIZE);
        break;
      case 'nr_blocks':
        limitPages = parseCount(value);
        break;
      case 'nr_inodes':
        limitInodes = parseCount(value);
        break;
      case 'mode':
        if (!/^[0-7]+$/.test(value)) return -EINVAL;
        mode = Number.parseInt(value, 8) & 0o7777;
        break;
      case 'huge': {
        const wanted = SHMEM_HUGE.find((each) => each === value);
        if (wanted === undefined) return -EINVAL;
        huge = wanted;
        break;
      }
      case 'uid':
        uid = parseCount(value);
        break;
      case 'gid':
        gid = parseCount(value);
        break;
      default:
        return -EINVAL;
    }
  }
  if ([limitPages, limitInodes, uid ?? 0, gid ?? 0].some((each) => Number.isNaN(each))) return -EINVAL;
  // 0 is no limit.
  const orAll = (limit: number): number => (limit === 0 ? Number.POSITIVE_INFINITY : limit);
  return { limitPages: orAll(limitPages), limitInodes: orAll(limitInodes), mode, huge, uid, gid };
}
