import { EFAULT, ENAMETOOLONG } from '../abi/errno.ts';
import { decodeUtf8 } from '../base/utf8.ts';
import { ACCESS_READ, ACCESS_WRITE, type Access } from '../machine/mmu.ts';
import { offsetInPage, PAGE_SIZE, type Pfn, vaddr } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import { handleFault } from './fault/fault.ts';
import { FAULT_DONE, FAULT_OOM } from './fault/results.ts';
import type { MemoryManager } from './memory-manager.ts';

/**
 * The kernel's way into user memory: the MMU's translation, and where that faults the same handler as for the program's own
 * accesses (D2), page by page. Addresses are any numbers that a program may pass; what lies outside the user's address space
 * is refused without a fault (access_ok).
 */

/** Offset in Ram.memory of the byte at `address`, its page made present for `access`; -1 where that cannot be. */
export function ensureUserByte(mm: MemoryManager, space: AddressSpace, address: number, access: Access): number {
  if (!isUserAddress(space, address)) return -1;
  const at = vaddr(address);
  let offset = mm.mmu.translate(space, at, access);
  // A fault can resolve and the page be gone again only if memory is so short that reclaim took it: bounded tries.
  for (let tries = 0; offset === -1 && tries < 3; tries++) {
    const result = handleFault(mm, space, at, access, 'kernel');
    if (result === FAULT_OOM && mm.alloc.injector?.tookMemory !== true && mm.oomKiller?.makeRoom() === true) continue;
    if (result !== FAULT_DONE) return -1;
    offset = mm.mmu.translate(space, at, access);
  }
  return offset;
}

function isUserAddress(space: AddressSpace, address: number): boolean {
  return address >= 0 && address < space.taskSize * PAGE_SIZE;
}

/** As the kernel's copy loops do, which run upwards: a page of a file that is written from a mapping of itself repeats its bytes. */
function copyUpwards(u8: Uint8Array, to: number, from: number, count: number): void {
  if (to <= from || to >= from + count) u8.copyWithin(to, from, from + count);
  else for (let i = 0; i < count; i++) u8[to + i] = u8[from + i];
}

function beforeWrite(mm: MemoryManager, offset: number): void {
  mm.ram.beforeWrite(Math.floor((offset - mm.ram.ramBase) / PAGE_SIZE) as Pfn);
}

/** Offset in Ram.memory of the byte at `address`, or -1 where an access would fault (pagefault_disable). */
function findUserByte(mm: MemoryManager, space: AddressSpace, address: number, access: Access): number {
  return isUserAddress(space, address) ? mm.mmu.translate(space, vaddr(address), access) : -1;
}

/** Mmu.copyPresent within what a program may pass. */
export function copyPresent(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  access: Access,
  place: number,
  bytes: number,
): number {
  if (!isUserAddress(space, address)) return 0;
  return mm.mmu.copyPresent(
    space,
    vaddr(address),
    access,
    place,
    Math.min(bytes, space.taskSize * PAGE_SIZE - address),
  );
}

/**
 * Fills bytes [start, end) of `into`. Bytes copied: fewer than asked where an address is bad; with 'stop', where an access would fault
 * (copy_from_user_inatomic).
 */
export function copyFromUser(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  into: Uint8Array,
  atFault: 'handle' | 'stop' = 'handle',
  start = 0,
  end = into.length,
): number {
  const { u8 } = mm.ram;
  let done = start;
  while (done < end) {
    const at = address + (done - start);
    const offset =
      atFault === 'handle' ? ensureUserByte(mm, space, at, ACCESS_READ) : findUserByte(mm, space, at, ACCESS_READ);
    if (offset === -1) break;
    const count = Math.min(end - done, PAGE_SIZE - offsetInPage(at));
    if (count < 32) for (let i = 0; i < count; i++) into[done + i] = u8[offset + i];
    // Within RAM (a page of the page cache) no view is made on the way: that would cost more than the copy.
    else if (into === u8 || into.buffer === u8.buffer) copyUpwards(u8, into.byteOffset + done, offset, count);
    else into.set(u8.subarray(offset, offset + count), done);
    done += count;
  }
  return done - start;
}

/**
 * Stores bytes [start, end) of `from`. Bytes copied: fewer than asked where an address is bad. A page whose fault sleeps counts as
 * copied: the bytes are owed (FaultWaiter.stores), and so is all that comes behind them to pages that are not there, so that the
 * faults come in order.
 */
export function copyToUser(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  from: Uint8Array,
  start = 0,
  end = from.length,
): number {
  const { waiter } = mm;
  let done = start;
  while (done < end) {
    if (waiter === null || waiter.stores.length === 0)
      done += copyToUserNow(mm, space, address + (done - start), from, done, end);
    if (done === end || waiter === null || (waiter.source === null && waiter.stores.length === 0)) break;
    const at = address + (done - start);
    const count = Math.min(end - done, PAGE_SIZE - offsetInPage(at));
    if (waiter.source === null && isPresentForWrite(mm, space, at))
      copyToUserNow(mm, space, at, from, done, done + count);
    else waiter.stores.push({ space, address: at, bytes: from.slice(done, done + count) });
    waiter.source = null;
    done += count;
  }
  return done - start;
}

function isPresentForWrite(mm: MemoryManager, space: AddressSpace, address: number): boolean {
  return findUserByte(mm, space, address, ACCESS_WRITE) !== -1;
}

/**
 * Stores bytes [start, end) of `from`. Bytes copied: fewer than asked where an address is bad, or where a fault sleeps (then
 * mm.waiter.source says on what).
 */
export function copyToUserNow(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  from: Uint8Array,
  start = 0,
  end = from.length,
): number {
  const { u8 } = mm.ram;
  let done = start;
  while (done < end) {
    const at = address + (done - start);
    const offset = ensureUserByte(mm, space, at, ACCESS_WRITE);
    if (offset === -1) break;
    const count = Math.min(end - done, PAGE_SIZE - offsetInPage(at));
    beforeWrite(mm, offset);
    if (count < 32) for (let i = 0; i < count; i++) u8[offset + i] = from[done + i];
    else if (from === u8 || from.buffer === u8.buffer) copyUpwards(u8, offset, from.byteOffset + done, count);
    else u8.set(count === from.length ? from : from.subarray(done, done + count), offset);
    done += count;
  }
  return done - start;
}

/** Zeroes; bytes cleared. */
export function clearUser(mm: MemoryManager, space: AddressSpace, address: number, lengthBytes: number): number {
  let done = 0;
  while (done < lengthBytes) {
    const at = address + done;
    const offset = ensureUserByte(mm, space, at, ACCESS_WRITE);
    if (offset === -1) break;
    const count = Math.min(lengthBytes - done, PAGE_SIZE - offsetInPage(at));
    beforeWrite(mm, offset);
    mm.ram.u8.fill(0, offset, offset + count);
    done += count;
  }
  return done;
}

/** A NUL-terminated string, without the NUL: its bytes, -EFAULT, or -ENAMETOOLONG when `max` bytes hold no NUL. */
export function readUserBytes(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  max: number,
): Uint8Array | number {
  const { u8 } = mm.ram;
  const found: number[] = [];
  while (found.length < max) {
    const at = address + found.length;
    const offset = ensureUserByte(mm, space, at, ACCESS_READ);
    if (offset === -1) return -EFAULT;
    const count = Math.min(max - found.length, PAGE_SIZE - offsetInPage(at));
    for (let i = 0; i < count; i++) {
      const byte = u8[offset + i];
      if (byte === 0) return Uint8Array.from(found);
      found.push(byte);
    }
  }
  return -ENAMETOOLONG;
}

/** The same as text (base/utf8.ts: bytes that are not UTF-8 survive the way back). */
export function readUserString(mm: MemoryManager, space: AddressSpace, address: number, max: number): string | number {
  const bytes = readUserBytes(mm, space, address, max);
  return typeof bytes === 'number' ? bytes : decodeUtf8(bytes);
}

const word = new Uint8Array(8);
const wordView = new DataView(word.buffer);
const half = word.subarray(0, 4);

/** Unsigned; -EFAULT where it cannot be read. */
export function readU32(mm: MemoryManager, space: AddressSpace, address: number): number {
  return copyFromUser(mm, space, address, half) === 4 ? wordView.getUint32(0, true) : -EFAULT;
}

/** Unsigned, rounded to the nearest number above 2^53; -EFAULT where it cannot be read. */
export function readU64(mm: MemoryManager, space: AddressSpace, address: number): number {
  if (copyFromUser(mm, space, address, word) !== 8) return -EFAULT;
  return wordView.getUint32(0, true) + wordView.getUint32(4, true) * 2 ** 32;
}

/** 0 or -EFAULT. */
export function writeU32(mm: MemoryManager, space: AddressSpace, address: number, value: number): number {
  wordView.setUint32(0, value, true);
  return copyToUser(mm, space, address, half) === 4 ? 0 : -EFAULT;
}

/** A number within 2^53; negative ones in two's complement. 0 or -EFAULT. */
export function writeU64(mm: MemoryManager, space: AddressSpace, address: number, value: number): number {
  const high = Math.floor(value / 2 ** 32);
  wordView.setUint32(0, value - high * 2 ** 32, true);
  wordView.setUint32(4, high, true);
  return copyToUser(mm, space, address, word) === 8 ? 0 : -EFAULT;
}

/** Stores `next` if the word is `expected`; the word found, or -EFAULT. `address` is a multiple of 4. */
export function compareExchangeU32(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  expected: number,
  next: number,
): number {
  const offset = ensureUserByte(mm, space, address, ACCESS_WRITE);
  if (offset === -1) return -EFAULT;
  const { u32 } = mm.ram;
  const found = u32[offset / 4];
  if (found === expected >>> 0) {
    beforeWrite(mm, offset);
    u32[offset / 4] = next;
  }
  return found;
}

export interface IoVec {
  readonly address: number;
  readonly lengthBytes: number;
}
