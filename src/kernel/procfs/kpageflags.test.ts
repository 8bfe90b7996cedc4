import { expect, it } from 'vitest';
import { BufferSink } from '../../base/io.ts';
import { PG_slab, PG_table } from '../../mm/phys/page-flags.ts';
import { createTestMachine } from '../../mm/testing/test-machine.ts';
import type { Kernel } from '../kernel.ts';
import { readKpageflags } from './kpageflags.ts';

const KPF_SLAB = 1 << 7;
const KPF_BUDDY = 1 << 10;
const KPF_PGTABLE = 1 << 26;

it('tells of every frame whether it is free, a slab or a page table', () => {
  const { mm, createSpace, countFree } = createTestMachine();
  createSpace();
  const sink = new BufferSink(mm.frames.frameCount * 8 + 8);
  const k = { mm } as unknown as Kernel;
  let moved = 0;
  for (let got = 1; got > 0; moved += got) got = readKpageflags(k, null, moved, sink);
  expect(moved).toBe(mm.frames.frameCount * 8);
  const words = new DataView(sink.filled.buffer, sink.filled.byteOffset);
  const count = (bit: number): number => {
    let frames = 0;
    for (let at = 0; at < moved; at += 8) if ((words.getUint32(at, true) & bit) !== 0) frames++;
    return frames;
  };
  const having = (flag: number): number => mm.frames.flags.filter((flags) => (flags & flag) !== 0).length;
  expect(count(KPF_PGTABLE)).toBe(having(PG_table));
  expect(count(KPF_SLAB)).toBeGreaterThanOrEqual(having(PG_slab));
  expect(count(KPF_BUDDY)).toBe(mm.alloc.freeCount);
  expect(countFree()).toBeGreaterThan(0);
});
