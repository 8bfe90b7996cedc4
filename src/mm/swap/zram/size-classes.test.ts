import { expect, it } from 'vitest';
import { HUGE_CLASS_BYTES, SIZE_CLASSES, sizeClassOf } from './size-classes.ts';

it('has the classes of Documentation/mm/zsmalloc.rst for a chain of 8', () => {
  const shown = (index: number) => {
    const { sizeBytes, objectsPerZspage, framesPerZspage } = SIZE_CLASSES[index];
    return [sizeBytes, objectsPerZspage, framesPerZspage];
  };
  expect(shown(0)).toEqual([32, 128, 1]);
  expect(shown(254)).toEqual([4096, 1, 1]);
  // The largest that shares frames: nine objects in eight.
  expect(shown((3632 - 32) / 16)).toEqual([3632, 9, 8]);
  expect(HUGE_CLASS_BYTES).toBe(3632 - 7);
});

it('rounds up, with a word for the handle', () => {
  expect(sizeClassOf(1).sizeBytes).toBe(32);
  expect(sizeClassOf(24).sizeBytes).toBe(32);
  expect(sizeClassOf(25).sizeBytes).toBe(48);
  expect(sizeClassOf(HUGE_CLASS_BYTES - 1).sizeBytes).toBe(3632);
  expect(sizeClassOf(HUGE_CLASS_BYTES).sizeBytes).toBe(4096);
  expect(sizeClassOf(4096).sizeBytes).toBe(4096);
  for (let length = 1; length <= 4088; length++) expect(sizeClassOf(length).sizeBytes).toBeGreaterThanOrEqual(length);
});
