import { assert } from '../../base/assert.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { MARKER_POISONED, MARKER_UFFD_WP } from '../page-table-entry.ts';
import { PG_anon, PG_anon_exclusive, PG_head, PG_hugetlb } from '../phys/page-flags.ts';
import { VM_ACCESS_FLAGS, VM_HUGETLB, VM_SHARED, VM_WRITE } from '../vm-flags.ts';
import { VMA_HUGETLB, type Vma } from '../vma.ts';
import { hugeIndexOf, objectOf, outstandingOf } from './hugetlb-vma.ts';

const EXCLUSIVE = PG_anon | PG_anon_exclusive;

/** P3, R2 and R4 for the huge entries of a VMA; counts each head's entries into `seen`. Returns the pages that they map. */
export function checkHugeEntries(mm: MemoryManager, vma: Vma, seen: Uint32Array): number {
  const { pageTables, format, frames } = mm;
  const object = objectOf(vma);
  const { pool } = object;
  assert((vma.flags & VM_HUGETLB) !== 0, 'mm/hugetlb/check-hugetlb.ts: V3 a VMA of huge pages has VM_HUGETLB');
  assert(
    vma.startVpn % pool.pages === 0 && vma.endVpn % pool.pages === 0 && vma.pgoff % pool.pages === 0,
    'mm/hugetlb/check-hugetlb.ts: V5 a VMA of huge pages is aligned to them',
  );
  let mapped = 0;
  let page: Vpn = vma.startVpn;
  while (pageTables.seek(vma.space, page, vma.endVpn)) {
    const at = pageTables.foundVpn;
    page = (at + pool.pages) as Vpn;
    assert(
      pageTables.foundLevel === pool.level,
      'mm/hugetlb/check-hugetlb.ts: P3 huge VMAs have entries of their level',
    );
    const entry = pageTables.read(pageTables.foundSlot);
    if (!pageTables.isMapped(entry)) {
      const marker = pageTables.markerOf(entry);
      const isKnown = marker > 0 && marker <= (MARKER_UFFD_WP | MARKER_POISONED);
      assert(isKnown, 'mm/page-table.ts: P4 a marker of a huge page is of userfaultfd');
      continue;
    }
    const frame = pageTables.frameOf(entry);
    const flags = frames.flags[frame];
    assert(
      (flags & (PG_head | PG_hugetlb)) === (PG_head | PG_hugetlb) && frames.order[frame] === pool.order,
      'mm/hugetlb/check-hugetlb.ts: P3 a huge entry maps a page of the pool',
    );
    assert(
      ((entry & format.PRESENT) !== 0) === ((vma.flags & VM_ACCESS_FLAGS) !== 0),
      'mm/hugetlb/check-hugetlb.ts: P3 an entry is present exactly if the VMA has rights',
    );
    const exclusive = (flags & EXCLUSIVE) === EXCLUSIVE;
    if ((entry & format.WRITE) !== 0) {
      assert((vma.flags & VM_WRITE) !== 0, 'mm/hugetlb/check-hugetlb.ts: P3 WRITE only where the VMA allows it');
      assert(
        (vma.flags & VM_SHARED) !== 0 || exclusive,
        'mm/hugetlb/check-hugetlb.ts: P3 a private page is written when exclusive',
      );
    }
    seen[frame]++;
    assert(!exclusive || seen[frame] === 1, 'mm/hugetlb/check-hugetlb.ts: R4 an exclusive page is mapped once');
    assert(
      frames.index[frame] === vma.pgoff + (at - vma.startVpn),
      'mm/hugetlb/check-hugetlb.ts: R2 index of a mapped page',
    );
    if ((flags & PG_anon) !== 0) {
      const anonVma = mm.rmap.anonVmas.byId(frames.owner[frame]);
      assert(
        vma.anonVmaChain.some((chain) => chain.anonVma === anonVma),
        "mm/hugetlb/check-hugetlb.ts: R2 the VMA is in the tree of its page's anon_vma",
      );
    } else
      assert(
        object.folios.get(hugeIndexOf(vma, at)) === frame,
        'mm/hugetlb/check-hugetlb.ts: R2 a page that is not private is the file’s',
      );
    mapped += pool.pages;
  }
  return mapped;
}

/** H1 to H6. */
export function checkPools(mm: MemoryManager): void {
  const { flags, order, frameCount } = mm.frames;
  const { pools, objects, subpools } = mm.hugetlb;
  const heads = new Map(pools.map((pool) => [pool.order, 0]));
  for (let frame = 0; frame < frameCount; frame++) {
    if ((flags[frame] & PG_hugetlb) === 0) continue;
    heads.set(order[frame], (heads.get(order[frame]) ?? 0) + 1);
  }
  const promised = new Map(pools.map((pool) => [pool, 0]));
  const promise = (pool: (typeof pools)[number], pages: number) =>
    promised.set(pool, (promised.get(pool) ?? 0) + pages);
  for (const object of objects) {
    promise(object.pool, object.reservations.size - object.folios.size);
    for (const [index, frame] of object.folios) {
      assert(object.reservations.has(index), 'mm/hugetlb/hugetlb-object.ts: H6 a page that is there is in the map');
      const own = mm.frames.owner[frame] === object.pages.id && mm.frames.index[frame] === index * object.pool.pages;
      assert(own, 'mm/hugetlb/hugetlb-object.ts: F4 owner and index of a page of the file');
      assert(
        mm.frames.refcount[frame] === mm.frames.mapcount[frame] + 1,
        'mm/hugetlb/hugetlb-object.ts: F2 references of a page of the file',
      );
    }
  }
  for (const space of mm.spaces)
    for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma))
      if (vma.kind === VMA_HUGETLB) promise(objectOf(vma).pool, outstandingOf(vma));
  for (const subpool of subpools) {
    promise(subpool.pool, subpool.reservedPages);
    const least = subpool.reservedPages >= 0 && subpool.reservedPages <= (subpool.minPages ?? 0);
    const most = subpool.maxPages === null || (subpool.usedPages >= 0 && subpool.usedPages <= subpool.maxPages);
    assert(least && most, 'mm/hugetlb/subpool.ts: H5 a mount keeps to its share');
  }
  for (const pool of pools) {
    assert(heads.get(pool.order) === pool.totalPages, 'mm/hugetlb/huge-pool.ts: H1 totalPages counts the pages');
    for (let frame = pool.freeList.head; frame >= 0; frame = pool.freeList.after(frame as Pfn))
      assert(
        mm.frames.refcount[frame] === 1 && mm.frames.mapcount[frame] === 0,
        'mm/hugetlb/huge-pool.ts: H1 a free page has the reference of the pool',
      );
    assert(promised.get(pool) === pool.reservedPages, 'mm/hugetlb/huge-pool.ts: H2 reservedPages is what was promised');
    assert(pool.reservedPages <= pool.freePages, 'mm/hugetlb/huge-pool.ts: H3 a promise can be kept');
    assert(
      pool.surplusPages >= 0 && pool.surplusPages <= pool.totalPages,
      'mm/hugetlb/huge-pool.ts: H4 surplus pages are pages of the pool',
    );
  }
}
