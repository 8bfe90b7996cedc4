import type { EventSink } from '../base/events.ts';
import type { Vmstat } from '../base/vmstat.ts';
import { WakeList } from '../base/wait-queue.ts';
import type { DiskKind } from '../machine/block-device.ts';
import type { VirtualClock } from '../machine/clock.ts';
import type { Ram } from '../machine/ram.ts';
import { BlockQueue } from './block/block-queue.ts';
import { Memcgs } from './memcg/memcgs.ts';
import type { FilePages } from './page-cache/file-pages.ts';
import { PageCache } from './page-cache/page-cache.ts';
import { FrameAllocator } from './phys/alloc.ts';
import { FrameTable } from './phys/frame-table.ts';
import type { FaultInjector } from './phys/inject.ts';
import { SlabAllocator } from './phys/slab.ts';
import type { ZoneConfig } from './phys/zone.ts';
import { policiesByName, RECLAIM_POLICIES, type ReclaimPolicies } from './reclaim/kinds.ts';
import { Reclaim } from './reclaim/reclaim.ts';
import { AnonVmas } from './rmap/anon-vmas.ts';
import { Rmap } from './rmap/rmap.ts';
import { Swap } from './swap/swap.ts';

export interface PhysicalMemoryOptions {
  readonly ram: Ram;
  readonly vmstat: Vmstat;
  readonly events: EventSink;
  readonly clock: VirtualClock;
  /** Together all of RAM, or what the machine has of it; they do not overlap. */
  readonly zones: readonly ZoneConfig[];
  /** Frames from 0 on that the kernel image keeps; at least 1. */
  readonly reservedFrames: number;
  readonly injector?: FaultInjector | null;
  /** Default 'nvme'. */
  readonly disk?: DiskKind;
  /** Which pages go when memory is short; default RECLAIM_POLICIES[0]. */
  readonly reclaim?: ReclaimPolicies;
  /** The machine's; a test without tasks needs none. */
  readonly wakeList?: WakeList;
}

/** The physical side of the memory manager. `rmap.setEditor` must be called before anything is mapped. */
export interface PhysicalMemory {
  readonly frames: FrameTable;
  readonly alloc: FrameAllocator;
  readonly slab: SlabAllocator;
  readonly block: BlockQueue;
  readonly rmap: Rmap;
  readonly pageCache: PageCache;
  readonly swap: Swap;
  readonly reclaimer: Reclaim;
  readonly memcgs: Memcgs;
}

/** Builds the parts in the order in which they need each other. */
export function createPhysicalMemory(options: PhysicalMemoryOptions): PhysicalMemory {
  const { ram, vmstat, events, clock, zones, reservedFrames, injector } = options;
  const frames = new FrameTable(ram.frameCount);
  const alloc = new FrameAllocator({ ram, frames, zones, reservedFrames, events, vmstat, injector });
  const memcgs = new Memcgs(alloc);
  const slab = new SlabAllocator(ram, alloc);
  memcgs.setCaches(slab.caches);
  const files: (FilePages | null)[] = [];
  const anonVmas = new AnonVmas(slab.cacheNamed('anon_vma'), slab.cacheNamed('anon_vma_chain'));
  const rmap = new Rmap(alloc, anonVmas, files);
  const nodes = slab.cacheNamed('radix_tree_node');
  const wakeList = options.wakeList ?? new WakeList();
  const block = new BlockQueue({ kind: options.disk ?? 'nvme', clock, allocator: alloc, wakeList });
  block.faults = injector ?? null;
  const swap = new Swap({ ram, allocator: alloc, memcgs, vmstat, clock, io: block });
  const pageCache = new PageCache({
    ram,
    allocator: alloc,
    rmap,
    nodes,
    files,
    swap,
    memcgs,
    vmstat,
    clock,
    io: block,
  });
  const reclaimer = new Reclaim(pageCache, slab, memcgs, options.reclaim ?? policiesByName(RECLAIM_POLICIES[0]));
  alloc.setReclaimer(reclaimer);
  block.setPageEnd(reclaimer.pages);
  return { frames, alloc, slab, block, rmap, pageCache, swap, reclaimer, memcgs };
}
