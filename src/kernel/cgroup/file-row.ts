import type { Kernel } from '../kernel.ts';
import type { Cgroup } from './cgroup.ts';

/** A file that tells whoever polls it that it has changed. */
export interface ChangingFile {
  changed(): void;
}

/** What an open file has for itself (kernfs_open_file's priv): then it reads and writes here. */
export interface OpenCgroupFile {
  /** As CgroupFileRow.read. */
  read(): string | number;
  /** As CgroupFileRow.write, with blanks. */
  write(text: string): number;
  /** POLLPRI and POLLERR, where they are not those of any file that changes. */
  poll?(): number;
  /** It is closed. */
  release?(): void;
}

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
  open?(k: Kernel, cgroup: Cgroup, file: ChangingFile): OpenCgroupFile;
  /** Not there now, though the cgroup has it (cgroup_file_show). */
  isHidden?(cgroup: Cgroup): boolean;
  /** 'yes': belongs to whom a namespace is delegated to (CFTYPE_NS_DELEGATABLE). */
  readonly delegated?: 'yes';
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
