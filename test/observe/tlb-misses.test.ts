/** Misses of the machine's TLB by code: every one is of some code, and whoever listens changes nothing. */
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { decompressSection } from '../../cli/decompress-section.ts';
import { ATTRIBUTION_KEYS, AttributedRun, type SystemOptions } from '../../src/index.ts';
import { compileProgram, makeWatched } from './watched-machine.ts';

const PAGES = 5000;
const ENTRIES = 4096;
let elf: string;

beforeAll(async () => {
  elf = await compileProgram(join(import.meta.dirname, 'programs/strides.c'));
}, 120_000);

function runStrides(jit: SystemOptions['jit'], listens: 'listening' | 'by itself') {
  const system = makeWatched(elf, { memoryMiB: 64, swapMiB: 0, jit });
  const run =
    listens === 'by itself' ? null : new AttributedRun(system.kernel, decompressSection, { tlbMisses: 'by code' });
  system.spawn(elf, [elf]);
  while (system.run({ instructions: 1e6 }) !== 'exited');
  run?.close();
  const tables = run === null ? [] : ATTRIBUTION_KEYS.map((key) => run.tables.by(key));
  const { wallMs: _, ...stats } = system.stats({ wallMs: 0 });
  expect(system.shutdown().leakedFrames).toBe(0);
  return { tables, stats };
}

test('misses by function, line, VMA and process add up to the counter, with and without translated code', () => {
  const plain = runStrides('off', 'by itself');
  const interpreted = runStrides('off', 'listening');
  for (const { by, total, entries } of interpreted.tables) {
    expect(total.tlbMisses, by).toBe(plain.stats.tlbMisses);
    expect(
      entries.reduce((sum, { tlbMisses }) => sum + tlbMisses, 0),
      by,
    ).toBe(plain.stats.tlbMisses);
    expect(
      entries.find(({ symbol, tlbMisses }) => symbol === '[not by code]' && tlbMisses > 0 && by !== 'vma'),
      by,
    ).toBeUndefined();
  }
  const [functions, lines, vmas] = interpreted.tables;
  const of = (symbol: string): number => functions.entries.find((each) => each.symbol === symbol)?.tlbMisses ?? 0;
  // Each page once; then, of reads, each once, and of those that share an entry each again.
  const add = PAGES + 2 * (PAGES - ENTRIES);
  // The code's own pages besides, and what of them is in the way of the data.
  expect(of('fill')).toBeGreaterThanOrEqual(PAGES);
  expect(of('fill')).toBeLessThan(PAGES + 10);
  expect(of('add')).toBeGreaterThanOrEqual(add);
  expect(of('add')).toBeLessThan(add + 10);
  const loop = lines.entries.filter(({ file, line }) => file.endsWith('strides.c') && line === 13);
  expect(loop[0].tlbMisses).toBeGreaterThanOrEqual(add);
  expect(vmas.entries.find(({ mapping }) => mapping.endsWith('//anon'))?.tlbMisses).toBeGreaterThanOrEqual(PAGES + add);
  expect(interpreted.stats).toEqual(plain.stats);
  const translated = runStrides('always', 'listening');
  expect(translated.tables).toEqual(interpreted.tables);
  expect(translated.stats).toEqual(plain.stats);
}, 120_000);
