/** Working sets: what the accessed bits say, and what the whole reference stream says. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type System, WorkingSets } from '../../src/index.ts';
import { compileProgram, makeWatched, spawnWatched } from './watched-machine.ts';

const PAGE = 4096;
const TICK_NS = 1000;

async function compile(source: string): Promise<string> {
  return compileProgram(join(import.meta.dirname, 'programs', source));
}

function start(program: string, memoryMiB = 64): System {
  const system = makeWatched(program, { memoryMiB });
  spawnWatched(system, [program]);
  return system;
}

function listen(system: System): WorkingSets {
  return new WorkingSets(system.kernel, { firstNs: TICK_NS, tickNs: TICK_NS, followedTicks: 10 });
}

/** Stops at each tick. */
function runTo(system: System, sets: WorkingSets, untilNs: number): 'there' | 'exited' {
  const { clock } = system.kernel;
  for (let ns = (1 + Math.floor(clock.nowNs / TICK_NS)) * TICK_NS; ns <= untilNs; ns += TICK_NS) {
    if (system.run({ untilNs: ns }) === 'exited') return 'exited';
    sets.endTick();
  }
  return 'there';
}

describe('the working set', () => {
  it('is what smaps calls Referenced, one window after its accessed bits were cleared: as wss.pl measures it', async () => {
    const program = await compile('phases.c');
    // While the program stays with few pages, and while it wanders: it takes no faults then, which make pages young before they are accessed.
    for (const [atNs, windowTicks] of [
      [480_000, 64],
      [560_000, 16],
      [600_000, 64],
    ]) {
      const system = start(program);
      const sets = listen(system);
      expect(runTo(system, sets, atNs - windowTicks * TICK_NS)).toBe('there');
      system.writeFile('/proc/6/clear_refs', new TextEncoder().encode('1'));
      expect(runTo(system, sets, atNs)).toBe('there');
      const smaps = new TextDecoder().decode(system.readFile('/proc/6/smaps') as Uint8Array);
      const referenced = [...smaps.matchAll(/^Referenced: +(\d+) kB$/gm)].reduce(
        (sum, [, kib]) => sum + Number(kib),
        0,
      );
      const { windows, rss } = sets.list()[0];
      expect((windows.find(({ ticks }) => ticks === windowTicks)?.pages ?? 0) * PAGE).toBe(referenced * 1024);
      expect(referenced * 1024).toBeLessThan(rss / 2);
      system.shutdown();
    }
  });

  it.each([
    ['forks.c', 64],
    // Less RAM than it uses: it swaps.
    ['../../cli/rounds.c', 8],
  ])('of %s with %i MiB is that of its stream of page runs', async (source, memoryMiB) => {
    const program = await compile(source);
    const first = start(program, memoryMiB);
    const sets = listen(first);
    expect(runTo(first, sets, Number.POSITIVE_INFINITY)).toBe('exited');
    const found = sets.list();
    first.shutdown();

    const second = start(program, memoryMiB);
    const { spaces, mmu } = second.kernel.mm;
    const touched = new Map<number, Set<number>>();
    const setStream = mmu.setReferenceStream.bind(mmu);
    mmu.setReferenceStream = (stream) =>
      setStream({
        referenced: (asid, at, frame, access) => {
          const id = [...spaces].find((space) => space.asidIfAny === asid)?.id ?? 0;
          touched.set(id, (touched.get(id) ?? new Set()).add(at));
          stream?.referenced(asid, at, frame, access);
        },
      });
    const again = listen(second);
    expect(runTo(second, again, Number.POSITIVE_INFINITY)).toBe('exited');
    expect(again.list()).toEqual(found);
    expect(again.machine.list()).toEqual(sets.machine.list());
    second.shutdown();
    // The longest window has all pages.
    for (const { space, windows } of found) expect(windows.at(-1)?.pages).toBe(touched.get(space)?.size);
    expect(found.length).toBe(touched.size);
  });
});
