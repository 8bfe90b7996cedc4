import { describe, expect, it } from 'vitest';
import { SLAB_CACHES } from './slab-caches.ts';
import { calculateOrder, minPartialOf, objectsIn, slotLayout } from './slab-layout.ts';

describe('slab layout against /proc/slabinfo of Linux 6.18 x86-64 with 2 CPUs', () => {
  // name, objsize, objperslab, pagesperslab
  it.each([
    ['vm_area_struct', 192, 21, 1],
    ['files_cache', 704, 23, 4],
    ['signal_cache', 1152, 14, 4],
    ['sighand_cache', 2112, 15, 8],
    ['anon_vma_chain', 64, 64, 1],
    ['anon_vma', 104, 39, 1],
    ['pid', 192, 21, 1],
    ['radix_tree_node', 584, 14, 2],
    ['maple_node', 256, 16, 1],
    ['mm_struct', 1600, 20, 8],
    ['inode_cache', 624, 13, 2],
    ['dentry', 192, 21, 1],
    ['filp', 192, 21, 1],
    ['names_cache', 4096, 8, 8],
    ['shmem_inode_cache', 752, 21, 4],
    ['proc_inode_cache', 696, 23, 4],
    ['sock_inode_cache', 832, 19, 4],
    ['seq_file', 120, 34, 1],
    ['sigqueue', 80, 51, 1],
    ['UNIX', 1152, 14, 4],
    ['kmalloc-8', 8, 512, 1],
    ['kmalloc-96', 96, 42, 1],
    ['kmalloc-192', 192, 21, 1],
    ['kmalloc-2k', 2048, 16, 8],
    ['kmalloc-8k', 8192, 4, 8],
  ])('%s', (name, objsize, objperslab, pagesperslab) => {
    const row = SLAB_CACHES.find((cache) => cache.name === name);
    if (row === undefined) throw new Error(name);
    const { sizeBytes } = slotLayout(row.objectBytes, row.alignBytes ?? 8, row.link ?? 'inside');
    expect(sizeBytes).toBe(objsize);
    const order = calculateOrder(sizeBytes, 2);
    expect(1 << order).toBe(pagesperslab);
    expect(objectsIn(order, sizeBytes)).toBe(objperslab);
  });

  // Sizes of that machine that no cache of ours has, for the order alone.
  it.each([
    [4288, 7, 8],
    [2368, 13, 8],
    [1280, 12, 4],
    [1472, 22, 8],
    [2496, 13, 8],
    [4232, 7, 8],
    [1016, 16, 4],
    [984, 16, 4],
    [376, 21, 2],
    [51472, 1, 16],
    [16, 256, 1],
  ])('objects of %i bytes', (size, objperslab, pagesperslab) => {
    const order = calculateOrder(size, 2);
    expect([objectsIn(order, size), 1 << order]).toEqual([objperslab, pagesperslab]);
  });

  it('keeps the link where Linux does (calculate_sizes)', () => {
    expect(slotLayout(96, 8, 'behind')).toEqual({ sizeBytes: 104, linkOffset: 96 });
    expect(slotLayout(64, 8, 'inside')).toEqual({ sizeBytes: 64, linkOffset: 32 });
    expect(slotLayout(8, 8, 'inside')).toEqual({ sizeBytes: 8, linkOffset: 0 });
  });

  it('keeps min_partial empty slabs as /sys/kernel/slab says', () => {
    expect(minPartialOf(192)).toBe(5);
    expect(minPartialOf(4288)).toBe(6);
  });
});
