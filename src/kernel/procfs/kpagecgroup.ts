import type { IoSink } from '../../base/io.ts';
import type { Pfn } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { isUserMemory } from '../../mm/memcg/memory-kind.ts';
import { PG_hugetlb } from '../../mm/phys/page-flags.ts';
import type { Kernel } from '../kernel.ts';
import { readFrameWords } from './pagemap.ts';

/**
 * Words of /proc/kpagecgroup (kpagecgroup_read, page_cgroup_ino; 6.18): the inode number of the directory that each frame is charged to,
 * or the nearest above that is still there; 0 for frames that nobody pays for. User memory of the root's tasks is the root's.
 */
export function readKpagecgroup(k: Kernel, _space: AddressSpace | null, pos: number, sink: IoSink): number {
  const { frames, memcgs } = k.mm;
  const inos = memcgs.all.map((memcg) => (memcg === null ? 0 : k.cgroups.cgroupOf(memcg).ino));
  return readFrameWords(k, pos, sink, (view, at, frame) => {
    const head = frames.headOf(frame as Pfn);
    const flags = frames.flags[head];
    const isCharged = frames.memcg[head] !== 0 || ((flags & PG_hugetlb) === 0 && isUserMemory(flags));
    if (frames.refcount[head] > 0 && isCharged) view.setUint32(at, inos[frames.memcg[head]], true);
  });
}
