import { EINVAL } from '../abi/errno.ts';
import type { Hugetlb } from '../mm/hugetlb/hugetlb.ts';
import type { HugetlbfsLimits } from './hugetlbfs.ts';

export interface HugetlbfsOptions extends HugetlbfsLimits {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const UNITS = 'kmgtpe';

/** memparse: digits and a unit of 1024s; null where it is none. */
export function parseMemory(text: string): number | null {
  const match = /^(0x[0-9a-f]+|\d+)([kmgtpe]?)$/i.exec(text);
  if (match === null) return null;
  const power = match[2] === '' ? 0 : UNITS.indexOf(match[2].toLowerCase()) + 1;
  return Number(match[1]) * 1024 ** power;
}

/** The data argument of mount(2) (hugetlbfs_parse_param, 6.18): -EINVAL for what it does not know. */
export function parseHugetlbfsOptions(hugetlb: Hugetlb, data: string): HugetlbfsOptions | number {
  let pool = hugetlb.defaultPool;
  const found = new Map<string, string>();
  for (const word of data.split(',').filter((each) => each !== '')) {
    const [name, value] = word.split('=', 2);
    if (value === undefined || !/^(uid|gid|mode|pagesize|size|min_size|nr_inodes)$/.test(name)) return -EINVAL;
    found.set(name, value);
  }
  const number = (name: string): number | null => {
    const text = found.get(name);
    return text === undefined ? null : (parseMemory(text) ?? Number.NaN);
  };
  const pageBytes = number('pagesize');
  if (pageBytes !== null) {
    const wanted = hugetlb.poolOfBytes(pageBytes);
    if (wanted === null) return -EINVAL;
    pool = wanted;
  }
  // Bytes, or a part of the pool.
  const pages = (name: string): number | null => {
    const text = found.get(name);
    if (text?.endsWith('%') === true) return Math.floor((Number(text.slice(0, -1)) * pool.totalPages) / 100);
    const bytes = number(name);
    return bytes === null ? null : Math.floor(bytes / pool.sizeBytes);
  };
  const mode = found.get('mode');
  const options = {
    pool,
    maxPages: pages('size'),
    minPages: pages('min_size'),
    maxInodes: number('nr_inodes'),
    mode: mode === undefined ? 0o755 : Number.parseInt(mode, 8) & 0o1777,
    uid: number('uid') ?? 0,
    gid: number('gid') ?? 0,
  };
  const { maxPages, minPages, maxInodes, uid, gid } = options;
  if ([maxPages, minPages, maxInodes, options.mode, uid, gid].some((each) => Number.isNaN(each))) return -EINVAL;
  // "Minimum size can not be greater than maximum size".
  if (maxPages !== null && minPages !== null && minPages > maxPages) return -EINVAL;
  return options;
}
