import { assert, panic } from '../base/assert.ts';
import type { Pfn, Vpn } from '../machine/units.ts';
import { type AddressSpace, MM_SWAPENTS } from './address-space.ts';
import { checkHugeEntries } from './hugetlb/check-hugetlb.ts';
import { checkKsmEntry } from './ksm/check-ksm.ts';
import type { MemoryManager } from './memory-manager.ts';
import { MARKER_GUARD, MARKER_POISONED, MARKER_UFFD_WP } from './page-table-entry.ts';
import { PG_anon, PG_anon_exclusive, PG_head, PG_ksm, PG_mlocked, PG_pagecache } from './phys/page-flags.ts';
import type { RmapVma } from './rmap/rmap-vma.ts';
import type { SwapCensus } from './swap/check-swap.ts';
import { VM_ACCESS_FLAGS, VM_LOCKED, VM_SHARED, VM_WRITE } from './vm-flags.ts';
import { VMA_ANON, VMA_HUGETLB, VMA_SHMEM, type Vma } from './vma.ts';
import { rssMemberOf } from './zap.ts';

const EXCLUSIVE = PG_anon | PG_anon_exclusive;

/** Entries counted anew. */
export interface EntryCensus {
  /** By frame: the entries that map it, huge leaves by their head, and the entries of VM_LOCKED VMAs that map its page, by the head. */
  readonly mapped: Uint32Array;
  readonly huge: Uint32Array;
  readonly locks: Uint32Array;
  readonly slots: SwapCensus;
}

/**
 * The part of checkInvariants that looks at every leaf entry: S2, P3, R2, R4. It runs once for each entry at each trap of a
 * test, so what is the same for all pages of a VMA is looked up once a VMA, and the walk stays in a leaf table.
 * Counts what it sees into `census`.
 */
export function checkEntries(mm: MemoryManager, space: AddressSpace, census: EntryCensus): void {
  const { pageTables } = mm;
  const rss = new Float64Array(4);
  let end = 0 as Vpn;
  let hugePages = 0;
  let zeroPages = 0;
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) {
    assert(!pageTables.seek(space, end, vma.startVpn), 'mm/check-entries.ts: P3 an entry lies in a VMA');
    if (vma.kind === VMA_HUGETLB) hugePages += checkHugeEntries(mm, vma, census.mapped);
    else zeroPages += checkEntriesOf(mm, vma, rss, census);
    end = vma.endVpn;
  }
  assert(!pageTables.seek(space, end, space.taskSize), 'mm/check-entries.ts: P3 an entry lies in a VMA');
  for (let member = 0; member < 4; member++)
    if (rss[member] !== space.rss[member]) panic(`mm/check-entries.ts: S2 rss[${member}] counts the entries`);
  assert(zeroPages === space.ksmZeroPages, 'mm/ksm/ksm.ts: K7 ksmZeroPages');
  assert(hugePages === space.hugetlbPages, 'mm/check-entries.ts: S2 hugetlbPages counts the pages of huge entries');
}

/** Returns the entries that map the zero page for ksmd. */
function checkEntriesOf(mm: MemoryManager, vma: Vma, rss: Float64Array, census: EntryCensus): number {
  const { mapped: seen, locks } = census;
  const { pageTables, format, zeroPage } = mm;
  const { flags } = mm.frames;
  const perTable = 2 ** format.bitsPerLevel;
  const hasRights = (vma.flags & VM_ACCESS_FLAGS) !== 0;
  const mayWrite = (vma.flags & VM_WRITE) !== 0;
  const isShared = (vma.flags & VM_SHARED) !== 0;
  const isLocked = (vma.flags & VM_LOCKED) !== 0;
  const hasZeroes = vma.kind === VMA_ANON || (vma.kind === VMA_SHMEM && !isShared);
  const reverse = new ReverseCheck(mm, vma);
  let zeroPages = 0;
  let page: number = vma.startVpn;
  while (pageTables.seek(vma.space, page as Vpn, vma.endVpn)) {
    page = pageTables.foundVpn;
    if (pageTables.foundLevel > 0) {
      const member = rssMemberOf(mm, pageTables.frameOf(pageTables.read(pageTables.foundSlot)));
      rss[member] += checkHugeLeaf(mm, vma, census, reverse);
      page += mm.thp.pages;
      continue;
    }
    let slot = pageTables.foundSlot;
    do {
      const entry = pageTables.read(slot);
      const at = page;
      page++;
      slot = pageTables.slotBeside(slot, 1);
      if (entry === 0) continue;
      if (pageTables.isMarker(entry)) {
        assert(isMarkerValid(pageTables.markerOf(entry)), 'mm/check-entries.ts: P4 a marker has MARKER_* bits');
        continue;
      }
      if (pageTables.isSwap(entry)) {
        assert(!isShared, 'mm/check-entries.ts: P4 a swap entry lies in a private VMA');
        census.slots.note(pageTables.swapOf(entry), pageTables.isSwapExclusive(entry) ? 'exclusive' : 'shared');
        rss[MM_SWAPENTS]++;
        continue;
      }
      assert(
        pageTables.isMapped(entry),
        'mm/check-entries.ts: P3 an entry maps a frame, leads to a slot or is a marker',
      );
      assert(
        ((entry & format.PRESENT) !== 0) === hasRights,
        'mm/check-entries.ts: P3 an entry is present exactly if the VMA has rights',
      );
      const frame = pageTables.frameOf(entry);
      const head = mm.frames.headOf(frame);
      const exclusive = (flags[frame] & PG_anon_exclusive) !== 0 && (flags[head] & PG_anon) !== 0;
      if ((entry & format.WRITE) !== 0) {
        assert(mayWrite, 'mm/check-entries.ts: P3 WRITE only where the VMA allows it');
        assert(isShared || exclusive, 'mm/check-entries.ts: P3 a private page is written when exclusive');
      }
      if (frame === zeroPage) {
        assert(hasZeroes, 'mm/check-entries.ts: P3 the zero page is private memory');
        if ((entry & format.DIRTY) !== 0) zeroPages++;
        continue;
      }
      seen[frame]++;
      if (isLocked) {
        assert(isLockedPage(mm, flags[head]), 'mm/mlock-pages.ts: R5 a page of a VM_LOCKED VMA is locked');
        locks[head]++;
      }
      assert(
        !exclusive || seen[frame] + census.huge[head] === 1,
        'mm/check-entries.ts: R4 an exclusive frame is mapped once',
      );
      rss[rssMemberOf(mm, frame)]++;
      reverse.check(at as Vpn, frame);
    } while (page % perTable !== 0 && page < vma.endVpn);
  }
  return zeroPages;
}

/** U1 to U3, P3 and R4 for the huge leaf that seek found; the pages that it adds to rss. */
function checkHugeLeaf(mm: MemoryManager, vma: Vma, census: EntryCensus, reverse: ReverseCheck): number {
  const { pageTables, frames, thp, format } = mm;
  const start = pageTables.foundVpn;
  const entry = pageTables.read(pageTables.foundSlot);
  const head = pageTables.frameOf(entry);
  const flags = frames.flags[head];
  const inside = start >= vma.startVpn && start + thp.pages <= vma.endVpn;
  const isAnon = vma.kind === VMA_ANON;
  assert(
    (isAnon || vma.kind === VMA_SHMEM) && pageTables.foundLevel === thp.level && inside,
    'mm/thp/thp.ts: U1 a huge leaf lies in one VMA of memory',
  );
  assert(
    pageTables.hasDeposit(pageTables.foundSlot) === isAnon,
    'mm/thp/thp.ts: U2 a huge leaf of anonymous memory has a table put by',
  );
  assert(
    ((entry & format.PRESENT) !== 0) === ((vma.flags & VM_ACCESS_FLAGS) !== 0),
    'mm/check-entries.ts: P3 an entry is present exactly if the VMA has rights',
  );
  const exclusive = (flags & EXCLUSIVE) === EXCLUSIVE;
  if ((entry & format.WRITE) !== 0) {
    const isOurs = isAnon ? exclusive : (vma.flags & VM_SHARED) !== 0;
    assert((vma.flags & VM_WRITE) !== 0 && isOurs, 'mm/check-entries.ts: P3 a huge page is written when exclusive');
  }
  if (head === thp.zeroPage) return 0;
  assert(
    (flags & PG_head) !== 0 && frames.order[head] === thp.order && (flags & (isAnon ? PG_anon : PG_pagecache)) !== 0,
    'mm/thp/thp.ts: U1 a huge leaf maps a block of its kind',
  );
  census.huge[head]++;
  const others = census.mapped[head] + census.huge[head] - 1;
  assert(!exclusive || others === 0, 'mm/check-entries.ts: R4 an exclusive frame is mapped once');
  if ((vma.flags & VM_LOCKED) !== 0) {
    assert(isLockedPage(mm, flags), 'mm/mlock-pages.ts: R5 a page of a VM_LOCKED VMA is locked');
    census.locks[head]++;
  }
  reverse.check(start, head);
  return thp.pages;
}

function isMarkerValid(marker: number): boolean {
  return marker > 0 && marker <= (MARKER_UFFD_WP | MARKER_POISONED | MARKER_GUARD);
}

/**
 * R2 for the pages of one VMA: the frame leads back to the entry. The tree in which it is found is right by itself (T1 to T3)
 * and holds the VMA with its bounds (A1 for chains, here for i_mmap), so owner and index decide for each page.
 */
export class ReverseCheck {
  private readonly mm: MemoryManager;
  private readonly vma: Vma;
  private readonly indexAt: number;
  private knownAnonVma = 0;
  private isInMap = false;

  constructor(mm: MemoryManager, vma: Vma) {
    this.mm = mm;
    this.vma = vma;
    this.indexAt = vma.pgoff - vma.startVpn;
  }

  check(page: Vpn, part: Pfn): void {
    const { vma } = this;
    const { frames } = this.mm;
    const frame = frames.headOf(part);
    const flags = frames.flags[frame];
    if ((flags & (PG_anon | PG_pagecache)) === 0) {
      assert(vma.special?.frames.includes(frame) === true, 'mm/check-entries.ts: R2 a frame has an owner');
      return;
    }
    if ((flags & PG_ksm) !== 0) {
      checkKsmEntry(this.mm, vma, page, frame);
      return;
    }
    assert(
      frames.index[frame] + (part - frame) === page + this.indexAt,
      'mm/check-entries.ts: R2 index of a mapped frame',
    );
    if ((flags & PG_anon) !== 0) {
      if (frames.owner[frame] !== this.knownAnonVma) this.checkAnonVma(frames.owner[frame]);
      return;
    }
    assert(
      vma.pages?.id === frames.owner[frame],
      'mm/check-entries.ts: R2 a file frame is mapped by a VMA of its file',
    );
    if (!this.isInMap) this.checkMap();
  }

  private checkAnonVma(id: number): void {
    const anonVma = this.mm.rmap.anonVmas.byId(id);
    assert(anonVma !== null, 'mm/check-entries.ts: R2 an anonymous frame has an anon_vma');
    assert(
      this.vma.anonVmaChain.some((chain) => chain.anonVma === anonVma),
      "mm/check-entries.ts: R2 the VMA is in the tree of its page's anon_vma",
    );
    this.knownAnonVma = id;
  }

  private checkMap(): void {
    const { vma } = this;
    const last = vma.pgoff + (vma.endVpn - vma.startVpn) - 1;
    const node = vma.sharedNode;
    const sameBounds = node !== null && node.start === vma.pgoff && node.last === last;
    assert(sameBounds, 'mm/check-entries.ts: R2 i_mmap has the bounds of the VMA');
    let found = false;
    vma.pages?.i_mmap.forEachOverlap(vma.pgoff, last, (other: RmapVma) => {
      found ||= other === vma;
      return !found;
    });
    assert(found, 'mm/check-entries.ts: R2 i_mmap leads back to the VMA');
    this.isInMap = true;
  }
}

/** Which of them lost their lock is not known (invariants.ts counts them). */
function isLockedPage(mm: MemoryManager, flags: number): boolean {
  return (flags & PG_mlocked) !== 0 || mm.mlockBatch.lostLocks > 0;
}
