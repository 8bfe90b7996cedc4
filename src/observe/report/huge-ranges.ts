import {
  EV_COW_COPY,
  EV_EXIT_MMAP,
  EV_PAGE_FAULT,
  EV_PAGE_MAP,
  EV_PAGE_MOVE,
  EV_PAGE_UNMAP,
  EV_SWAP_UNMAP,
  EV_THP_SPLIT_PMD,
} from '../../base/event-kinds.ts';
import type { EventRecord } from '../../base/events.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { ACCESS_EXEC, ACCESS_READ, ACCESS_WRITE, type Access } from '../../machine/mmu.ts';
import { PAGE_SIZE, type Pfn, type Vpn } from '../../machine/units.ts';
import {
  type AddressSpace,
  KIND_ANON_READ_ZERO,
  KIND_ANON_ZERO,
  MM_ANONPAGES,
  MM_SHMEMPAGES,
} from '../../mm/address-space.ts';
import type { Vma } from '../../mm/vma.ts';
import type { AttributedRun } from '../attribution/attributed-run.ts';
import { HugeRange, noSums, RANGE_PAGES, type RangeSums } from './huge-range.ts';
import { HugeTlbs } from './huge-tlbs.ts';

/** A mapping of a process, with its ranges. Bytes. */
export interface HugeMapping extends RangeSums {
  /** mm_id, and number of MappingNames. */
  readonly space: number;
  readonly mapping: number;
  residentBytes: number;
  hugeBytes: number;
  /** At the moment at which most was resident. */
  peakBytes: number;
  peakHugeBytes: number;
}

/** All processes together, in bytes. */
export interface HugeSample {
  readonly timeNs: number;
  readonly anonBytes: number;
  readonly hugeBytes: number;
  readonly shmemHugeBytes: number;
}

/** Samples that are kept: about so many. */
const SAMPLES = 256;
/** More ranges than an address space has. */
const RANGES = 2 ** 37;

/**
 * What each aligned range of 2 MiB of each address space was made of, page by page. Listens from the start of a run to its events and,
 * where `listens` says so, to all of its references, while an AttributedRun does, which must have been made before.
 */
export class HugeRanges {
  readonly mappings = new Map<string, HugeMapping>();
  readonly samples: HugeSample[] = [];
  readonly tlbs = new HugeTlbs();
  /** False: the reclaim policy of the run listens to the references itself, so that nothing is known of what was touched. */
  readonly listens: boolean;
  anonBytes = 0;
  hugeBytes = 0;
  shmemHugeBytes = 0;
  peakHugeBytes = 0;
  private readonly kernel: Kernel;
  private readonly run: AttributedRun;
  private readonly ranges = new Map<number, HugeRange>();
  private swapped = { space: 0, address: 0 };
  private lastSpace: AddressSpace | null = null;
  private lastByAsid: AddressSpace | null = null;
  /** The last reference to code, and to data, since something has changed. */
  private readonly last = { code: { at: -1, asid: -1, access: 0 }, data: { at: -1, asid: -1, access: 0 } };
  private sampledNs = 0;
  private everyNs = 0;
  private readonly end: () => void;

  constructor(kernel: Kernel, run: AttributedRun) {
    this.kernel = kernel;
    this.run = run;
    const { mm, events } = kernel;
    this.listens = !mm.reclaimer.wantsReferences;
    if (this.listens)
      mm.mmu.setReferenceStream({ referenced: (asid, at, frame, access) => this.referenced(asid, at, frame, access) });
    const handlers: [number, (event: EventRecord) => void][] = [
      [EV_PAGE_MAP, (event) => this.mapped(event)],
      [EV_SWAP_UNMAP, ({ values: [space, address] }) => void (this.swapped = { space, address })],
      [EV_PAGE_UNMAP, (event) => this.unmapped(event)],
      [EV_THP_SPLIT_PMD, (event) => this.split(event)],
      [EV_PAGE_MOVE, ({ values: [space, from, to, count] }) => this.moved(space, from, to, count)],
      [EV_PAGE_FAULT, (event) => this.fault(event)],
      [EV_COW_COPY, ({ values: [space, address, old] }) => this.copied(space, address, old)],
      [EV_EXIT_MMAP, (event) => this.spaceEnds(event)],
    ];
    const endings = handlers.map(([kind, handle]) =>
      events.subscribe([kind], (event) => {
        this.last.code.at = -1;
        this.last.data.at = -1;
        handle(event);
      }),
    );
    this.end = () => {
      for (const each of endings) each();
      if (this.listens) mm.mmu.setReferenceStream(null);
    };
  }

  /** What is there still counts as it is. */
  close(): void {
    this.end();
    for (const key of this.ranges.keys()) this.lookLater(key);
    for (const [key, range] of this.ranges) range.end(this.mappingOf(Math.floor(key / RANGES), range.mapping));
    this.ranges.clear();
    this.sample(this.kernel.clock.nowNs);
  }

  private referenced(asid: number, at: Vpn, _frame: Pfn, access: Access): void {
    // The same again, as mostly: nothing is new.
    const { last } = this;
    const before = access === ACCESS_EXEC ? last.code : last.data;
    if (before.at === at && before.asid === asid && before.access === access) {
      this.tlbs.references++;
      return;
    }
    before.at = at;
    before.asid = asid;
    before.access = access;
    const space = this.spaceOfAsid(asid);
    if (space === null) return;
    const range = this.ranges.get(space.id * RANGES + Math.floor(at / RANGE_PAGES));
    range?.touch(at % RANGE_PAGES, access === ACCESS_WRITE ? 'write' : 'read');
    const kind = access === ACCESS_EXEC ? 'fetch' : access === ACCESS_READ ? 'load' : 'store';
    this.tlbs.reference(kind, space.id & 0x7fff, at, {
      huge: range?.isHuge === true || range?.isZero === true,
      could: range?.could === true,
    });
  }

  private mapped({ timeNs, values: [spaceId, address, , count, member] }: EventRecord): void {
    const space = this.spaceOf(spaceId);
    if (space === null) return;
    const page = address / PAGE_SIZE;
    if (member === MM_SHMEMPAGES && count === RANGE_PAGES && this.isLeafToBe(space, page))
      this.count(timeNs, { shmemHuge: count });
    if (member !== MM_ANONPAGES) return;
    const isHuge = count === RANGE_PAGES && page % RANGE_PAGES === 0;
    for (let each = page; each < page + count; each += isHuge ? RANGE_PAGES : 1) {
      const range = this.rangeAt(space, each);
      const mapping = this.mappingOf(spaceId, range.mapping);
      // Pages of a collapse go at the very moment at which the huge one comes.
      const isCollapse = isHuge && range.goneNs === timeNs;
      if (range.pages === 0 && !isCollapse) {
        if (range.goneNs >= 0) range.end(mapping);
        if (range.isFresh) this.begin(space, each, range);
      }
      if (isHuge) range.pages += RANGE_PAGES;
      else if (range.swapped > 0) range.swapped--;
      else range.pages++;
      if (isHuge) range.becomeHuge(mapping, isCollapse ? 'collapse' : this.isOwn(space) ? 'fault' : 'fork');
      mapping.residentBytes += isHuge ? RANGE_PAGES * PAGE_SIZE : PAGE_SIZE;
      if (isHuge) mapping.hugeBytes += RANGE_PAGES * PAGE_SIZE;
      if (mapping.residentBytes > mapping.peakBytes) {
        mapping.peakBytes = mapping.residentBytes;
        mapping.peakHugeBytes = mapping.hugeBytes;
      }
    }
    this.count(timeNs, { anon: count, huge: isHuge ? count : 0 });
  }

  private unmapped({ timeNs, values: [spaceId, address, , count, member] }: EventRecord): void {
    const isSwapped = this.swapped.space === spaceId && this.swapped.address === address;
    this.swapped.space = 0;
    const page = address / PAGE_SIZE;
    if (member === MM_SHMEMPAGES && count === RANGE_PAGES) {
      const space = this.spaceOf(spaceId);
      if (space !== null && this.isLeafToBe(space, page)) this.count(timeNs, { shmemHuge: -count });
    }
    if (member !== MM_ANONPAGES) return;
    for (let each = page; each < page + count; each++) {
      const range = this.ranges.get(spaceId * RANGES + Math.floor(each / RANGE_PAGES));
      if (range === undefined) continue;
      const mapping = this.mappingOf(spaceId, range.mapping);
      mapping.residentBytes -= PAGE_SIZE;
      // A huge leaf goes whole.
      if (range.isHuge) this.dropHuge(range, mapping, timeNs);
      if (isSwapped) range.swapped++;
      else range.lose(timeNs);
    }
    this.count(timeNs, { anon: -count });
  }

  private split({ timeNs, values: [spaceId, address] }: EventRecord): void {
    const range = this.ranges.get(spaceId * RANGES + Math.floor(address / PAGE_SIZE / RANGE_PAGES));
    if (range !== undefined) range.isZero = false;
    if (range?.isHuge === true) this.dropHuge(range, this.mappingOf(spaceId, range.mapping), timeNs);
  }

  private dropHuge(range: HugeRange, mapping: HugeMapping, timeNs: number): void {
    range.splitUp(mapping);
    mapping.hugeBytes -= RANGE_PAGES * PAGE_SIZE;
    this.count(timeNs, { huge: -RANGE_PAGES });
  }

  private moved(spaceId: number, fromAddress: number, toAddress: number, count: number): void {
    const space = this.spaceOf(spaceId);
    if (space === null) return;
    const [from, to] = [fromAddress / PAGE_SIZE, toAddress / PAGE_SIZE];
    const isWhole = count === RANGE_PAGES && from % RANGE_PAGES === 0 && to % RANGE_PAGES === 0;
    if (isWhole) {
      const key = spaceId * RANGES + from / RANGE_PAGES;
      const range = this.ranges.get(key);
      if (range === undefined) return;
      this.ranges.delete(key);
      this.ranges.set(spaceId * RANGES + to / RANGE_PAGES, range);
      return;
    }
    for (let each = 0; each < count; each++) {
      const source = this.ranges.get(spaceId * RANGES + Math.floor((from + each) / RANGE_PAGES));
      if (source === undefined || source.pages === 0) continue;
      source.lose(this.kernel.clock.nowNs);
      // What it was before is no first touch here.
      const target = this.rangeAt(space, to + each);
      target.pages++;
    }
  }

  private fault({ values: [, address, access, kind] }: EventRecord): void {
    if (kind !== KIND_ANON_ZERO && kind !== KIND_ANON_READ_ZERO) return;
    const space = this.kernel.mm.lastFaultSpace;
    if (space === null) return;
    const page = Math.floor(address / PAGE_SIZE);
    // The zero page is nobody's, so nothing was mapped.
    const range = kind === KIND_ANON_READ_ZERO ? this.rangeAt(space, page) : this.find(space.id, page);
    if (range === undefined) return;
    if (range.isFresh) this.begin(space, page, range);
    const isHuge = this.isHugeLeaf(space, page);
    range.isZero = isHuge && kind === KIND_ANON_READ_ZERO;
    range.fault(access === ACCESS_WRITE ? 'write' : 'read', isHuge ? 'huge' : 'small');
  }

  /** A store to a page of zeroes that was read before is a second fault of small pages. */
  private copied(spaceId: number, address: number, old: number): void {
    if (old === this.kernel.mm.zeroPage) this.find(spaceId, address / PAGE_SIZE)?.fault('write', 'small');
  }

  /** It is whole still. */
  private spaceEnds({ timeNs, values: [spaceId] }: EventRecord): void {
    for (const [key, range] of this.ranges) {
      if (Math.floor(key / RANGES) !== spaceId) continue;
      this.lookLater(key);
      const mapping = this.mappingOf(spaceId, range.mapping);
      if (range.isHuge) this.dropHuge(range, mapping, timeNs);
      range.end(mapping);
      this.ranges.delete(key);
    }
    this.lastSpace = null;
    this.lastByAsid = null;
  }

  private begin(space: AddressSpace, page: number, range: HugeRange): void {
    const vma = this.vmaAt(space, page);
    range.isFresh = false;
    range.goneNs = -1;
    range.could = vma !== null && this.isOwn(space) && this.couldBeHuge(vma, page);
  }

  /** It works for itself, and is not being made by fork. */
  private isOwn(space: AddressSpace): boolean {
    return this.kernel.tasks.get(this.kernel.events.currentPid)?.space === space;
  }

  private couldBeHuge(vma: Vma, page: number): boolean {
    const { thp } = this.kernel.mm;
    return thp.isAllowed(vma, 'collapse') && thp.fits(vma, page as Vpn);
  }

  private lookLater(key: number): void {
    const range = this.ranges.get(key) as HugeRange;
    const space = this.spaceOf(Math.floor(key / RANGES));
    const first = (key % RANGES) * RANGE_PAGES;
    const vma = space === null ? null : (this.vmaAt(space, first) ?? null);
    range.later = range.pages > 0 && vma !== null && this.couldBeHuge(vma, first);
  }

  private vmaAt(space: AddressSpace, page: number): Vma | null {
    const vma = space.vmas.find(page as Vpn);
    return vma === null || vma.startVpn > page ? null : vma;
  }

  private find(spaceId: number, page: number): HugeRange | undefined {
    return this.ranges.get(spaceId * RANGES + Math.floor(page / RANGE_PAGES));
  }

  private rangeAt(space: AddressSpace, page: number): HugeRange {
    const key = space.id * RANGES + Math.floor(page / RANGE_PAGES);
    let range = this.ranges.get(key);
    if (range === undefined) {
      range = new HugeRange(this.run.attribution.mappings.at(space, page * PAGE_SIZE));
      this.ranges.set(key, range);
    } else if (range.pages === 0 && !range.isHuge)
      range.mapping = this.run.attribution.mappings.at(space, page * PAGE_SIZE);
    return range;
  }

  private mappingOf(space: number, mapping: number): HugeMapping {
    const key = `${space} ${mapping}`;
    let found = this.mappings.get(key);
    if (found === undefined) {
      found = { space, mapping, residentBytes: 0, hugeBytes: 0, peakBytes: 0, peakHugeBytes: 0, ...noSums() };
      this.mappings.set(key, found);
    }
    return found;
  }

  private isHugeLeaf(space: AddressSpace, page: number): boolean {
    const { pageTables, thp } = this.kernel.mm;
    const slot = pageTables.findAt(space, page as Vpn, thp.level);
    return slot !== -1 && pageTables.isHugeEntry(pageTables.read(slot));
  }

  /** No table of small pages is there: the leaf is huge. */
  private isLeafToBe(space: AddressSpace, page: number): boolean {
    const { pageTables, thp } = this.kernel.mm;
    const slot = pageTables.findAt(space, page as Vpn, thp.level);
    return slot !== -1 && !pageTables.isTable(pageTables.read(slot));
  }

  private count(timeNs: number, pages: { anon?: number; huge?: number; shmemHuge?: number }): void {
    if (timeNs - this.sampledNs >= this.everyNs) this.sample(timeNs);
    this.anonBytes += (pages.anon ?? 0) * PAGE_SIZE;
    this.hugeBytes += (pages.huge ?? 0) * PAGE_SIZE;
    this.shmemHugeBytes += (pages.shmemHuge ?? 0) * PAGE_SIZE;
    this.peakHugeBytes = Math.max(this.peakHugeBytes, this.hugeBytes);
  }

  /** What it is until now; with too many samples every second one goes. */
  private sample(timeNs: number): void {
    const { samples, anonBytes, hugeBytes, shmemHugeBytes } = this;
    samples.push({ timeNs, anonBytes, hugeBytes, shmemHugeBytes });
    this.sampledNs = timeNs;
    if (samples.length < SAMPLES) return;
    const kept = samples.filter((_, at) => at % 2 === 1);
    samples.splice(0, samples.length, ...kept);
    this.everyNs = Math.max(2 * this.everyNs, timeNs / SAMPLES);
  }

  private spaceOf(id: number): AddressSpace | null {
    if (this.lastSpace?.id !== id) this.lastSpace = [...this.kernel.mm.spaces].find((space) => space.id === id) ?? null;
    return this.lastSpace;
  }

  private spaceOfAsid(asid: number): AddressSpace | null {
    if (this.lastByAsid?.asidIfAny !== asid)
      this.lastByAsid = [...this.kernel.mm.spaces].find((space) => space.asidIfAny === asid) ?? null;
    return this.lastByAsid;
  }
}
