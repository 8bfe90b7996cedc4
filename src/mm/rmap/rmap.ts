import { ENOMEM } from '../../abi/errno.ts';
import { assert, panic } from '../../base/assert.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { samePolicy } from '../mempolicy.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import type { FrameAllocator } from '../phys/alloc.ts';
import type { FrameTable } from '../phys/frame-table.ts';
import {
  PG_anon,
  PG_anon_exclusive,
  PG_deferred,
  PG_head,
  PG_hugetlb,
  PG_ksm,
  PG_pagecache,
  PG_partially_mapped,
  PG_swapbacked,
  PG_uptodate,
} from '../phys/page-flags.ts';
import type { KmemCache } from '../phys/slab.ts';
import { VM_ACCESS_FLAGS, VM_DROPPABLE, VM_IGNORE_MERGE } from '../vm-flags.ts';
import { AnonVma, AnonVmaChain } from './anon-vma.ts';
import { LargeRmap } from './large-rmap.ts';
import type { KsmReverse, PageTableEditor, RmapVma } from './rmap-vma.ts';

/** Flags that may differ between two VMAs that share an AnonVma (anon_vma_compatible). */
const VM_MAY_DIFFER = VM_ACCESS_FLAGS | VM_IGNORE_MERGE;

/**
 * From a frame to the page-table entries that map it (Linux: mm/rmap.c), and the counts that follow from it. An anonymous
 * frame's entries are found through its AnonVma, a file frame's through FilePages.i_mmap.
 *
 *   fork of a process that has touched an anonymous VMA, twice (-> parent, [..] VMAs in the tree):
 *
 *     A [p, c, g]  <-  C [c, g]  <-  G [g]          p's pages point to A, c's to C, g's to G; root of all: A
 *
 * Invariants (checked by findBroken and mm/invariants.ts):
 *  R1 mapcount is changed here alone; nr_anon_pages and nr_mapped count frames with mapcount > 0.
 *  R2 Every entry that maps an anonymous frame lies in a VMA that is in the tree of the frame's AnonVma, at
 *     startVpn + (index - pgoff). The same for file frames and i_mmap.
 *  R3 A VMA's anonVma is one of its chain; a VMA without chain has none.
 *  R4 PG_anon_exclusive: exactly one entry may map the frame, and it may be made writable without a copy.
 *  And A1 to A4 (anon-vma.ts).
 */
export class Rmap {
  private readonly frames: FrameTable;
  private readonly allocator: FrameAllocator;
  /** Of compound pages. */
  readonly large: LargeRmap;
  private readonly anonVmaSlots: KmemCache;
  private readonly chainSlots: KmemCache;
  private editorOrNull: PageTableEditor | null = null;
  private neighboursOf: NeighbourFinder | null = null;
  private ksm: KsmReverse | null = null;
  /** By id; index 0 is nobody. Ids of the dead are taken again, last first. */
  private readonly anonVmas: (AnonVma | null)[] = [null];
  private readonly freeIds: number[] = [];
  /** By FilePages id; filled by the page cache. */
  private readonly files: (FilePages | null)[];

  constructor(allocator: FrameAllocator, anonVmaSlots: KmemCache, chainSlots: KmemCache, files: (FilePages | null)[]) {
    this.allocator = allocator;
    this.frames = allocator.frames;
    this.large = new LargeRmap(allocator);
    this.anonVmaSlots = anonVmaSlots;
    this.chainSlots = chainSlots;
    this.files = files;
  }

  setEditor(editor: PageTableEditor): void {
    this.editorOrNull = editor;
  }

  /** Who knows the VMAs beside a VMA; without it every VMA prepares an AnonVma of its own. */
  setNeighbourFinder(finder: NeighbourFinder): void {
    this.neighboursOf = finder;
  }

  setKsmReverse(reverse: KsmReverse): void {
    this.ksm = reverse;
  }

  get editor(): PageTableEditor {
    return this.editorOrNull ?? panic('mm/rmap/rmap.ts: setEditor is called before memory is mapped');
  }

  // AnonVmas of a VMA.

  /**
   * Gives the VMA an AnonVma if it has none: a neighbour's where the two could merge later, else a new root
   * (__anon_vma_prepare). 0 or -ENOMEM.
   */
  anonVmaPrepare(vma: RmapVma): number {
    if (vma.anonVma !== null) return 0;
    const slot = this.chainSlots.alloc();
    if (slot === 0) return -ENOMEM;
    let anonVma = this.findMergeableAnonVma(vma);
    if (anonVma === null) {
      anonVma = this.makeAnonVma();
      if (anonVma === null) {
        this.chainSlots.free(slot);
        return -ENOMEM;
      }
      anonVma.numChildren++; // a root is its own parent
    }
    vma.anonVma = anonVma;
    this.linkChain(vma, anonVma, slot);
    anonVma.numActiveVmas++;
    return 0;
  }

  /**
   * Puts dst (new, with no chain) into every tree that src is in (anon_vma_clone): split, mremap, merge of an empty VMA. With
   * dst.anonVma null, an AnonVma that lost its VMA and has at most one child is reused for it, so that a chain of forks
   * does not grow for ever. 0, or -ENOMEM and dst has no chain.
   */
  anonVmaClone(dst: RmapVma, src: RmapVma): number {
    for (const chain of src.anonVmaChain) {
      const slot = this.chainSlots.alloc();
      if (slot === 0) {
        dst.anonVma = null; // it was not counted yet
        this.unlinkAnonVmas(dst);
        return -ENOMEM;
      }
      const { anonVma } = chain;
      this.linkChain(dst, anonVma, slot);
      if (dst.anonVma === null && src.anonVma !== null && anonVma.numChildren < 2 && anonVma.numActiveVmas === 0)
        dst.anonVma = anonVma;
    }
    if (dst.anonVma !== null) dst.anonVma.numActiveVmas++;
    return 0;
  }

  /** The child's copy of a VMA: all of the parent's trees, and an AnonVma of its own below (anon_vma_fork). 0 or -ENOMEM. */
  anonVmaFork(child: RmapVma, parent: RmapVma): number {
    if (parent.anonVma === null) return 0;
    child.anonVma = null;
    if (this.anonVmaClone(child, parent) !== 0) return -ENOMEM;
    if (child.anonVma !== null) return 0; // reused
    const anonVma = this.makeAnonVma();
    const slot = anonVma === null ? 0 : this.chainSlots.alloc();
    if (anonVma === null || slot === 0) {
      if (anonVma !== null) this.putAnonVma(anonVma);
      this.unlinkAnonVmas(child);
      return -ENOMEM;
    }
    anonVma.numActiveVmas++;
    anonVma.root = parent.anonVma.root;
    anonVma.parent = parent.anonVma;
    anonVma.root.refcount++;
    child.anonVma = anonVma;
    this.linkChain(child, anonVma, slot);
    anonVma.parent.numChildren++;
    return 0;
  }

  /** The VMA goes, or has lost all its anonymous pages for good (unlink_anon_vmas). Its pages are unmapped already. */
  unlinkAnonVmas(vma: RmapVma): void {
    const chains = vma.anonVmaChain;
    for (const chain of chains) {
      if (chain.node === null) panic('mm/rmap/rmap.ts: a VMA is not unlinked while it is resized');
      chain.anonVma.tree.remove(chain.node);
      if (chain.anonVma.tree.isEmpty) chain.anonVma.parent.numChildren--;
    }
    if (vma.anonVma !== null) {
      vma.anonVma.numActiveVmas--;
      vma.anonVma = null;
    }
    for (const chain of chains) {
      if (chain.anonVma.tree.isEmpty) this.putAnonVma(chain.anonVma);
      this.chainSlots.free(chain.slot);
    }
    if (chains.length > 0) chains.length = 0;
  }

  /** A neighbour's AnonVma, if the two VMAs would be one but for their rights (find_mergeable_anon_vma, mm/vma.c). */
  findMergeableAnonVma(vma: RmapVma): AnonVma | null {
    if (this.neighboursOf === null) return null;
    const next = this.neighboursOf.nextVma(vma);
    if (next !== null && isCompatible(vma, next) && isReusable(next)) return next.anonVma;
    const prev = this.neighboursOf.prevVma(vma);
    if (prev !== null && isCompatible(prev, vma) && isReusable(prev)) return prev.anonVma;
    return null;
  }

  // File VMAs.

  /** Enters a VMA of a file into i_mmap (vma_link_file). */
  linkFileVma(vma: RmapVma): void {
    const pages = vma.file?.pages ?? null;
    if (pages === null) return;
    assert(vma.sharedNode === null, 'mm/rmap/rmap.ts: a VMA is linked once');
    vma.sharedNode = pages.i_mmap.insert(vma.pgoff, lastIndexOf(vma), vma);
  }

  unlinkFileVma(vma: RmapVma): void {
    const pages = vma.file?.pages ?? null;
    if (vma.sharedNode === null || pages === null) return;
    pages.i_mmap.remove(vma.sharedNode);
    vma.sharedNode = null;
  }

  /** Takes the VMA out of all trees that are ordered by its bounds; nothing may look for pages until afterVmaResize. */
  beforeVmaResize(vma: RmapVma): void {
    for (const chain of vma.anonVmaChain) {
      if (chain.node !== null) chain.anonVma.tree.remove(chain.node);
      chain.node = null;
    }
    this.unlinkFileVma(vma);
  }

  afterVmaResize(vma: RmapVma): void {
    for (const chain of vma.anonVmaChain) chain.node = chain.anonVma.tree.insert(vma.pgoff, lastIndexOf(vma), chain);
    if (vma.sharedNode === null) this.linkFileVma(vma);
  }

  // Entries that come and go. None touches refcount: the caller hands over or drops the entry's reference.

  /** The first entry of a new anonymous frame (folio_add_new_anon_rmap, folio_add_lru_vma). The VMA has its AnonVma. */
  addNewAnonRmap(frame: Pfn, vma: RmapVma, page: Vpn): void {
    const { frames } = this;
    if (vma.anonVma === null) panic('mm/rmap/rmap.ts: anonVmaPrepare comes before the first anonymous page');
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
    this.allocator.splitCompound(head);
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

  /** get_anon_vma: it lives until dropAnonVma, though its VMAs go. Its id. */
  holdAnonVma(anonVma: AnonVma): number {
    anonVma.held++;
    anonVma.refcount++;
    return anonVma.id;
  }

  dropAnonVma(id: number): void {
    const anonVma = this.anonVmas[id] ?? panic('mm/rmap/rmap.ts: A4 what is held lives');
    anonVma.held--;
    this.putAnonVma(anonVma);
  }

  // Walks.

  anonVmaById(id: number): AnonVma | null {
    return this.anonVmas[id] ?? null;
  }

  /** AnonVmas that live. */
  get anonVmaCount(): number {
    return this.anonVmas.length - 1 - this.freeIds.length;
  }

  /**
   * Calls `visit` for each VMA that may map the frame, with the page at which it would (rmap_walk); stops and returns false
   * when `visit` does. The entry may be absent or map another frame: look with editor.frameAt. `visit` must not change VMAs.
   */
  forEachCandidate(frame: Pfn, visit: (vma: RmapVma, page: Vpn) => boolean): boolean {
    const { frames } = this;
    if ((frames.flags[frame] & PG_ksm) !== 0) return this.ksm?.forEachCandidate(frames.owner[frame], visit) ?? true;
    const index = frames.index[frame];
    return this.forEachOverlap(frame, 1, (vma) => visit(vma, pageAt(vma, index)));
  }

  /** Each VMA that may map some of the `count` pages that the page holds. */
  private forEachOverlap(page: Pfn, count: number, visit: (vma: RmapVma) => boolean): boolean {
    const { frames } = this;
    const index = frames.index[page];
    const owner = frames.owner[page];
    if ((frames.flags[page] & PG_anon) !== 0) {
      const anonVma = this.anonVmas[owner];
      if (anonVma === null || anonVma === undefined) return true;
      return anonVma.tree.forEachOverlap(index, index + count - 1, ({ vma }) => visit(vma));
    }
    if ((frames.flags[page] & PG_pagecache) === 0) return true;
    const file = this.files[owner];
    if (file === null || file === undefined) return true;
    return file.i_mmap.forEachOverlap(index, index + count - 1, visit);
  }

  /**
   * Each entry that maps any part of a compound page, which this is the head of: a huge leaf once, at its first page. Stops and
   * returns false when `visit` does.
   */
  private forEachPart(head: Pfn, visit: (vma: RmapVma, page: Vpn) => boolean): boolean {
    const { frames, editor } = this;
    let left = frames.largeMapcount[head];
    if (left === 0) return true;
    const count = frames.pagesOf(head);
    const first = frames.index[head];
    return this.forEachOverlap(head, count, (vma) => {
      const last = Math.min(first + count - 1, lastIndexOf(vma));
      for (let index = Math.max(first, vma.pgoff); left > 0 && index <= last; ) {
        const page = pageAt(vma, index);
        if (editor.frameAt(vma, page) !== head + (index - first)) {
          index++;
          continue;
        }
        index += editor.isHugeAt(vma, page) ? count : 1;
        left--;
        if (!visit(vma, page)) return false;
      }
      return left > 0;
    });
  }

  /** Does more than one space map some of the page (folio_maybe_mapped_shared)? */
  isMappedShared(page: Pfn): boolean {
    const { frames } = this;
    const mappings = frames.mappingsOfPage(page);
    if (mappings <= 1 || !frames.isLarge(page)) return mappings > 1;
    const spaces = new Set<unknown>();
    this.forEachOverlap(page, frames.pagesOf(page), ({ space }) => spaces.add(space).size < 2);
    if (spaces.size < 2) return false;
    spaces.clear();
    this.forEachPart(page, ({ space }) => spaces.add(space).size < 2);
    return spaces.size > 1;
  }

  /**
   * Calls `visit` for each page-table entry that maps the frame, or any part of the compound page that it is the head of
   * (page_vma_mapped_walk); stops after as many as there are.
   */
  forEachMapping(frame: Pfn, visit: (vma: RmapVma, page: Vpn) => void): void {
    if ((this.frames.flags[frame] & (PG_head | PG_hugetlb)) === PG_head) {
      this.forEachPart(frame, (vma, page) => {
        visit(vma, page);
        return true;
      });
      return;
    }
    let left = this.frames.mapcount[frame];
    if (left === 0) return;
    const { editor } = this;
    this.forEachCandidate(frame, (vma, page) => {
      if (editor.frameAt(vma, page) !== frame) return true;
      visit(vma, page);
      return --left > 0;
    });
  }

  /** Removes all entries that map the frame (try_to_unmap); true if none is left. The caller holds a reference. */
  tryToUnmap(frame: Pfn): boolean {
    const { editor } = this;
    this.forEachMapping(frame, (vma, page) => editor.unmapPage(vma, page));
    return this.frames.mappingsOfPage(frame) === 0;
  }

  /** Clears WRITE and DIRTY in all entries of a file frame (folio_mkclean); how many were dirty. */
  makeClean(frame: Pfn): number {
    const { editorOrNull } = this;
    if (editorOrNull === null) return 0;
    let dirty = 0;
    this.forEachMapping(frame, (vma, page) => {
      if (editorOrNull.cleanPage(vma, page)) dirty++;
    });
    return dirty;
  }

  /** Drops the entries of all VMAs for file pages [startIndex, endIndex) (unmap_mapping_pages). */
  unmapFileRange(file: FilePages, startIndex: number, endIndex: number, what: 'even_cows' | 'pagecache'): void {
    if (file.i_mmap.isEmpty || startIndex >= endIndex) return;
    const { editor } = this;
    for (const vma of file.i_mmap.collectOverlaps(startIndex, endIndex - 1)) {
      const first = Math.max(startIndex, vma.pgoff);
      const end = Math.min(endIndex, lastIndexOf(vma) + 1);
      editor.zapRange(vma, pageAt(vma, first), pageAt(vma, end), what);
    }
  }

  /** What is broken of A1 to A4 and the trees, or null. Walks everything; VMAs are checked by mm/invariants.ts. */
  findBroken(): string | null {
    const children = new Map<AnonVma, number>();
    const below = new Map<AnonVma, number>();
    const active = new Map<AnonVma, Set<RmapVma>>();
    let broken: string | null = null;
    for (const anonVma of this.anonVmas) {
      if (anonVma === null) continue;
      broken ??= anonVma.tree.findBroken();
      if (!anonVma.tree.isEmpty) children.set(anonVma.parent, (children.get(anonVma.parent) ?? 0) + 1);
      if (anonVma.root !== anonVma) below.set(anonVma.root, (below.get(anonVma.root) ?? 0) + 1);
      anonVma.tree.forEachOverlap(0, Number.MAX_SAFE_INTEGER, (chain) => {
        const { vma, node } = chain;
        if (chain.anonVma !== anonVma || !vma.anonVmaChain.includes(chain)) broken ??= 'A1: a chain in the wrong tree';
        if (node === null || node.start !== vma.pgoff || node.last !== lastIndexOf(vma)) broken ??= 'A1: stale bounds';
        if (vma.anonVma === anonVma) active.set(anonVma, (active.get(anonVma) ?? new Set()).add(vma));
        return true;
      });
    }
    for (const anonVma of this.anonVmas) {
      if (anonVma === null) continue;
      const own = anonVma.tree.isEmpty ? 0 : 1;
      if (anonVma.numChildren !== (children.get(anonVma) ?? 0)) broken ??= 'A2: numChildren';
      if (anonVma.numActiveVmas !== (active.get(anonVma)?.size ?? 0)) broken ??= 'A3: numActiveVmas';
      if (anonVma.refcount !== own + anonVma.held + (below.get(anonVma) ?? 0)) broken ??= 'A4: refcount';
    }
    return broken;
  }

  private makeAnonVma(): AnonVma | null {
    const slot = this.anonVmaSlots.alloc();
    if (slot === 0) return null;
    const id = this.freeIds.pop() ?? this.anonVmas.length;
    const anonVma = new AnonVma(id, slot);
    this.anonVmas[id] = anonVma;
    return anonVma;
  }

  /** put_anon_vma: the last reference frees it, and lets go of its root. */
  private putAnonVma(anonVma: AnonVma): void {
    if (--anonVma.refcount > 0) return;
    this.anonVmas[anonVma.id] = null;
    this.freeIds.push(anonVma.id);
    this.anonVmaSlots.free(anonVma.slot);
    if (anonVma.root !== anonVma) this.putAnonVma(anonVma.root);
  }

  private linkChain(vma: RmapVma, anonVma: AnonVma, slot: number): void {
    const chain = new AnonVmaChain(vma, anonVma, slot);
    vma.anonVmaChain.push(chain);
    chain.node = anonVma.tree.insert(vma.pgoff, lastIndexOf(vma), chain);
  }
}

/** The VMAs directly before and after a VMA in its space, or null. */
export interface NeighbourFinder {
  prevVma(vma: RmapVma): RmapVma | null;
  nextVma(vma: RmapVma): RmapVma | null;
}

/** Page index of the VMA's last page (vma_last_pgoff). */
export function lastIndexOf(vma: RmapVma): number {
  return vma.pgoff + (vma.endVpn - vma.startVpn) - 1;
}

/** The page of the VMA at a page index (vma_address). */
export function pageAt(vma: RmapVma, index: number): Vpn {
  return (vma.startVpn + (index - vma.pgoff)) as Vpn;
}

/** anon_vma_compatible: a before b, mergeable but for rights. */
function isCompatible(a: RmapVma, b: RmapVma): boolean {
  return (
    a.endVpn === b.startVpn &&
    a.file === b.file &&
    samePolicy(a.policy, b.policy) &&
    ((a.flags ^ b.flags) & ~VM_MAY_DIFFER) === 0 &&
    b.pgoff === a.pgoff + (b.startVpn - a.startVpn)
  );
}

/** reusable_anon_vma: only a VMA that has not been forked (its chain is one long) shares its AnonVma. */
function isReusable(vma: RmapVma): boolean {
  return vma.anonVma !== null && vma.anonVmaChain.length === 1;
}
