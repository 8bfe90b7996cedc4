import type { Pfn } from '../machine/units.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import type { MemoryManager } from '../mm/memory-manager.ts';
import type { FilePages } from '../mm/page-cache/file-pages.ts';
import { NO_FRAME } from '../mm/phys/frame-table.ts';
import { type SwapEntry, swapOffsetOf } from '../mm/swap/entry.ts';

/** A file's bytes as a reader of the machine sees them: cached pages from RAM, the rest from swap or the backing, and nothing is changed. */
export function peekFile(mm: MemoryManager, file: FilePages): Uint8Array {
  const bytes = new Uint8Array(file.sizeBytes);
  const page = new Uint8Array(PAGE_SIZE);
  for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
    const index = at / PAGE_SIZE;
    const frame = file.findPage(index);
    let source = page;
    if (frame !== NO_FRAME) source = mm.ram.bytesOf(frame as Pfn);
    else if (file.swapped.has(index)) peekSwap(mm, file.swapped.get(index) as SwapEntry, page);
    else if (file.backing === null || file.backing.readPage(index, page) < 0) continue;
    bytes.set(source.subarray(0, Math.min(PAGE_SIZE, bytes.length - at)), at);
  }
  return bytes;
}

/** A slot's bytes; zeroes where its store cannot be read. */
function peekSwap(mm: MemoryManager, entry: SwapEntry, into: Uint8Array): void {
  const area = mm.swap.areaOf(entry);
  const slot = swapOffsetOf(entry);
  const cached = area.cachedOf(slot);
  if (cached !== NO_FRAME) into.set(mm.ram.bytesOf(cached as Pfn));
  else if (area.isZero(slot) || area.store.read(slot, into) < 0) into.fill(0);
}
