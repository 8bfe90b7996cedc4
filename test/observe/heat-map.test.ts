/** Heat maps: their cells add up to what the run did. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NodeEnvironment } from '../../cli/node-environment.ts';
import { compileForGuest } from '../../cli/toolchain.ts';
import { HEAT_COUNTS, type HeatCount, HeatMaps, MemoryEnvironment, System } from '../../src/index.ts';

const COLUMN_NS = 100_000;

async function compile(source: string): Promise<string> {
  const compiled = await compileForGuest(join(import.meta.dirname, 'programs', source), {});
  if ('error' in compiled) throw new Error(compiled.error);
  return compiled.elf;
}

describe('the heat maps of all spaces', () => {
  it.each([
    ['forks.c', 64],
    // Less RAM than it uses: it swaps.
    ['../../cli/rounds.c', 8],
  ])('of %s with %i MiB have each page run, each fault and each page that reclaim took', async (source, memoryMiB) => {
    const program = await compile(source);
    const { host } = new NodeEnvironment();
    const environment = new MemoryEnvironment({ host, onOutput: () => {} });
    const system = new System({ environment, memoryBytes: memoryMiB * 2 ** 20 });
    system.addSwap({ sizeBytes: 16 * 2 ** 20 });
    system.mount({ host: program, guest: program, mode: 'ro' });
    const maps = new HeatMaps(system.kernel, 1000);
    const expected: Record<HeatCount, number> = { references: 0, faults: 0, majorFaults: 0, evictions: 0 };
    system.on(['faultline:page_fault'], ({ values: [, , , , , major] }) => {
      expected.faults++;
      expected.majorFaults += major;
    });
    system.on(['faultline:swap_unmap'], () => expected.evictions++);
    const spaces = new Set<number>();
    expect(system.spawn(program, [program])).toBeGreaterThan(0);
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
