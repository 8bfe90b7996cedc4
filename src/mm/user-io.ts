import type { IoSink, IoSource } from '../base/io.ts';
import { ACCESS_READ, ACCESS_WRITE, type Access } from '../machine/mmu.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import type { MemoryManager } from './memory-manager.ts';
import { copyFromUser, copyPresent, copyToUser, copyToUserNow, ensureUserByte, type IoVec } from './user-access.ts';

/** User memory, one or several stretches in a row, as the source or sink of a file operation (Linux: struct iov_iter). */
export class UserIo implements IoSink, IoSource {
  faulted = false;
  remaining: number;
  readonly atLockedPage: 'wait' | 'leave';
  isAtLockedPage = false;
  private readonly mm: MemoryManager;
  private readonly space: AddressSpace;
  private readonly vectors: readonly IoVec[];
  private readonly store: typeof copyToUser;
  private at = 0;
  private offset = 0;

  /** 'owe' and 'stop': what `put` does at a fault that sleeps (copyToUser, copyToUserNow); 'stop' also at a page that is being read. */
  constructor(mm: MemoryManager, space: AddressSpace, vectors: readonly IoVec[], atSleep: 'owe' | 'stop' = 'owe') {
    this.mm = mm;
    this.space = space;
    this.vectors = vectors;
    this.atLockedPage = atSleep === 'stop' && mm.waiter !== null && mm.block.mode === 'goes on' ? 'leave' : 'wait';
    this.store = atSleep === 'owe' ? copyToUser : copyToUserNow;
    let total = 0;
    for (const vector of vectors) total += vector.lengthBytes;
    this.remaining = total;
  }

  /** bdev_iter_is_aligned, for a device that takes any address (dma_alignment 0, as virtio's). */
  isAlignedTo(bytes: number): boolean {
    return this.vectors.every(({ lengthBytes }) => lengthBytes % bytes === 0);
  }

  put(bytes: Uint8Array): number {
    return this.move('put', bytes, 0, bytes.length);
  }

  take(into: Uint8Array): number {
    return this.move('take', into, 0, into.length);
  }

  takePresent(into: Uint8Array): number {
    return this.move('take present', into, 0, into.length);
  }

  putRange(bytes: Uint8Array, start: number, end: number): number {
    return this.move('put', bytes, start, end);
  }

  takeRange(into: Uint8Array, start: number, end: number): number {
    return this.move('take', into, start, end);
  }

  takePresentRange(into: Uint8Array, start: number, end: number): number {
    return this.move('take present', into, start, end);
  }

  copyPresent(start: number, count: number): number {
    // Bytes that are owed come first (copyToUser).
    return this.mm.waiter !== null && this.mm.waiter.stores.length > 0
      ? 0
      : this.movePresent(ACCESS_WRITE, start, count);
  }

  fillPresent(start: number, count: number): number {
    return this.movePresent(ACCESS_READ, start, count);
  }

  private movePresent(access: Access, start: number, count: number): number {
    const { mm, space, vectors } = this;
    if (this.faulted || this.remaining === 0) return 0;
    for (; this.offset === vectors[this.at].lengthBytes; this.at++) this.offset = 0;
    const { address, lengthBytes } = vectors[this.at];
    return copyPresent(mm, space, address + this.offset, access, start, Math.min(count, lengthBytes - this.offset));
  }

  advance(count: number): void {
    this.offset += count;
    this.remaining -= count;
  }

  faultIn(lengthBytes: number): boolean {
    let left = Math.min(lengthBytes, this.remaining);
    let isAnyThere = false;
    for (let { at, offset } = this; left > 0; at++, offset = 0) {
      const vector = this.vectors[at];
      const want = Math.min(left, vector.lengthBytes - offset);
      const address = vector.address + offset;
      // By offsets: near 2^64 an address and the next are the same number.
      for (let done = 0; done < want; done += PAGE_SIZE - ((address + done) % PAGE_SIZE)) {
        if (ensureUserByte(this.mm, this.space, address + done, ACCESS_READ) !== -1) {
          isAnyThere = true;
          continue;
        }
        // A fault that sleeps is tried again when the call runs again.
        this.faulted = !isAnyThere || (this.mm.waiter?.source ?? null) !== null;
        return !this.faulted;
      }
      left -= want;
    }
    return true;
  }

  private move(direction: 'put' | 'take' | 'take present', bytes: Uint8Array, start: number, end: number): number {
    let done = start;
    while (done < end && this.remaining > 0 && !this.faulted) {
      const { address, lengthBytes } = this.vectors[this.at];
      if (this.offset === lengthBytes) {
        this.at++;
        this.offset = 0;
        continue;
      }
      const want = Math.min(end - done, lengthBytes - this.offset);
      const at = address + this.offset;
      const moved =
        direction === 'put'
          ? this.store(this.mm, this.space, at, bytes, done, done + want)
          : copyFromUser(this.mm, this.space, at, bytes, direction === 'take' ? 'handle' : 'stop', done, done + want);
      this.offset += moved;
      this.remaining -= moved;
      done += moved;
      if (moved === want) continue;
      if (direction === 'take present') break;
      this.faulted = true;
    }
    return done - start;
  }
}
