import { assert } from '../base/assert.ts';
import { EV_PT_ALLOC, EV_PT_FREE } from '../base/event-kinds.ts';
import { PAGE_SIZE, type Pfn, type Vpn } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import { LeafMemory } from './leaf-memory.ts';
import type { MemoryManager } from './memory-manager.ts';
import { PageTableEntries } from './page-table-entry.ts';
import { NO_FRAME } from './phys/frame-table.ts';
import { GFP_PGTABLE_USER } from './phys/gfp.ts';
import { PG_table } from './phys/page-flags.ts';

/** What PageTables.foundLevel says of a leaf of the leaf table. */
const LEVEL_PTE = 0;

/**
 * Page tables: real entries in RAM frames (D1), for every format that PagingFormat can describe. The only writer of entries
 * besides the MMU's Accessed and Dirty bits; what an entry says: page-table-entry.ts. A `slot` is the index in Ram.u32 of an entry's
 * low word; slots and entries are plain numbers, nothing is allocated on the way. Only a swap entry has anything in its high word.
 *
 * Invariants (checked by invariants.ts):
 *  P1 A table frame has PG_table, one reference, and exactly one parent entry (the root: its AddressSpace).
 *  P2 A table lies under a range that some VMA of the space touches or touched since the range was last unmapped whole
 *     (free_pgtables): tables of unmapped ranges are given back.
 *  P3 A leaf entry, huge ones with all that they map, lies inside a VMA, and WRITE is set only where the VMA has VM_WRITE and, in a private VMA, only on an
 *     anonymous frame that is PG_anon_exclusive.
 *  P4 A marker lies inside a VMA and has at least one MARKER_* bit. A swap entry lies inside a private VMA (swap/README.md W1).
 *  P5 An entry that userfaultfd marked (SOFT1, MARKER_UFFD_WP) is protected only while its VMA has VM_UFFD_WP. The mark stays where
 *     a registration without WP replaces one with it; a store then makes it WRITE, so the two do not exclude each other.
 *  P6 A table that is put by belongs to a huge leaf of a transparent huge page, is empty, and counts as that space's.
 *  P7 A leaf table that is remembered (LeafMemory) is the one that a walk from its root comes to.
 */
export class PageTables extends PageTableEntries {
  /** Results of `seek`; of a huge leaf the first page that it maps, which may lie before the page that was asked for. */
  foundVpn = 0 as Vpn;
  foundSlot = -1;
  /** Of the last seek or findEntry: the level of the slot, 0 for a leaf of 4 KiB. */
  foundLevel = LEVEL_PTE;
  /** Frames of tables now, roots included, machine-wide; and the most there ever were. */
  tableFrames = 0;
  peakFrames = 0;

  /** Huge leaves that map shared memory, which have no table put by. */
  fileLeaves = 0;
  /** Leaf tables put by for the day that a huge leaf is split, by the leaf's slot (pgtable_trans_huge_deposit). */
  private readonly deposits = new Map<number, Pfn>();
  private readonly mm: MemoryManager;
  private readonly u32: Uint32Array;
  private readonly ramBaseWords: number;
  private readonly entries: number;
  private readonly words: number;
  /** From an entry's low word to its high word: 0 where there is none. */
  private readonly highWord: number;
  /** Pages under one entry, by level; and their logarithm, at most 31: all of a page number below 2^31. */
  private readonly span: Float64Array;
  private readonly shift: Int32Array;
  private readonly leaves: LeafMemory;

  constructor(mm: MemoryManager) {
    super(mm.format, mm.access);
    this.mm = mm;
    this.u32 = mm.ram.u32;
    this.ramBaseWords = mm.ram.ramBase / 4;
    this.entries = 2 ** mm.format.bitsPerLevel;
    this.words = mm.format.entryBytes / 4;
    this.highWord = this.words - 1;
    this.span = Float64Array.from({ length: mm.format.levels + 1 }, (_, level) => this.entries ** level);
    this.shift = Int32Array.from(this.span, (_, level) => Math.min(31, mm.format.bitsPerLevel * level));
    this.leaves = new LeafMemory(mm.format.bitsPerLevel, this.words);
  }

  private tableBase(frame: Pfn): number {
    return this.ramBaseWords + frame * (PAGE_SIZE / 4);
  }

  private slotIn(frame: Pfn, level: number, page: number): number {
    // The hottest line of every walk: in integers where the page number is one of 31 bits (all of Sv39). `&` cuts a larger
    // number to its low bits, exactly.
    const above = page < 0x8000_0000 ? page >>> this.shift[level] : Math.floor(page / this.span[level]);
    return this.tableBase(frame) + (above & (this.entries - 1)) * this.words;
  }

  /** What of P7 does not hold, or null. */
  findBrokenMemory(): string | null {
    let broken: string | null = null;
    this.leaves.forEach((root, page, base) => {
      let frame = root;
      for (let level = this.format.levels - 1; level > 0; level--) {
        const entry = this.u32[this.slotIn(frame, level, page)];
        if (!this.isTable(entry)) {
          broken = 'P7: a table that is remembered is not there';
          return;
        }
        frame = this.format.frameOf(entry);
      }
      if (this.tableBase(frame) !== base) broken = 'P7: another table than the one that is remembered';
    });
    return broken;
  }

  /** Pages under one entry of the level. */
  spanOf(level: number): number {
    return this.span[level];
  }

  /** The slot of the page's entry in its leaf table, or -1 where that table is not there (a huge leaf may be). */
  findLeaf(space: AddressSpace, page: Vpn): number {
    const known = this.leaves.recall(space.rootFrame, page);
    return known !== -1 ? known : this.findAt(space, page, LEVEL_PTE);
  }

  /** The slot of the page's entry at `level`, or -1 where there is no table of that level. */
  findAt(space: AddressSpace, page: Vpn, level: number): number {
    let frame = space.rootFrame;
    for (let above = this.format.levels - 1; above > level; above--) {
      const entry = this.u32[this.slotIn(frame, above, page)];
      if ((entry & this.present) === 0 || this.format.isLeaf(entry)) return -1;
      frame = this.format.frameOf(entry);
    }
    return this.slotIn(frame, level, page);
  }

  /** The slot of the leaf entry that decides the page, a huge one too (foundLevel tells), or -1 where no table leads to one. */
  findEntry(space: AddressSpace, page: Vpn): number {
    const known = this.leaves.recall(space.rootFrame, page);
    if (known !== -1) {
      this.foundLevel = LEVEL_PTE;
      return known;
    }
    let frame = space.rootFrame;
    let level = this.format.levels - 1;
    for (; level > 0; level--) {
      const slot = this.slotIn(frame, level, page);
      const entry = this.u32[slot];
      if (this.isHugeEntry(entry)) {
        this.foundLevel = level;
        return slot;
      }
      if ((entry & this.present) === 0) return -1;
      frame = this.format.frameOf(entry);
    }
    this.foundLevel = LEVEL_PTE;
    this.leaves.remember(space.rootFrame, page, this.tableBase(frame));
    return this.slotIn(frame, 0, page);
  }

  /** The frame of the page under a huge leaf of `level`, or of a leaf of 4 KiB. */
  frameWithin(entry: number, level: number, page: Vpn): Pfn {
    return (this.format.frameOf(entry) + (page % this.span[level])) as Pfn;
  }

  /** The slot in the leaf table, with the tables on the way made where they lack; -1 when out of memory. */
  ensureLeaf(space: AddressSpace, page: Vpn): number {
    const known = this.leaves.recall(space.rootFrame, page);
    return known !== -1 ? known : this.ensureAt(space, page, LEVEL_PTE);
  }

  /** The slot at `level`, with the tables above made where they lack; -1 when out of memory. No huge leaf is in the way. */
  ensureAt(space: AddressSpace, page: Vpn, wanted: number): number {
    let frame = space.rootFrame;
    for (let level = this.format.levels - 1; level > wanted; level--) {
      const slot = this.slotIn(frame, level, page);
      const entry = this.u32[slot];
      if ((entry & this.present) !== 0) {
        assert(!this.format.isLeaf(entry), 'mm/page-table.ts: a table is made where no huge leaf is');
        frame = this.format.frameOf(entry);
        continue;
      }
      const table = this.allocTable();
      if (table === NO_FRAME) return -1;
      space.pgtablesBytes += PAGE_SIZE;
      this.u32[slot] = this.format.makeTable(table as Pfn);
      frame = table as Pfn;
    }
    if (wanted === LEVEL_PTE) this.leaves.remember(space.rootFrame, page, this.tableBase(frame));
    return this.slotIn(frame, wanted, page);
  }

  /** The first leaf entry of [from, end) that is not 0: sets foundVpn, foundSlot and foundLevel, or returns false. */
  seek(space: AddressSpace, from: Vpn, end: Vpn): boolean {
    const { u32, entries, words, highWord } = this;
    for (let page: number = from; this.seekTable(space, page as Vpn, end); ) {
      if (this.foundLevel > 0) return true;
      page = this.foundVpn;
      const inTable = Math.min(entries - (page & (entries - 1)), end - page);
      let slot = this.foundSlot;
      for (let i = 0; i < inTable; i++, slot += words) {
        if ((u32[slot] | u32[slot + highWord]) === 0) continue;
        this.foundVpn = (page + i) as Vpn;
        this.foundSlot = slot;
        return true;
      }
      page += inTable;
    }
    return false;
  }

  /** The first leaf table or huge leaf that [from, end) has a part in: sets what seek sets, for its first page there. */
  seekTable(space: AddressSpace, from: Vpn, end: Vpn): boolean {
    const { u32, leaves } = this;
    for (let page: number = from; page < end; ) {
      let slot = leaves.recall(space.rootFrame, page);
      let level = LEVEL_PTE;
      if (slot === -1) {
        let frame = space.rootFrame;
        level = this.format.levels - 1;
        slot = this.slotIn(frame, level, page);
        while (level > 0 && this.isTable(u32[slot])) {
          frame = this.format.frameOf(u32[slot]);
          slot = this.slotIn(frame, --level, page);
        }
        if (level === LEVEL_PTE) leaves.remember(space.rootFrame, page, this.tableBase(frame));
      }
      if (level > 0 && u32[slot] === 0) {
        page = this.skipEmpty(slot, level, page, end);
        continue;
      }
      this.foundVpn = (level === LEVEL_PTE ? page : page - (page % this.span[level])) as Vpn;
      this.foundSlot = slot;
      this.foundLevel = level;
      return true;
    }
    return false;
  }

  /** The frame of the table that a slot is in. */
  tableOf(slot: number): Pfn {
    return Math.floor((slot * 4 - this.mm.ram.ramBase) / PAGE_SIZE) as Pfn;
  }

  /** The first page behind the entries of 0 that begin with the page's at `slot`, in the same table: of a reservation, most of it. */
  private skipEmpty(slot: number, level: number, page: number, end: Vpn): number {
    const span = this.span[level];
    let next = page - (page % span);
    let left = this.entries - (Math.floor(page / span) & (this.entries - 1));
    for (let at = slot; left > 0 && next < end && this.u32[at] === 0; left--, at += this.words) next += span;
    return next;
  }

  /** The slot of the page `pages` after (before: negative) that of `slot`, in the same leaf table. */
  slotBeside(slot: number, pages: number): number {
    return slot + pages * this.words;
  }

  read(slot: number): number {
    const low = this.u32[slot];
    if ((low & this.present) !== 0 || this.highWord === 0) return low;
    const high = this.u32[slot + 1];
    return high === 0 ? low : low + high * 2 ** 32;
  }

  /** The one place that writes a leaf entry. The caller flushes the TLB where the old entry could be cached. */
  set(slot: number, entry: number): void {
    // First the high word, so that it does not matter where there is none.
    this.u32[slot + this.highWord] = entry < 2 ** 32 ? 0 : Math.floor(entry / 2 ** 32);
    this.u32[slot] = entry;
  }

  /**
   * Gives back the tables under [start, end) that no other mapping needs: those that lie wholly in [floor, ceiling), the
   * unmapped stretch around it (Linux: free_pgd_range). The leaf entries there are 0.
   */
  freeTables(space: AddressSpace, start: Vpn, end: Vpn, floor: Vpn, ceiling: Vpn): void {
    this.freeUnder(space, space.rootFrame, this.format.levels - 1, start, end, floor, ceiling);
  }

  private freeUnder(
    space: AddressSpace,
    table: Pfn,
    level: number,
    start: number,
    end: number,
    floor: number,
    ceiling: number,
  ): void {
    const span = this.span[level];
    const from = Math.floor(start / span) * span;
    // All of it is in this one table.
    let slot = this.slotIn(table, level, from);
    for (let base = from; base < end; base += span, slot += this.words) {
      const entry = this.u32[slot];
      if ((entry & this.present) === 0) continue;
      assert(!this.format.isLeaf(entry), 'mm/page-table.ts: P2 tables go after the leaves in them');
      const child = this.format.frameOf(entry);
      const last = base + span;
      if (level > 1)
        this.freeUnder(space, child, level - 1, Math.max(base, start), Math.min(last, end), floor, ceiling);
      if (base < floor || last > ceiling) continue;
      this.u32[slot] = 0;
      this.freeTable(child);
      space.pgtablesBytes -= PAGE_SIZE;
    }
  }

  private allocTable(): Pfn | -1 {
    const frame = this.mm.alloc.allocFrame(GFP_PGTABLE_USER);
    if (frame === NO_FRAME) return NO_FRAME;
    this.mm.frames.set(frame as Pfn, PG_table);
    if (this.mm.events.enabled[EV_PT_ALLOC] !== 0) this.mm.events.emit(EV_PT_ALLOC, frame);
    this.mm.alloc.stat.nr_page_table_pages++;
    this.tableFrames++;
    if (this.tableFrames > this.peakFrames) this.peakFrames = this.tableFrames;
    return frame as Pfn;
  }

  private freeTable(frame: Pfn): void {
    this.leaves.forget();
    this.mm.frames.clear(frame, PG_table);
    if (this.mm.events.enabled[EV_PT_FREE] !== 0) this.mm.events.emit(EV_PT_FREE, frame);
    this.mm.alloc.stat.nr_page_table_pages--;
    this.tableFrames--;
    this.mm.alloc.putFrame(frame);
  }

  /** Is any transparent huge page mapped as a whole? */
  get hasHugeLeaves(): boolean {
    return this.deposits.size > 0 || this.fileLeaves > 0;
  }

  /** The only writer of a huge leaf of shared memory where none was, or of nothing (0) in its place. */
  setFileLeaf(slot: number, entry: number): void {
    this.fileLeaves += entry === 0 ? -1 : 1;
    this.set(slot, entry);
  }

  hasDeposit(slot: number): boolean {
    return this.deposits.has(slot);
  }

  /** Puts a new leaf table by for a huge leaf at the slot of level 1; false without memory. */
  deposit(space: AddressSpace, slot: number): boolean {
    const table = this.allocTable();
    if (table === NO_FRAME) return false;
    space.pgtablesBytes += PAGE_SIZE;
    this.deposits.set(slot, table as Pfn);
    return true;
  }

  /** The empty leaf table at the slot is put by: a huge leaf takes its place. */
  depositTableOf(slot: number): void {
    this.leaves.forget();
    this.deposits.set(slot, this.format.frameOf(this.u32[slot]));
    this.u32[slot] = 0;
  }

  /** The leaf table over `page`, if there is one and nothing in it, goes (pmdp_collapse_flush, pte_free_defer). */
  freeEmptyTable(space: AddressSpace, page: Vpn): void {
    const slot = this.findAt(space, page, 1);
    const entry = slot === -1 ? 0 : this.u32[slot];
    if (!this.isTable(entry)) return;
    const table = this.format.frameOf(entry);
    const base = this.tableBase(table);
    for (let i = 0; i < this.entries * this.words; i++) if (this.u32[base + i] !== 0) return;
    this.u32[slot] = 0;
    this.freeTable(table);
    space.pgtablesBytes -= PAGE_SIZE;
  }

  freeDeposit(space: AddressSpace, slot: number): void {
    const table = this.deposits.get(slot);
    assert(table !== undefined, 'mm/page-table.ts: P6 a huge leaf has a table put by');
    this.deposits.delete(slot);
    this.freeTable(table);
    space.pgtablesBytes -= PAGE_SIZE;
  }

  moveDeposit(from: number, to: number): void {
    const table = this.deposits.get(from);
    assert(table !== undefined, 'mm/page-table.ts: P6 a huge leaf has a table put by');
    this.deposits.delete(from);
    this.deposits.set(to, table);
  }

  /** The huge leaf at the slot gives way to its table, whose entries `entryOf` makes. */
  splitLeaf(slot: number, entryOf: (index: number) => number): void {
    const table = this.deposits.get(slot);
    assert(table !== undefined, 'mm/page-table.ts: P6 a huge leaf has a table put by');
    this.deposits.delete(slot);
    const base = this.tableBase(table);
    for (let i = 0; i < this.entries; i++) this.u32[base + i * this.words] = entryOf(i);
    this.u32[slot] = this.format.makeTable(table);
  }

  /** pgd_alloc: the frame or NO_FRAME. */
  createRoot(): Pfn | -1 {
    return this.allocTable();
  }

  freeRoot(space: AddressSpace): void {
    assert(space.pgtablesBytes === 0, 'mm/page-table.ts: P2 an empty space has no tables below its root');
    this.freeTable(space.rootFrame);
  }

  /** For invariants and viewers: calls `visit` for each table below the root with its level, and checks nothing. */
  forEachTable(space: AddressSpace, visit: (frame: Pfn, level: number, firstPage: number) => void): void {
    const walk = (table: Pfn, level: number, base: number): void => {
      if (level === 0) return;
      for (let i = 0; i < this.entries; i++) {
        const slot = this.tableBase(table) + i * this.words;
        const entry = this.u32[slot];
        const first = base + i * this.span[level];
        const putBy = this.deposits.get(slot);
        if (putBy !== undefined) visit(putBy, level - 1, first);
        if ((entry & this.present) === 0 || this.format.isLeaf(entry)) continue;
        const child = this.format.frameOf(entry);
        visit(child, level - 1, first);
        walk(child, level - 1, first);
      }
    };
    walk(space.rootFrame, this.format.levels - 1, 0);
  }
}
