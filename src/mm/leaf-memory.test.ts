import { describe, expect, test } from 'vitest';
import { pfn } from '../machine/units.ts';
import { LeafMemory } from './leaf-memory.ts';

describe('LeafMemory', () => {
  test('knows the slots of all pages of a table, and of no other table or root', () => {
    const memory = new LeafMemory(9, 2);
    memory.remember(pfn(7), 1024 + 5, 4096);
    expect(memory.recall(pfn(7), 1024)).toBe(4096);
    expect(memory.recall(pfn(7), 1024 + 511)).toBe(4096 + 511 * 2);
    expect(memory.recall(pfn(7), 1023)).toBe(-1);
    expect(memory.recall(pfn(7), 1536)).toBe(-1);
    expect(memory.recall(pfn(8), 1024)).toBe(-1);
  });

  test('tells page numbers beyond 31 bits apart', () => {
    const memory = new LeafMemory(9, 2);
    const far = 2 ** 44 + 512 * 3;
    memory.remember(pfn(7), far, 8192);
    expect(memory.recall(pfn(7), far + 17)).toBe(8192 + 34);
    expect(memory.recall(pfn(7), 512 * 3 + 17)).toBe(-1);
    expect(memory.recall(pfn(7), far + 2 ** 32)).toBe(-1);
  });

  test('knows nothing after forget', () => {
    const memory = new LeafMemory(10, 1);
    memory.remember(pfn(7), 5, 4096);
    const seen: number[][] = [];
    memory.forEach((root, page, base) => {
      seen.push([root, page, base]);
    });
    expect(seen).toEqual([[7, 0, 4096]]);
    memory.forget();
    expect(memory.recall(pfn(7), 5)).toBe(-1);
  });
});
