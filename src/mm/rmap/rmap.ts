import { assert, panic } from '../../base/assert.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import type { FrameAllocator } from '../phys/alloc.ts';
import { splitCompound } from '../phys/compound.ts';
import type { FrameTable } from '../phys/frame-table.ts';
import {
  PG_anon,
  PG_anon_exclusive,
  PG_deferred,
  PG_head,
  PG_hugetlb,
  PG_ksm,
  PG_partially_mapped,
  PG_swapbacked,
  PG_uptodate,
} from '../phys/page-flags.ts';
import { VM_DROPPABLE } from '../vm-flags.ts';
import type { AnonVmas } from './anon-vmas.ts';
import { LargeRmap } from './large-rmap.ts';
import type { KsmReverse, PageTableEditor, RmapVma } from './rmap-vma.ts';

/**
 * How often each frame is mapped, and by whom it can be found (Linux: folio_add_*_rmap, folio_remove_rmap; mm/rmap.c): the counts
 * of a frame, its owner and its index change here as entries come and go. rmap-walk.ts goes from a frame to its entries.
 *
 * Invariants (checked by mm/invariants.ts):
 *  R1 mapcount is changed here alone; nr_anon_pages and nr_mapped count frames with mapcount > 0.
 *  R2 Every entry that maps an anonymous frame lies in a VMA that is in the tree of the frame's AnonVma, at
 *     startVpn + (index - pgoff). The same for file frames and i_mmap.
 *  R3 A VMA's anonVma is one of its chain; a VMA without chain has none.
 *  R4 PG_anon_exclusive: exactly one entry may map the frame, and it may be made writable without a copy.
 *  And A1 to A4 (anon-vma.ts).
 */
export class Rmap {
  readonly frames: FrameTable;
  private readonly allocator: FrameAllocator;
  /** Of compound pages. */
  readonly large: LargeRmap;
  readonly anonVmas: AnonVmas;
  /** By FilePages id; filled by the page cache. */
  readonly files: readonly (FilePages | null)[];
  private givenEditor: PageTableEditor | null = null;
  private ksmReverse: KsmReverse | null = null;

  constructor(allocator: FrameAllocator, anonVmas: AnonVmas, files: readonly (FilePages | null)[]) {
    this.allocator = allocator;
    this.frames = allocator.frames;
    this.large = new LargeRmap(allocator);
    this.anonVmas = anonVmas;
    this.files = files;
  }

  setEditor(editor: PageTableEditor): void {
    this.givenEditor = editor;
  }

  setKsmReverse(reverse: KsmReverse): void {
    this.ksmReverse = reverse;
  }

  /** Null before there is a ksmd. */
  get ksm(): KsmReverse | null {
    return this.ksmReverse;
  }

  /** Null while nothing can be mapped yet. */
  get editorOrNull(): PageTableEditor | null {
    return this.givenEditor;
  }

  get editor(): PageTableEditor {
    return this.givenEditor ?? panic('mm/rmap/rmap.ts: setEditor is called before memory is mapped');
  }

  // Entries that come and go. None touches refcount: the caller hands over or drops the entry's reference.

  /** The first entry of a new anonymous frame (folio_add_new_anon_rmap, folio_add_lru_vma). The VMA has its AnonVma. */
  addNewAnonRmap(frame: Pfn, vma: RmapVma, page: Vpn): void {
    const { frames } = this;
    if (vma.anonVma === null) panic('mm/rmap/rmap.ts: AnonVmas.prepare comes before the first anonymous page');
    assert(frames.mappingsOfPage(frame) === 0, 'mm/rmap/rmap.ts: a new frame is not mapped yet');
    const backed = (vma.flags & VM_DROPPABLE) !== 0 ? 0 : PG_swapbacked;
    frames.flags[frame] |= PG_anon | PG_anon_exclusive | backed | PG_uptodate;
    frames.owner[frame] = vma.anonVma.id;
    frames.index[frame] = vma.pgoff + (page - vma.startVpn);
    if ((frames.flags[frame] & (PG_head | PG_hugetlb)) === PG_head) this.large.addEntire(frame);
    else frames.mapcount[frame] = 1;
    // Pages of the huge pools are on no LRU list and in no gauge but their own.
    if ((frames.flags[frame] & PG_hugetlb) !== 0) return;
    if ((frames.flags[frame] & PG_head) === 0) this.allocator.stat.nr_anon_pages++;
    this.allocator.lru.add(frame);
  }

  /**
   * An entry for an anonymous frame that comes from swap (folio_add_new_anon_rmap, folio_add_anon_rmap_ptes): the only one that
   * may be for 'exclusive'. A frame that had owner and index before keeps them, a new 'shared' one belongs to the oldest
   * relative, through whom all who may have an entry are found.
   */
  addSwappedAnonRmap(frame: Pfn, vma: RmapVma, page: Vpn, sharing: 'exclusive' | 'shared'): void {
    const { frames } = this;
    if (vma.anonVma === null) panic('mm/rmap/rmap.ts: a VMA that has an entry of swap has an AnonVma');
    if ((frames.flags[frame] & PG_anon) === 0) {
      frames.flags[frame] |= PG_anon | PG_swapbacked | PG_uptodate;
      frames.owner[frame] = (sharing === 'exclusive' ? vma.anonVma : vma.anonVma.root).id;
      frames.index[frame] = vma.pgoff + (page - vma.startVpn);
    }
    if (sharing === 'exclusive') frames.flags[frame] |= PG_anon_exclusive;
    if (frames.mapcount[frame]++ === 0) this.allocator.stat.nr_anon_pages++;
    this.allocator.lru.add(frame);
  }

  /** The frame is about to be found through its slot, too (folio_try_share_anon_rmap_pte). Whether it was exclusive. */
  shareAnonRmap(frame: Pfn): boolean {
    const { flags } = this.frames;
    const wasExclusive = (flags[frame] & PG_anon_exclusive) !== 0;
    flags[frame] &= ~PG_anon_exclusive;
    return wasExclusive;
  }

  /** One more entry for an anonymous frame, in a child (folio_try_dup_anon_rmap_pte): no longer exclusive. */
  dupAnonRmap(frame: Pfn): void {
    const { frames } = this;
    frames.flags[frame] &= ~PG_anon_exclusive;
    if (frames.isLarge(frame)) this.large.addParts(frame, 1);
    else if (frames.mapcount[frame]++ === 0 && (frames.flags[frame] & PG_hugetlb) === 0)
      this.allocator.stat.nr_anon_pages++;
  }

  /** The same for a huge leaf (folio_try_dup_anon_rmap_pmd). */
  dupHugeAnonRmap(head: Pfn): void {
    this.frames.flags[head] &= ~PG_anon_exclusive;
    this.large.addEntire(head);
  }

  /**
   * The VMA is the sole owner now: new relatives need not look at its page (folio_move_anon_rmap). Parts of a huge page may be mapped
   * by other VMAs of the space: it stays with its AnonVma.
   */
  moveAnonRmap(frame: Pfn, vma: RmapVma): void {
    if (vma.anonVma === null) panic('mm/rmap/rmap.ts: a VMA that owns an anonymous page has an AnonVma');
    if (!this.frames.isLarge(frame)) this.frames.owner[frame] = vma.anonVma.id;
    this.frames.flags[frame] |= PG_anon_exclusive;
  }

  /** The same for a huge page that one huge leaf maps, and nothing else. */
  moveHugeAnonRmap(head: Pfn, vma: RmapVma): void {
    if (vma.anonVma === null) panic('mm/rmap/rmap.ts: a VMA that owns an anonymous page has an AnonVma');
    this.frames.owner[head] = vma.anonVma.id;
    this.frames.flags[head] |= PG_anon_exclusive;
  }

  /** The page is ksmd's from now on, mapped as often as before: nobody's alone, and without a node yet. */
  makeKsm(frame: Pfn): void {
    const { frames } = this;
    frames.flags[frame] = (frames.flags[frame] & ~PG_anon_exclusive) | PG_ksm;
    frames.owner[frame] = 0;
    frames.index[frame] = 0;
  }

  /** The stable node of a KSM page; 0: none, its entries are found no more (folio_set_stable_node). */
  setKsmNode(frame: Pfn, node: number): void {
    this.frames.owner[frame] = node;
  }

  /** One more entry for a frame of a file or of the kernel (folio_add_file_rmap_pte, folio_dup_file_rmap_pte). */
  addFileRmap(frame: Pfn): void {
    const { frames } = this;
    if (frames.isLarge(frame)) this.large.addParts(frame, 1);
    else if (frames.mapcount[frame]++ === 0 && (frames.flags[frame] & PG_hugetlb) === 0)
      this.allocator.stat.nr_mapped++;
  }

  /** Entries of `count` frames in a row, of one page, have gone: one each (folio_remove_rmap_ptes). */
  removeRmap(frame: Pfn, count = 1): void {
    const { frames } = this;
    if (frames.isLarge(frame)) {
      this.large.removeParts(frame, count);
      return;
    }
    const left = --frames.mapcount[frame];
    assert(left >= 0, 'mm/rmap/rmap.ts: R1 mapcount is not negative');
    if (left > 0 || (frames.flags[frame] & PG_hugetlb) !== 0) return;
    if ((frames.flags[frame] & PG_anon) !== 0) this.allocator.stat.nr_anon_pages--;
    else this.allocator.stat.nr_mapped--;
  }

  /**
   * One huge leaf of an anonymous page gives way to entries for each of its frames, which are there already (__split_huge_pmd_locked):
   * each is as exclusive as the leaf was.
   */
  splitHugeLeaf(head: Pfn): void {
    const { frames } = this;
    const count = frames.pagesOf(head);
    const exclusive = frames.flags[head] & PG_anon_exclusive;
    for (let frame = head; frame < head + count; frame++) {
      frames.flags[frame] |= exclusive;
      if (frame > head) this.allocator.getFrame(head);
    }
    this.large.addParts(head, count);
    this.large.removeEntire(head);
  }

  /**
   * The anonymous compound page, which no huge leaf maps any more, becomes small ones, each mapped as often as it was as a part; those
   * that are not mapped become free (__split_folio_to_order). `locksOf` says how many locks hold each.
   */
  splitAnon(head: Pfn, locksOf: (frame: Pfn) => number): void {
    const { frames } = this;
    const { lru } = this.allocator;
    assert(frames.entireMapcount[head] === 0, 'mm/rmap/rmap.ts: a page is split after the leaves that map it');
    lru.remove(head);
    const count = frames.pagesOf(head);
    const own = PG_head | PG_anon_exclusive | PG_deferred | PG_partially_mapped;
    const shared = frames.flags[head] & ~own;
    const exclusive = Array.from({ length: count }, (_, i) => frames.flags[head + i] & PG_anon_exclusive);
    const owner = frames.owner[head];
    const index = frames.index[head];
    splitCompound(this.allocator, head);
    frames.largeMapcount[head] = 0;
    frames.pagesMapped[head] = 0;
    for (let i = 0; i < count; i++) {
      const frame = (head + i) as Pfn;
      frames.flags[frame] = shared | exclusive[i];
      frames.owner[frame] = owner;
      frames.index[frame] = index + i;
      frames.mlockCount[frame] = locksOf(frame);
      if (frames.mapcount[frame] > 0) lru.add(frame);
      this.allocator.putFrame(frame);
    }
  }
}
