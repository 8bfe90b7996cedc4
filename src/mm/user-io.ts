import type { IoSink, IoSource } from '../base/io.ts';
import { ACCESS_READ } from '../machine/mmu.ts';
import { PAGE_SIZE, roundDownToPage } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import type { MemoryManager } from './memory-manager.ts';
import { copyFromUser, copyToUser, copyToUserNow, ensureUserByte, type IoVec } from './user-access.ts';

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
    return this.move(bytes, 'put');
  }

  take(into: Uint8Array): number {
    return this.move(into, 'take');
  }

  takePresent(into: Uint8Array): number {
    return this.move(into, 'take present');
  }

  faultIn(lengthBytes: number): boolean {
    let left = Math.min(lengthBytes, this.remaining);
    let isAnyThere = false;
    for (let { at, offset } = this; left > 0; at++, offset = 0) {
      const vector = this.vectors[at];
      const address = vector.address + offset;
      const end = address + Math.min(left, vector.lengthBytes - offset);
      for (let page = address; page < end; page = roundDownToPage(page) + PAGE_SIZE) {
        if (ensureUserByte(this.mm, this.space, page, ACCESS_READ) !== -1) {
          isAnyThere = true;
          continue;
        }
        // A fault that sleeps is tried again when the call runs again.
        this.faulted = !isAnyThere || (this.mm.waiter?.source ?? null) !== null;
        return !this.faulted;
      }
      left -= end - address;
    }
    return true;
  }

  private move(bytes: Uint8Array, direction: 'put' | 'take' | 'take present'): number {
    let done = 0;
    while (done < bytes.length && this.remaining > 0 && !this.faulted) {
      const { address, lengthBytes } = this.vectors[this.at];
      if (this.offset === lengthBytes) {
        this.at++;
        this.offset = 0;
        continue;
      }
      const want = Math.min(bytes.length - done, lengthBytes - this.offset);
      const part = want === bytes.length ? bytes : bytes.subarray(done, done + want);
      const moved =
        direction === 'put'
          ? this.store(this.mm, this.space, address + this.offset, part)
          : copyFromUser(this.mm, this.space, address + this.offset, part, direction === 'take' ? 'handle' : 'stop');
      this.offset += moved;
      this.remaining -= moved;
      done += moved;
      if (moved === want) continue;
      if (direction === 'take present') break;
      this.faulted = true;
    }
    return done;
  }
}
