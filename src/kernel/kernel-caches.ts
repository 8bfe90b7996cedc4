import type { KmemCache, SlabAllocator } from '../mm/phys/slab.ts';

/** The slab caches of the kernel core's objects; every live object holds a slot, so that it costs RAM. */
export class KernelCaches {
  readonly task: KmemCache;
  readonly signal: KmemCache;
  readonly sighand: KmemCache;
  readonly pid: KmemCache;
  readonly fs: KmemCache;

  constructor(slab: SlabAllocator) {
    this.task = slab.cacheNamed('task_struct');
    this.signal = slab.cacheNamed('signal_cache');
    this.sighand = slab.cacheNamed('sighand_cache');
    this.pid = slab.cacheNamed('pid');
    this.fs = slab.cacheNamed('fs_cache');
  }
}
