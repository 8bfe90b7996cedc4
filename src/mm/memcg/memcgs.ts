import { assert } from '../../base/assert.ts';
import { EV_MEMCG_CHARGE, EV_MEMCG_EVENT, EV_MEMCG_UNCHARGE } from '../../base/event-kinds.ts';
import type { Pfn } from '../../machine/units.ts';
import type { FrameAllocator } from '../phys/alloc.ts';
import type { Charger } from '../phys/charger.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { GFP_HIGHUSER_MOVABLE } from '../phys/gfp.ts';
import type { KmemCache } from '../phys/slab.ts';
import { MEMORY_EVENTS, Memcg, type MemoryEvent, ROOT_MEMCG, type SwapEvent } from './memcg.ts';
import { isUserMemory } from './memory-kind.ts';
import { tryCharge } from './try-charge.ts';

/** Reclaim, as memory cgroups use it; it keeps a policy for each of them. */
export interface MemcgReclaim {
  memcgAdded(memcg: Memcg): void;
  memcgGone(memcg: Memcg): void;
  /** Frees pages of `target` and all below it; how many. */
  reclaimMemcg(
    target: Memcg,
    pages: number,
    options?: { readonly by?: 'direct' | 'proactive'; readonly swappiness?: number | undefined },
  ): number;
}

/** Who kills where a limit leaves nothing else (mem_cgroup_out_of_memory), and knows who is running. */
export interface MemcgKiller {
  /** Kills in `memcg`: 'freed': another process, whose memory is free now; 'dying': the running one, or none that has memory yet. */
  killIn(memcg: Memcg): 'freed' | 'dying' | 'none';
  /** The running task is being killed. */
  readonly isDying: boolean;
}

/** Told where what memory.events shows has changed (cgroup_file_notify). */
export interface MemcgWatcher {
  memoryEvent(memcg: Memcg, file: 'memory.events' | 'memory.swap.events'): void;
}

/** Of the task that runs: pages that it was given beyond memory.high, for which it pays when it returns to its program. */
export interface OverHighAccount {
  pagesOverHigh: number;
}

/** frames.memcg has 16 bits (Linux: MEM_CGROUP_ID_MAX). */
const MAX_MEMCGS = 65_536;
/** What Linux keeps beside each object that is charged: a pointer (obj_full_size). */
const OBJECT_OVERHEAD_BYTES = 8;

/**
 * The memory cgroups of a machine (Linux: mm/memcontrol.c): a tree below the root, which is always there, and who pays for what.
 *
 *   user memory    charged when a page is made for a space (its memcg) or a file (the running task's, who touches it first)
 *   the kernel's   page tables and pipes by frame, objects of accounted slabs by byte, to the running task; charged to the parent
 *                  when the cgroup goes (memcg_reparent_objcgs)
 *   swap           by slot, from the time that a page gets it until the slot is free
 *
 * Invariants (checked by memcg/check-memcgs.ts):
 *  G1 memory.usage = frames whose memcg it is, pages of its slab objects, and its children's usage; the root's is not kept.
 *  G2 swap.usage = slots whose memcg it is, and its children's.
 *  G3 A memory cgroup that is offline has a charge or a child.
 */
export class Memcgs implements Charger {
  readonly root = new Memcg(ROOT_MEMCG, null);
  /** Mount option memory_recursiveprot: protection that children do not claim holds for them all the same. */
  protectionScope: 'recursive' | 'own' = 'recursive';
  /** Who pays for what the running task takes. The kernel sets it with the task. */
  current: Memcg = this.root;
  account: OverHighAccount | null = null;
  killer: MemcgKiller | null = null;
  watcher: MemcgWatcher | null = null;
  readonly allocator: FrameAllocator;
  private readonly byId: (Memcg | null)[] = [this.root];
  private caches: readonly KmemCache[] = [];
  private reclaimOrNull: MemcgReclaim | null = null;

  constructor(allocator: FrameAllocator) {
    this.allocator = allocator;
    allocator.setCharger(this);
  }

  setReclaim(reclaim: MemcgReclaim): void {
    this.reclaimOrNull = reclaim;
  }

  /** Whose objects may be accounted. */
  setCaches(caches: readonly KmemCache[]): void {
    this.caches = caches;
  }

  memcgOf(id: number): Memcg | null {
    return this.byId[id] ?? null;
  }

  /** All that are there, the dying ones too. */
  get all(): readonly (Memcg | null)[] {
    return this.byId;
  }

  /** A new one below `parent`; null: there are too many (ENOSPC of mem_cgroup_alloc). */
  create(parent: Memcg): Memcg | null {
    let id = this.byId.indexOf(null);
    if (id < 0) id = this.byId.length;
    if (id >= MAX_MEMCGS) return null;
    const memcg = new Memcg(id, parent);
    this.byId[id] = memcg;
    parent.children.push(memcg);
    this.allocator.lru.addLruvec(id);
    this.reclaimOrNull?.memcgAdded(memcg);
    return memcg;
  }

  /** Its directory was removed (mem_cgroup_css_offline): nothing protects it any more, and it goes with its last charge. */
  offline(memcg: Memcg): void {
    memcg.isOnline = false;
    memcg.memory.min = 0;
    memcg.memory.low = 0;
    this.reparentKernel(memcg, memcg.parent ?? this.root);
    this.releaseIfUnused(memcg);
  }

  private releaseIfUnused(memcg: Memcg): void {
    const { parent } = memcg;
    if (memcg.isOnline || parent === null || memcg.children.length > 0) return;
    if (memcg.memory.usage > 0 || memcg.swap.usage > 0) return;
    parent.children.splice(parent.children.indexOf(memcg), 1);
    parent.counters.add(memcg.counters);
    this.byId[memcg.id] = null;
    this.reclaimOrNull?.memcgGone(memcg);
    this.allocator.lru.dropLruvec(memcg.id);
    this.releaseIfUnused(parent);
  }

  /** memcg_memory_event. */
  noteEvent(memcg: Memcg, event: MemoryEvent): void {
    const { events } = this.allocator;
    if (events.enabled[EV_MEMCG_EVENT] !== 0) events.emit(EV_MEMCG_EVENT, memcg.id, MEMORY_EVENTS.indexOf(event));
    memcg.noteEvent(event);
    this.watcher?.memoryEvent(memcg, 'memory.events');
  }

  noteSwapEvent(memcg: Memcg, event: SwapEvent): void {
    memcg.noteSwapEvent(event);
    this.watcher?.memoryEvent(memcg, 'memory.swap.events');
  }

  // Charges.

  /** Charges `pages` to the cgroup and all above it, with reclaim and the OOM killer where a limit is met. False: they are refused. */
  charge(memcg: Memcg, pages: number, gfp: number): boolean {
    return memcg.isRoot || tryCharge(this, memcg, pages, gfp);
  }

  uncharge(memcg: Memcg, pages: number): void {
    if (memcg.isRoot) return;
    const { events } = this.allocator;
    if (events.enabled[EV_MEMCG_UNCHARGE] !== 0) events.emit(EV_MEMCG_UNCHARGE, memcg.id, pages);
    memcg.memory.uncharge(pages);
    if (!memcg.isOnline) this.releaseIfUnused(memcg);
  }

  /** A slot of swap less. */
  unchargeSwap(memcg: Memcg): void {
    memcg.swap.uncharge(1);
    if (!memcg.isOnline) this.releaseIfUnused(memcg);
  }

  /** A page of user memory that nobody pays for yet (mem_cgroup_charge), before it joins a list. False: it may not be had. */
  chargePage(frame: Pfn, memcg: Memcg, gfp: number): boolean {
    if (memcg.isRoot) return true;
    const { frames } = this.allocator;
    assert(frames.memcg[frame] === ROOT_MEMCG, 'mm/memcg/memcgs.ts: G1 a page is charged once');
    if (!tryCharge(this, memcg, frames.pagesOf(frame), gfp)) return false;
    frames.memcg[frame] = memcg.id;
    const { events } = this.allocator;
    if (events.enabled[EV_MEMCG_CHARGE] !== 0) events.emit(EV_MEMCG_CHARGE, memcg.id, frames.pagesOf(frame));
    return true;
  }

  /** A frame, or a compound page, of user memory that `memcg` pays for; NO_FRAME. */
  allocPage(memcg: Memcg, gfp: number = GFP_HIGHUSER_MOVABLE, order = 0): Pfn | -1 {
    const frame = this.allocator.allocFrames(order, gfp);
    if (frame === NO_FRAME || this.chargePage(frame as Pfn, memcg, gfp)) return frame;
    this.allocator.putFrame(frame as Pfn);
    return NO_FRAME;
  }

  /** Who pays for the frame; the root where nobody does. */
  payerOf(frame: Pfn): Memcg {
    return this.byId[this.allocator.frames.memcg[frame]] ?? this.root;
  }

  /** Reclaims `pages` of the cgroup and all below it, from outside of reclaim. */
  reclaim(memcg: Memcg, pages: number, by: 'direct' | 'proactive' = 'direct', swappiness?: number): number {
    return this.allocator.reclaimWith(() => this.reclaimOrNull?.reclaimMemcg(memcg, pages, { by, swappiness }) ?? 0);
  }

  // The kernel's own memory.

  get isCounting(): boolean {
    return !this.current.isRoot;
  }

  chargeKernelBlock(frame: Pfn, order: number, gfp: number): boolean {
    if (!tryCharge(this, this.current, 2 ** order, gfp)) return false;
    this.allocator.frames.memcg[frame] = this.current.id;
    return true;
  }

  unchargeBlock(frame: Pfn, pages: number): void {
    const memcg = this.payerOf(frame);
    this.allocator.frames.memcg[frame] = ROOT_MEMCG;
    this.uncharge(memcg, pages);
  }

  chargeObject(cache: KmemCache, slot: number, gfp: number): boolean {
    const memcg = this.current;
    const pages = memcg.slabPages;
    addSlabBytes(memcg, cache, 1);
    const grown = memcg.slabPages - pages;
    if (grown > 0 && !tryCharge(this, memcg, grown, gfp)) {
      addSlabBytes(memcg, cache, -1);
      return false;
    }
    cache.payers.set(slot, memcg.id);
    return true;
  }

  unchargeObject(cache: KmemCache, slot: number): void {
    const memcg = this.byId[cache.payers.get(slot) as number] as Memcg;
    cache.payers.delete(slot);
    const pages = memcg.slabPages;
    addSlabBytes(memcg, cache, -1);
    this.uncharge(memcg, pages - memcg.slabPages);
  }

  /** The kernel's memory is the parent's from now on, which counted it before (memcg_reparent_objcgs). */
  private reparentKernel(memcg: Memcg, parent: Memcg): void {
    const { frames } = this.allocator;
    const own = memcg.memory;
    const above = memcg.slabPages + parent.slabPages;
    own.usage -= memcg.slabPages;
    for (const cache of this.caches) {
      for (const [slot, id] of cache.payers) {
        if (id !== memcg.id) continue;
        addSlabBytes(memcg, cache, -1);
        if (parent.isRoot) cache.payers.delete(slot);
        else {
          addSlabBytes(parent, cache, 1);
          cache.payers.set(slot, parent.id);
        }
      }
    }
    // Two halves of a page are one.
    parent.memory.uncharge(above - parent.slabPages);
    for (let frame = 0; frame < frames.frameCount; frame++) {
      if (frames.memcg[frame] !== memcg.id || isUserMemory(frames.flags[frame])) continue;
      frames.memcg[frame] = parent.id;
      own.usage -= frames.pagesOf(frame as Pfn);
    }
  }
}

function addSlabBytes(memcg: Memcg, cache: KmemCache, objects: 1 | -1): void {
  const bytes = objects * (cache.sizeBytes + OBJECT_OVERHEAD_BYTES);
  if (cache.reclaimable) memcg.slabBytes.reclaimable += bytes;
  else memcg.slabBytes.unreclaimable += bytes;
}
