import { E2BIG, EFAULT } from '../abi/errno.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import { copyFromUser } from '../mm/user-access.ts';
import type { Kernel } from './kernel.ts';
import type { Task } from './task.ts';
import { readLongs } from './user-structs.ts';

/** MAX_ARG_STRLEN: 32 pages, the NUL included. */
export const MAX_ARG_STRLEN = 32 * PAGE_SIZE;
const ARG_MAX = 131072;
/** Three quarters of _STK_LIM. */
const STACK_SHARE_MAX = (8 * 1024 * 1024 * 3) / 4;

/** An argv or envp of a caller: bytes without the NUL. A null pointer is an empty list. */
export function readStringArray(k: Kernel, t: Task, address: number): Uint8Array[] | number {
  const strings: Uint8Array[] = [];
  if (address === 0) return strings;
  let total = 0;
  const word = k.arch.wordBytes;
  for (let i = 0; ; i++) {
    const pointer = readLongs(k, t, address + i * word, 1);
    if (typeof pointer === 'number') return -EFAULT;
    if (pointer[0] === 0) return strings;
    const text = readUserBytes(k, t, pointer[0], MAX_ARG_STRLEN);
    if (typeof text === 'number') return text;
    strings.push(text);
    total += text.length + 1 + word;
    // Nothing that fits any limit is longer; stops a list without an end from eating the host's memory.
    if (total > STACK_SHARE_MAX + MAX_ARG_STRLEN) return -E2BIG;
  }
}

/** Bytes up to a NUL; -EFAULT, or -E2BIG when `max` bytes hold none. */
function readUserBytes(k: Kernel, t: Task, address: number, max: number): Uint8Array | number {
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length < max) {
    const chunk = new Uint8Array(Math.min(max - length, PAGE_SIZE - ((address + length) % PAGE_SIZE)));
    const got = copyFromUser(k.mm, t.space!, address + length, chunk);
    const end = chunk.subarray(0, got).indexOf(0);
    if (end >= 0) {
      parts.push(chunk.subarray(0, end));
      return concat(parts);
    }
    if (got < chunk.length) return -EFAULT;
    parts.push(chunk);
    length += got;
  }
  return -E2BIG;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** bprm_stack_limits: 0, or -E2BIG where strings and pointers take too much of the stack limit. */
export function checkStringLimits(
  k: Kernel,
  stackLimitBytes: number,
  argv: readonly Uint8Array[],
  envp: readonly Uint8Array[],
  filename: Uint8Array,
): number {
  const limit = Math.max(Math.min(STACK_SHARE_MAX, stackLimitBytes / 4), ARG_MAX);
  const pointers = (Math.max(argv.length, 1) + envp.length) * k.arch.wordBytes;
  if (limit <= pointers) return -E2BIG;
  let bytes = filename.length + 1;
  for (const text of [...argv, ...envp]) {
    if (text.length + 1 > MAX_ARG_STRLEN) return -E2BIG;
    bytes += text.length + 1;
  }
  return bytes > limit - pointers ? -E2BIG : 0;
}
