import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { EFAULT, EINVAL } from '../../abi/errno.ts';
import type { IoSink } from '../../base/io.ts';
import { actorCan, type FsActor } from '../../fs/permission.ts';
import { PAGE_SIZE, type Pfn, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import type { MemoryManager } from '../../mm/memory-manager.ts';
import { MARKER_GUARD, MARKER_UFFD_WP } from '../../mm/page-table-entry.ts';
import { PG_anon } from '../../mm/phys/page-flags.ts';
import { type SwapEntry, swapOffsetOf, swapTypeOf } from '../../mm/swap/entry.ts';
import type { Kernel } from '../kernel.ts';

const ENTRY_BYTES = 8;
/** High words of PM_MMAP_EXCLUSIVE (bit 56), PM_UFFD_WP (57), PM_GUARD_REGION (58), PM_FILE (61), PM_SWAP (62), PM_PRESENT (63). */
const PM_MMAP_EXCLUSIVE = 2 ** 24;
const PM_UFFD_WP = 2 ** 25;
const PM_GUARD_REGION = 2 ** 26;
const PM_FILE = 2 ** 29;
const PM_SWAP = 2 ** 30;
const PM_PRESENT = 2 ** 31;
/** All from PM_SOFT_DIRTY (55) on. */
const PM_STATUS = 0xff80_0000;
/** A marker shows as swap of this type, its MARKER_* bits as the offset (include/linux/swap.h). */
const SWP_PTE_MARKER = 31;
const MAX_SWAPFILES_SHIFT = 5;
/** Entries made up at a time. */
const BATCH = 512;

/** /proc/PID/pagemap: one 64-bit word a page (pagemap_read, 6.18). Frame numbers are shown where the opener has CAP_SYS_ADMIN. */
export function readPagemap(k: Kernel, space: AddressSpace | null, pos: number, sink: IoSink, opener: FsActor): number {
  const wanted = sink.remaining;
  if (pos % ENTRY_BYTES !== 0 || wanted % ENTRY_BYTES !== 0) return -EINVAL;
  if (space === null) return 0;
  let page = pos / ENTRY_BYTES;
  let moved = 0;
  while (moved < wanted && page < space.taskSize) {
    const count = Math.min(BATCH, (wanted - moved) / ENTRY_BYTES, space.taskSize - page);
    const bytes = new Uint8Array(count * ENTRY_BYTES);
    fillEntries(k.mm, space, page, new DataView(bytes.buffer), count);
    if (!actorCan(opener, CAP_SYS_ADMIN)) hideFrames(new DataView(bytes.buffer));
    const put = sink.put(bytes);
    moved += put;
    if (put < bytes.length) return moved > 0 ? moved : -EFAULT;
    page += count;
  }
  return moved;
}

/** pagemap_pte_range without show_pfn: 55 bits of place are left out; what is in the bits above stays. */
function hideFrames(view: DataView): void {
  for (let at = 0; at < view.byteLength; at += ENTRY_BYTES) {
    view.setUint32(at, 0, true);
    view.setUint32(at + 4, (view.getUint32(at + 4, true) & PM_STATUS) >>> 0, true);
  }
}

/** The area's number in 5 bits, above them the slot. */
function setSwapped(view: DataView, at: number, entry: SwapEntry, high: number): void {
  const place = swapTypeOf(entry) + swapOffsetOf(entry) * 2 ** MAX_SWAPFILES_SHIFT;
  view.setUint32(at, place % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(place / 2 ** 32) + PM_SWAP + high, true);
}

function fillEntries(mm: MemoryManager, space: AddressSpace, first: number, view: DataView, count: number): void {
  const { pageTables, frames } = mm;
  let page = vpn(first);
  const end = vpn(first + count);
  while (page < end && pageTables.seek(space, page, end)) {
    const at = pageTables.foundVpn;
    const level = pageTables.foundLevel;
    page = vpn(at + pageTables.spanOf(level));
    const entry = pageTables.read(pageTables.foundSlot);
    if (!pageTables.isMapped(entry)) {
      if (pageTables.isSwap(entry)) {
        setSwapped(
          view,
          (at - first) * ENTRY_BYTES,
          pageTables.swapOf(entry),
          pageTables.isUffdWp(entry) ? PM_UFFD_WP : 0,
        );
        continue;
      }
      const marker = pageTables.markerOf(entry);
      let high = PM_SWAP;
      if ((marker & MARKER_GUARD) !== 0) high += PM_GUARD_REGION;
      if ((marker & MARKER_UFFD_WP) !== 0) high += PM_UFFD_WP;
      view.setUint32((at - first) * ENTRY_BYTES, SWP_PTE_MARKER + marker * 2 ** MAX_SWAPFILES_SHIFT, true);
      view.setUint32((at - first) * ENTRY_BYTES + 4, high, true);
      continue;
    }
    const mapped = pageTables.frameOf(entry);
    const head = frames.headOf(mapped);
    let high = PM_PRESENT + (pageTables.isUffdWp(entry) ? PM_UFFD_WP : 0);
    if (head !== mm.zeroPage && head !== mm.thp.zeroPage) {
      if ((frames.flags[head] & PG_anon) === 0) high += PM_FILE;
      // Of a huge leaf the first page decides for all of them, in 6.18.
      if (frames.mappingsOf(mapped) === 1) high += PM_MMAP_EXCLUSIVE;
    }
    for (let each = Math.max(at, first); each < Math.min(page, end); each++) {
      view.setUint32((each - first) * ENTRY_BYTES, pageTables.frameWithin(entry, level, vpn(each)), true);
      view.setUint32((each - first) * ENTRY_BYTES + 4, high, true);
    }
  }
}

/** Words of /proc/kpagecount: page-table entries that map each frame (kpagecount_read). */
export function readKpagecount(k: Kernel, _space: AddressSpace | null, pos: number, sink: IoSink): number {
  return readFrameWords(k, pos, sink, (view, at, frame) =>
    view.setUint32(at, k.mm.frames.mappingsOf(frame as Pfn), true),
  );
}

/** One word a frame of RAM. -EINVAL at a place or of a size that is no multiple of 8. */
export function readFrameWords(
  k: Kernel,
  pos: number,
  sink: IoSink,
  fill: (view: DataView, at: number, frame: number) => void,
): number {
  const end = k.mm.frames.frameCount * ENTRY_BYTES;
  if (pos % ENTRY_BYTES !== 0 || sink.remaining % ENTRY_BYTES !== 0) return -EINVAL;
  let moved = 0;
  while (sink.remaining > 0 && pos + moved < end) {
    const first = (pos + moved) / ENTRY_BYTES;
    const count = Math.min(PAGE_SIZE / ENTRY_BYTES, sink.remaining / ENTRY_BYTES, end / ENTRY_BYTES - first);
    const bytes = new Uint8Array(count * ENTRY_BYTES);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < count; i++) fill(view, i * ENTRY_BYTES, first + i);
    const put = sink.put(bytes);
    moved += put;
    if (put < bytes.length) return moved > 0 ? moved : -EFAULT;
  }
  return moved;
}
