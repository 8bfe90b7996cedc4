import type { Kernel } from '../kernel.ts';
import type { Cgroup } from './cgroup.ts';

/** One file of a cgroup's directory (struct cftype). Text, as it is read and written, without the line break at the end. */
export interface CgroupFileRow {
  readonly name: string;
  /** 'everywhere', or not on the root (CFTYPE_NOT_ON_ROOT). */
  readonly where: 'everywhere' | 'below root';
  readonly mode: number;
  /** The whole text, or -ERRNO; absent: -EINVAL. */
  read?(k: Kernel, cgroup: Cgroup): string | number;
  /** What was written, blanks around it taken away: 0 or -ERRNO; absent: -EINVAL. */
  write?(k: Kernel, cgroup: Cgroup, text: string): number;
}

/** A whole decimal number as kstrtoint takes it, or null. */
export function parseInteger(text: string): number | null {
  return /^[+-]?\d+$/.test(text) ? Number(text) : null;
}

/** "max" or a number that is not negative; null: neither. */
export function parseLimit(text: string): number | null {
  if (text === 'max') return Number.POSITIVE_INFINITY;
  const value = parseInteger(text);
  return value === null || value < 0 ? null : value;
}

export const limitText = (value: number): string => (value === Number.POSITIVE_INFINITY ? 'max' : String(value));
