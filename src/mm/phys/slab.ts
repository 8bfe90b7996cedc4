import { assert, panic } from '../../base/assert.ts';
import { EV_KMEM_CACHE_ALLOC, EV_KMEM_CACHE_FREE } from '../../base/event-kinds.ts';
import type { Ram } from '../../machine/ram.ts';
import { PAGE_SIZE, type Pfn, paddrOf } from '../../machine/units.ts';
import type { FrameAllocator } from './alloc.ts';
import { FrameList } from './frame-list.ts';
import { type FrameTable, NO_FRAME } from './frame-table.ts';
import { __GFP_ACCOUNT, __GFP_COMP, __GFP_NORETRY, __GFP_NOWARN, GFP_KERNEL } from './gfp.ts';
import { PG_slab } from './page-flags.ts';
import { SLAB_CACHES } from './slab-caches.ts';
import { calculateOrder, minPartialOf, objectsIn, orderOf, POINTER_BYTES, slotLayout } from './slab-layout.ts';

export interface SlabCacheOptions {
  readonly name: string;
  readonly objectBytes: number;
  readonly alignBytes?: number;
  /** Where a free object keeps the link to the next: inside it, or behind it (see slotLayout). Default 'inside'. */
  readonly link?: 'inside' | 'behind';
  /** SLAB_RECLAIM_ACCOUNT: counted in SReclaimable. */
  readonly reclaimable?: boolean;
  /** SLAB_ACCOUNT: its objects are charged to the memory cgroup of the task that makes them. */
  readonly accounted?: boolean;
}

/** One line of /proc/slabinfo; the tunables are 0 in SLUB. */
export interface SlabInfoRow {
  readonly name: string;
  readonly activeObjs: number;
  readonly numObjs: number;
  readonly objSize: number;
  readonly objPerSlab: number;
  readonly pagesPerSlab: number;
  readonly activeSlabs: number;
  readonly numSlabs: number;
}

/**
 * A cache of objects of one size in the manner of SLUB (mm/slub.c), for one CPU. A slab is a block of frames cut into slots;
 * the list of its free slots runs through the free slots themselves: each holds the physical address of the next (real bytes
 * in RAM, at linkOffset; 0 ends it), the head is FrameTable.index of the slab's first frame.
 *
 *     new slab --> partial <--- alloc takes the last free slot / free of one ---> full (on no list)
 *                     |
 *                     +---- last object freed: empty, given back if minPartial slabs were listed (__slab_free)
 *
 * Invariants (checked by phys/check.ts):
 *  S1 PG_slab frames' owner is a cache's id; private = objects in use; the free list holds the other slots, each once.
 *  S2 A slab is on `partial` exactly when it has a free slot.
 *  S3 slabCount, slotCount and activeCount are the sums over the cache's slabs.
 */
export class KmemCache {
  readonly id: number;
  readonly name: string;
  /** Bytes that an object may use (s->object_size). */
  readonly objectBytes: number;
  /** Bytes from slot to slot (s->size, <objsize> of slabinfo). */
  readonly sizeBytes: number;
  readonly linkOffset: number;
  readonly order: number;
  readonly minPartial: number;
  readonly reclaimable: boolean;
  readonly partial: FrameList;
  slabCount = 0;
  slotCount = 0;
  activeCount = 0;
  /** Who pays for a slot: id of a memory cgroup, never the root's, which pays for nothing (slabobj_ext). */
  readonly payers = new Map<number, number>();
  private readonly accounted: boolean;
  private readonly ram: Ram;
  private readonly frames: FrameTable;
  private readonly allocator: FrameAllocator;

  constructor(ram: Ram, allocator: FrameAllocator, id: number, options: SlabCacheOptions) {
    const layout = slotLayout(options.objectBytes, options.alignBytes ?? POINTER_BYTES, options.link ?? 'inside');
    this.ram = ram;
    this.allocator = allocator;
    this.frames = allocator.frames;
    this.id = id;
    this.name = options.name;
    this.objectBytes = options.objectBytes;
    this.sizeBytes = layout.sizeBytes;
    this.linkOffset = layout.linkOffset;
    this.order = calculateOrder(layout.sizeBytes);
    this.minPartial = minPartialOf(layout.sizeBytes);
    this.reclaimable = options.reclaimable === true;
    this.accounted = options.accounted === true;
    this.partial = new FrameList(allocator.frames);
  }

  /** The physical address of a free slot, now the caller's; 0 when there is no memory. Its bytes are arbitrary. */
  alloc(gfp: number = GFP_KERNEL): number {
    if (this.allocator.injector?.failsObject(gfp) === true) return 0;
    // Making a slab may reclaim, and that may free objects of this very cache: look at the list again afterwards.
    if (this.partial.head === NO_FRAME && !this.addSlab(gfp)) return 0;
    const slab = this.partial.head as Pfn;
    const { frames } = this;
    const slot = frames.index[slab];
    frames.index[slab] = this.readLink(slot);
    frames.private[slab]++;
    this.activeCount++;
    if (frames.index[slab] === 0) this.partial.remove(slab);
    const charger = this.accounted ? this.allocator.charges : null;
    if (charger === null || !charger.isCounting || charger.chargeObject(this, slot, gfp)) {
      if (this.allocator.events.enabled[EV_KMEM_CACHE_ALLOC] !== 0)
        this.allocator.events.emit(EV_KMEM_CACHE_ALLOC, slot, this.sizeBytes, gfp);
      return slot;
    }
    this.free(slot);
    return 0;
  }

  /** Gives a slot of this cache back. Anything else is our bug: KernelPanic. */
  free(slot: number): void {
    const { frames } = this;
    const slab = this.slabOf(slot);
    const first = frames.index[slab];
    assert(first !== slot && frames.private[slab] > 0, 'mm/phys/slab.ts: an object is freed once');
    if (this.allocator.events.enabled[EV_KMEM_CACHE_FREE] !== 0)
      this.allocator.events.emit(EV_KMEM_CACHE_FREE, slot, this.sizeBytes);
    if (this.payers.size > 0 && this.payers.has(slot)) this.allocator.charges?.unchargeObject(this, slot);
    const listed = this.partial.length;
    this.writeLink(slot, first);
    frames.index[slab] = slot;
    frames.private[slab]--;
    this.activeCount--;
    if (first === 0) this.partial.pushBack(slab);
    if (frames.private[slab] === 0 && listed >= this.minPartial) this.dropSlab(slab);
  }

  /** Gives every empty slab back (kmem_cache_shrink); returns frames freed. */
  shrink(): number {
    let freed = 0;
    for (let slab = this.partial.head; slab !== NO_FRAME; ) {
      const after = this.partial.after(slab as Pfn);
      if (this.frames.private[slab] === 0) {
        freed += 1 << this.slabOrder(slab as Pfn);
        this.dropSlab(slab as Pfn);
      }
      slab = after;
    }
    return freed;
  }

  info(): SlabInfoRow {
    return {
      name: this.name,
      activeObjs: this.activeCount,
      numObjs: this.slotCount,
      objSize: this.sizeBytes,
      objPerSlab: objectsIn(this.order, this.sizeBytes),
      pagesPerSlab: 1 << this.order,
      activeSlabs: this.slabCount,
      numSlabs: this.slabCount,
    };
  }

  /** Address of the free slot after `slot`, 0 at the end. */
  readLink(slot: number): number {
    return this.ram.u32[(this.ram.ramBase + slot + this.linkOffset) >>> 2];
  }

  private writeLink(slot: number, next: number): void {
    this.ram.u32[(this.ram.ramBase + slot + this.linkOffset) >>> 2] = next;
  }

  private slabOrder(slab: Pfn): number {
    return this.frames.order[slab];
  }

  /** A slab of the wanted order, of the least that holds an object when memory is short (allocate_slab). */
  private addSlab(gfp: number): boolean {
    const least = orderOf(this.sizeBytes);
    // The objects are charged, not the slab.
    const flags = gfp & ~__GFP_ACCOUNT;
    let order = this.order;
    let slab = this.allocator.allocFrames(
      order,
      flags | __GFP_COMP | (order > least ? __GFP_NORETRY | __GFP_NOWARN : 0),
    );
    if (slab === NO_FRAME && order > least) {
      order = least;
      slab = this.allocator.allocFrames(order, flags | __GFP_COMP);
    }
    if (slab === NO_FRAME) return this.partial.head !== NO_FRAME;
    const { frames } = this;
    const count = objectsIn(order, this.sizeBytes);
    const first = paddrOf(slab as Pfn);
    for (let i = 0; i < count; i++) {
      const slot = first + i * this.sizeBytes;
      this.writeLink(slot, i + 1 < count ? slot + this.sizeBytes : 0);
    }
    frames.flags[slab] |= PG_slab;
    frames.owner[slab] = this.id;
    frames.index[slab] = first;
    frames.private[slab] = 0;
    this.partial.pushFront(slab as Pfn);
    this.slabCount++;
    this.slotCount += count;
    this.countFrames(1 << order);
    return true;
  }

  private dropSlab(slab: Pfn): void {
    const { frames } = this;
    const order = this.slabOrder(slab);
    this.partial.remove(slab);
    frames.flags[slab] &= ~PG_slab;
    this.slabCount--;
    this.slotCount -= objectsIn(order, this.sizeBytes);
    this.countFrames(-(1 << order));
    this.allocator.putFrame(slab);
  }

  private countFrames(frames: number): void {
    const { stat } = this.allocator;
    if (this.reclaimable) stat.nr_slab_reclaimable += frames;
    else stat.nr_slab_unreclaimable += frames;
  }

  private slabOf(slot: number): Pfn {
    const { frames } = this;
    const slab = frames.headOf(Math.floor(slot / PAGE_SIZE) as Pfn);
    if ((frames.flags[slab] & PG_slab) === 0 || frames.owner[slab] !== this.id)
      panic(`mm/phys/slab.ts: an object is freed to its own cache (${this.name})`);
    assert((slot - paddrOf(slab)) % this.sizeBytes === 0, 'mm/phys/slab.ts: a slot begins at a multiple of its size');
    return slab;
  }
}

/** All caches of the machine. Those of slab-caches.ts exist from the start; an empty cache holds no frame. */
export class SlabAllocator {
  readonly caches: KmemCache[] = [];
  private readonly ram: Ram;
  private readonly allocator: FrameAllocator;
  private readonly kmalloc: KmemCache[];

  constructor(ram: Ram, allocator: FrameAllocator) {
    this.ram = ram;
    this.allocator = allocator;
    for (const row of SLAB_CACHES) this.createCache(row);
    this.kmalloc = this.caches
      .filter((cache) => /^kmalloc-\d+k?$/.test(cache.name))
      .sort((a, b) => a.objectBytes - b.objectBytes);
  }

  createCache(options: SlabCacheOptions): KmemCache {
    assert(this.find(options.name) === null, `mm/phys/slab.ts: one cache a name (${options.name})`);
    const cache = new KmemCache(this.ram, this.allocator, this.caches.length + 1, options);
    this.caches.push(cache);
    return cache;
  }

  find(name: string): KmemCache | null {
    return this.caches.find((cache) => cache.name === name) ?? null;
  }

  /** A cache that exists; KernelPanic if there is none of that name. */
  cacheNamed(name: string): KmemCache {
    return this.find(name) ?? panic(`mm/phys/slab.ts: there is a cache named ${name}`);
  }

  /** The kmalloc-* cache that serves so many bytes, at most 8192. */
  kmallocCache(bytes: number): KmemCache {
    for (const cache of this.kmalloc) if (cache.objectBytes >= bytes) return cache;
    return panic('mm/phys/slab.ts: kmalloc serves at most 8192 bytes');
  }

  /** Gives all empty slabs of all caches back; returns frames freed. */
  shrink(): number {
    return this.caches.reduce((freed, cache) => freed + cache.shrink(), 0);
  }

  info(): SlabInfoRow[] {
    return this.caches.map((cache) => cache.info());
  }
}
