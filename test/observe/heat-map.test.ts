/** Heat maps: their cells add up to what the run did. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HEAT_COUNTS, type HeatCount, HeatMaps } from '../../src/index.ts';
import { compileProgram, makeWatched, spawnWatched } from './watched-machine.ts';

const COLUMN_NS = 100_000;

async function compile(source: string): Promise<string> {
  return compileProgram(join(import.meta.dirname, 'programs', source));
}

describe('the heat maps of all spaces', () => {
  it.each([
    ['forks.c', 64],
    // Less RAM than it uses: it swaps.
    ['../../cli/rounds.c', 8],
  ])('of %s with %i MiB have each page run, each fault and each page that reclaim took', async (source, memoryMiB) => {
    const program = await compile(source);
    const system = makeWatched(program, { memoryMiB });
    const maps = new HeatMaps(system.kernel, 1000);
    const expected: Record<HeatCount, number> = { references: 0, faults: 0, majorFaults: 0, evictions: 0 };
    system.on(['faultline:page_fault'], ({ values: [, , , , , major] }) => {
      expected.faults++;
      expected.majorFaults += major;
    });
    system.on(['faultline:swap_unmap'], () => expected.evictions++);
    const spaces = new Set<number>();
    spawnWatched(system, [program]);
    for (let ns = COLUMN_NS; ; ns += COLUMN_NS) {
      for (const { id } of system.kernel.mm.spaces) spaces.add(id);
      if (system.run({ untilNs: ns }) === 'exited') break;
      maps.endColumns(Math.floor(system.kernel.clock.nowNs / COLUMN_NS));
    }
    expected.references = maps.references;
    const rows = [...spaces].flatMap((id) => maps.bandsOf(id, 50)).flatMap((band) => band.rows);
    const found = Object.fromEntries(
      HEAT_COUNTS.map((count) => [
        count,
        rows.reduce((sum, { counts }) => sum + (counts[count]?.reduce((of, each) => of + each, 0) ?? 0), 0),
      ]),
    );
    expect({ ...found, evictions: 0 }).toEqual({ ...expected, evictions: 0 });
    // Pages of files, too.
    expect(found.evictions).toBeGreaterThanOrEqual(expected.evictions);
    expect(found.evictions > 0).toBe(memoryMiB === 8);
    system.shutdown();
  });
});
