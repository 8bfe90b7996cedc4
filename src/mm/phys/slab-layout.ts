import { PAGE_SIZE } from '../../machine/units.ts';

/** A slab has at most 8 pages before order counts as costly (slub_max_order = PAGE_ALLOC_COSTLY_ORDER). */
const SLUB_MAX_ORDER = 3;
/** struct slab counts objects in 15 bits. */
const MAX_OBJS_PER_PAGE = 32767;
const MIN_PARTIAL = 5;
const MAX_PARTIAL = 10;
/** Bytes of a pointer on a 64-bit machine. A slot holds a link of this size while it is free. */
export const POINTER_BYTES = 8;

/**
 * How many pages a slab of objects of `sizeBytes` has, as an order (calculate_order, mm/slub.c): the smallest that wastes at
 * most a 16th, an 8th, ... and holds min_objects = 4 * (fls(cpus) + 1) of them.
 */
export function calculateOrder(sizeBytes: number, cpus = 1): number {
  const fls = 32 - Math.clz32(cpus);
  const maxObjects = Math.max(1, objectsIn(SLUB_MAX_ORDER, sizeBytes));
  const minObjects = Math.min(4 * (fls + 1), maxObjects);
  const minOrder = orderOf(minObjects * sizeBytes);
  if (objectsIn(minOrder, sizeBytes) > MAX_OBJS_PER_PAGE) return orderOf(sizeBytes * MAX_OBJS_PER_PAGE) - 1;
  for (let fraction = 16; fraction > 1; fraction /= 2) {
    for (let order = minOrder; order <= SLUB_MAX_ORDER; order++) {
      const slabBytes = PAGE_SIZE << order;
      if (slabBytes % sizeBytes <= Math.floor(slabBytes / fraction)) return order;
    }
  }
  return orderOf(sizeBytes);
}

/** get_order: the least order whose block holds so many bytes. */
export function orderOf(bytes: number): number {
  let order = 0;
  while (PAGE_SIZE << order < bytes) order++;
  return order;
}

export function objectsIn(order: number, sizeBytes: number): number {
  return Math.floor((PAGE_SIZE << order) / sizeBytes);
}

/** Empty slabs above this many listed ones are given back (set_min_partial). */
export function minPartialOf(sizeBytes: number): number {
  const log2 = 31 - Math.clz32(sizeBytes);
  return Math.max(MIN_PARTIAL, Math.min(MAX_PARTIAL, Math.floor(log2 / 2)));
}

/**
 * Bytes from one object to the next, and where a free object keeps the link (calculate_sizes): in its middle, or behind it
 * where the object must keep its contents while free (a constructor, SLAB_TYPESAFE_BY_RCU).
 */
export function slotLayout(
  objectBytes: number,
  alignBytes: number,
  link: 'inside' | 'behind',
): { sizeBytes: number; linkOffset: number } {
  const inUse = roundUp(objectBytes, POINTER_BYTES);
  if (link === 'behind') return { sizeBytes: roundUp(inUse + POINTER_BYTES, alignBytes), linkOffset: inUse };
  const middle = Math.floor(objectBytes / 2 / POINTER_BYTES) * POINTER_BYTES;
  return { sizeBytes: roundUp(inUse, Math.max(alignBytes, POINTER_BYTES)), linkOffset: middle };
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
