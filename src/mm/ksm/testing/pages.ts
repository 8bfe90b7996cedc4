import { expect } from 'vitest';
import { PAGE_SIZE } from '../../../machine/units.ts';
import type { AddressSpace } from '../../address-space.ts';
import type { MemoryManager } from '../../memory-manager.ts';
import { madvise } from '../../ops/madvise.ts';
import { mmap } from '../../ops/mmap.ts';
import { copyFromUser, copyToUser } from '../../user-access.ts';

/** Pages of a space by their number, for tests of merging: mapped, advised, written and read. */

export const BASE = 0x1000000;
export const MADV_MERGEABLE = 12;
export const MADV_UNMERGEABLE = 13;
export const RW = 3;
const PRIVATE_ANON = 0x32;

export function map(mm: MemoryManager, space: AddressSpace, page: number, pages: number): void {
  const request = { address: BASE + page * PAGE_SIZE, lengthBytes: pages * PAGE_SIZE, prot: RW, flags: PRIVATE_ANON };
  expect(mmap(mm, space, { ...request, file: null, offsetBytes: 0 })).toBe(request.address);
}

export function advise(mm: MemoryManager, space: AddressSpace, page: number, pages: number, advice: number): number {
  return madvise(mm, space, BASE + page * PAGE_SIZE, pages * PAGE_SIZE, advice);
}

/** The first and the last byte of the page. */
export function write(mm: MemoryManager, space: AddressSpace, page: number, value: number): number {
  const last = BASE + page * PAGE_SIZE + PAGE_SIZE - 1;
  const done = copyToUser(mm, space, last, Uint8Array.of(value));
  return done === 1 ? copyToUser(mm, space, BASE + page * PAGE_SIZE, Uint8Array.of(value)) : 0;
}

export function read(mm: MemoryManager, space: AddressSpace, page: number): number {
  const into = new Uint8Array(1);
  return copyFromUser(mm, space, BASE + page * PAGE_SIZE, into) === 1 ? into[0] : -1;
}
