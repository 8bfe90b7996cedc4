import { PAGE_SIZE, type Vaddr, type Vpn, vaddr, vpnOf } from '../machine/units.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import type { MemoryManager } from '../mm/memory-manager.ts';

/**
 * Reads user memory as a reader must: no fault, no Accessed bit, no TLB entry. Returns the bytes that are resident from the front:
 * fewer than asked for where a page is not present.
 */
export function peekMemory(mm: MemoryManager, space: AddressSpace, address: Vaddr, into: Uint8Array): number {
  let done = 0;
  while (done < into.length) {
    const at = address + done;
    const page = vpnOf(vaddr(at));
    const offset = at - page * PAGE_SIZE;
    const frame = presentFrame(mm, space, page);
    if (frame < 0) break;
    const count = Math.min(PAGE_SIZE - offset, into.length - done);
    const from = mm.ram.ramBase + frame * PAGE_SIZE + offset;
    into.set(mm.ram.u8.subarray(from, from + count), done);
    done += count;
  }
  return done;
}

/** The frame that a page is in; -1 where it is not present. */
export function presentFrame(mm: MemoryManager, space: AddressSpace, page: Vpn): number {
  if (page >= space.taskSize || page < 0) return -1;
  const { pageTables } = mm;
  const slot = pageTables.findEntry(space, page);
  if (slot === -1) return -1;
  const entry = pageTables.read(slot);
  return (entry & mm.format.PRESENT) === 0 ? -1 : pageTables.frameWithin(entry, pageTables.foundLevel, page);
}
