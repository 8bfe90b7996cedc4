import { PAGE_SIZE } from '../../../machine/units.ts';

/** The sizes that objects are rounded up to: from 32 bytes to a page, in steps of 16 (ZS_MIN_ALLOC_SIZE, ZS_SIZE_CLASS_DELTA). */
const MIN_BYTES = 32;
const STEP_BYTES = 16;
/** Frames of a zspage at most (CONFIG_ZSMALLOC_CHAIN_SIZE). */
const MAX_CHAIN = 8;
/** An object's own word in front of it, where it does not fill its frame (ZS_HANDLE_SIZE). */
const HANDLE_BYTES = 8;

/** Objects of one size, in zspages of so many frames (Linux: struct size_class). */
export interface SizeClass {
  readonly index: number;
  readonly sizeBytes: number;
  readonly framesPerZspage: number;
  readonly objectsPerZspage: number;
}

/** calculate_zspage_chain_size (6.18): the number of frames of which the least is left over, the smallest such. */
function chainOf(sizeBytes: number): number {
  if ((sizeBytes & (sizeBytes - 1)) === 0) return 1;
  let best = 1;
  let least = PAGE_SIZE;
  for (let frames = 1; frames <= MAX_CHAIN; frames++) {
    const waste = (frames * PAGE_SIZE) % sizeBytes;
    if (waste >= least) continue;
    least = waste;
    best = frames;
  }
  return best;
}

/** By (size - 32) / 16, rounded up: sizes of which as many go into as many frames are one class, the largest (zs_create_pool). */
export const SIZE_CLASSES: readonly SizeClass[] = (() => {
  const classes: SizeClass[] = [];
  let before: SizeClass | null = null;
  for (let index = (PAGE_SIZE - MIN_BYTES) / STEP_BYTES; index >= 0; index--) {
    const sizeBytes = MIN_BYTES + index * STEP_BYTES;
    const framesPerZspage = chainOf(sizeBytes);
    const objectsPerZspage = Math.floor((framesPerZspage * PAGE_SIZE) / sizeBytes);
    const same: boolean = before?.framesPerZspage === framesPerZspage && before.objectsPerZspage === objectsPerZspage;
    if (!same || before === null) before = { index, sizeBytes, framesPerZspage, objectsPerZspage };
    classes[index] = before;
  }
  return classes;
})();

/** Of an object of 1 to 4096 bytes. */
export function sizeClassOf(lengthBytes: number): SizeClass {
  const index = Math.ceil((Math.max(MIN_BYTES, lengthBytes + HANDLE_BYTES) - MIN_BYTES) / STEP_BYTES);
  return SIZE_CLASSES[Math.min(index, SIZE_CLASSES.length - 1)];
}

/** From so many bytes on an object has a frame of its own (zs_huge_class_size). */
export const HUGE_CLASS_BYTES = (() => {
  const { length } = SIZE_CLASSES;
  for (let index = length - 1; index >= 0; index--)
    if (SIZE_CLASSES[index].objectsPerZspage > 1) return SIZE_CLASSES[index].sizeBytes - HANDLE_BYTES + 1;
  return PAGE_SIZE;
})();
