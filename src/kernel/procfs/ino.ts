/**
 * Inode numbers of /proc. The root is 1 and the machine's entries count up from PROC_DYNAMIC_FIRST, as in Linux; entries of
 * tasks follow from what they are, so that a listing and a stat agree without keeping anything:
 *
 *   ((tid * 2 + in task/) * 64 + entry of the folder) * 2^21 + descriptor + 1
 */
export const PROC_ROOT_INO = 1;
export const PROC_DYNAMIC_FIRST = 0xf000_0000;

const ENTRIES = 64;
const DESCRIPTORS = 2 ** 21;

/** `entry` 0 is the folder itself. */
export function taskIno(tid: number, kind: 'process' | 'thread', entry: number): number {
  return ((tid * 2 + (kind === 'thread' ? 1 : 0)) * ENTRIES + entry) * DESCRIPTORS;
}
