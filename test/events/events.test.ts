import { expect, test } from 'vitest';
import { type ColumnType, EVENT_FIELDS } from '../../src/base/event-fields.ts';
import * as K from '../../src/base/event-kinds.ts';
import { EventLog } from '../../src/observe/event-log/event-log.ts';
import { PageHistory } from '../../src/observe/page-life/page-history.ts';
import { Replay } from '../../src/replay.ts';
import type { System } from '../../src/system.ts';
import { runForEvents } from './event-run.ts';

/** Events against what the machine counts itself, and a replay's events against the run's. */
const MiB = 2 ** 20;
const TRANSITIONS = 'test/events/transitions.c';
const PRESSURE = { memoryBytes: 16 * MiB, swapBytes: 64 * MiB } as const;
/** Kinds that the log keeps, each as all its columns. */
const ALL = K.EVENT_KINDS.map((_, kind) => kind);

/** The values of a column added up, of the rows where another column has a value. */
function sum(log: EventLog, kind: number, field: string, where?: readonly [field: string, value: number]): number {
  const column = log.columnOf(kind, field);
  const chosen = where === undefined ? null : log.columnOf(kind, where[0]);
  let total = 0;
  for (let row = 0; row < column.length; row++) if (chosen === null || chosen[row] === where?.[1]) total += column[row];
  return total;
}

/** Rows where a column has a value. */
function count(log: EventLog, kind: number, field: string, value: number): number {
  let rows = 0;
  for (const each of log.columnOf(kind, field)) if (each === value) rows++;
  return rows;
}

/** Resident pages by space and kind, as page_map and page_unmap tell them, compared with each space that ends. */
function followRss(system: System): { readonly compared: () => number } {
  const pages = new Map<number, [number, number, number, number]>();
  let compared = 0;
  const add = (mm: number, member: number, by: number): void => {
    const counts = pages.get(mm) ?? [0, 0, 0, 0];
    counts[member] += by;
    pages.set(mm, counts);
  };
  const { events, mm } = system.kernel;
  events.subscribe([K.EV_PAGE_MAP], ({ values: [id, , , n, member] }) => add(id, member, n));
  events.subscribe([K.EV_PAGE_UNMAP], ({ values: [id, , , n, member] }) => add(id, member, -n));
  events.subscribe([K.EV_EXIT_MMAP], ({ values: [id] }) => {
    const space = [...mm.spaces].find((each) => each.id === id);
    const [file, anon, , shmem] = pages.get(id) ?? [0, 0, 0, 0];
    expect([file, anon, shmem]).toEqual([space?.rss[0], space?.rss[1], space?.rss[3]]);
    compared++;
  });
  return { compared: () => compared };
}

test.each(['mglru', 'two-list'] as const)(
  'sums of events are the counters of the kernel, under %s',
  async (reclaim) => {
    let log = null as EventLog | null;
    let rss = null as ReturnType<typeof followRss> | null;
    const before = { pswpout: 0 };
    const { system, output, exitStatus } = await runForEvents(TRANSITIONS, { ...PRESSURE, reclaim }, (made) => {
      Object.assign(before, made.kernel.vmstat);
      log = new EventLog(made.kernel.events, { maxEvents: 1_000_000 });
      rss = followRss(made);
    });
    expect([output, exitStatus]).toEqual(['child 0\nwrong 0\n', { code: 0, signal: null }]);
    const all = log as unknown as EventLog;
    expect([all.dropped, (rss as unknown as ReturnType<typeof followRss>).compared()]).toEqual([0, 2]);
    const { vmstat } = system.kernel;
    const { stat } = system.kernel.mm.alloc;
    const since = (name: keyof typeof vmstat): number => vmstat[name] - ((before as Record<string, number>)[name] ?? 0);
    const told = {
      pgfree: Array.from(all.columnOf(K.EV_PAGE_FREE, 'order'), (order) => 2 ** order).reduce((a, b) => a + b, 0),
      // The kernel's own faults are told as what they are for.
      pgfault: all.countOf(K.EV_PAGE_FAULT) + all.countOf(K.EV_KSM_BREAK),
      pgmajfault: all.countOf(K.EV_MAJOR_FAULT),
      pswpout: sum(all, K.EV_SWAP_OUT, 'stored'),
      pswpin: sum(all, K.EV_SWAP_IN, 'stored'),
      swpout_zero: count(all, K.EV_SWAP_OUT, 'stored', 0),
      swpin_zero: count(all, K.EV_SWAP_IN, 'stored', 0),
      swap_ra: all.countOf(K.EV_SWAP_READAHEAD),
      swap_ra_hit: all.countOf(K.EV_SWAP_READAHEAD_HIT),
      pgscan_kswapd: count(all, K.EV_RECLAIM_SCAN, 'by', 1),
      pgscan_direct: count(all, K.EV_RECLAIM_SCAN, 'by', 0),
      pgscan_anon: count(all, K.EV_RECLAIM_SCAN, 'swapbacked', 1),
      pgscan_file: count(all, K.EV_RECLAIM_SCAN, 'swapbacked', 0),
      pgsteal_kswapd: count(all, K.EV_RECLAIM_STEAL, 'by', 1),
      pgsteal_direct: count(all, K.EV_RECLAIM_STEAL, 'by', 0),
      pgsteal_anon: count(all, K.EV_RECLAIM_STEAL, 'swapbacked', 1),
      pgsteal_file: count(all, K.EV_RECLAIM_STEAL, 'swapbacked', 0),
      allocstall_normal: all.countOf(K.EV_DIRECT_RECLAIM_BEGIN),
      pageoutrun: all.countOf(K.EV_KSWAPD_WAKE),
      pgactivate: sum(all, K.EV_LRU_ACTIVATE, 'nr_pages'),
      pgdeactivate: sum(all, K.EV_LRU_DEACTIVATE, 'nr_pages'),
      pglazyfree: sum(all, K.EV_LAZYFREE, 'nr_pages'),
      pglazyfreed: all.countOf(K.EV_LAZYFREED),
      unevictable_pgs_mlocked: sum(all, K.EV_MLOCK, 'nr_pages'),
      unevictable_pgs_munlocked: sum(all, K.EV_MUNLOCK, 'nr_pages'),
      thp_fault_alloc: all.countOf(K.EV_THP_FAULT_ALLOC),
      thp_fault_fallback: all.countOf(K.EV_THP_FAULT_FALLBACK),
      thp_collapse_alloc: all.countOf(K.EV_COLLAPSE_HUGE_PAGE),
      thp_split_pmd: all.countOf(K.EV_THP_SPLIT_PMD),
      thp_split_page: all.countOf(K.EV_THP_SPLIT_PAGE),
      thp_deferred_split_page: all.countOf(K.EV_THP_DEFERRED_SPLIT),
      cow_ksm: sum(all, K.EV_COW_COPY, 'ksm'),
      ksm_swpin_copy: all.countOf(K.EV_KSM_SWPIN_COPY),
      nr_tlb_local_flush_one: count(all, K.EV_TLB_FLUSH, 'pages', 1),
      nr_tlb_local_flush_all: count(all, K.EV_TLB_FLUSH, 'pages', -1),
    } satisfies Partial<Record<keyof typeof vmstat, number>>;
    const names = Object.keys(told) as (keyof typeof told)[];
    expect(told).toEqual(Object.fromEntries(names.map((name) => [name, since(name)])));
    expect({
      anon: count(all, K.EV_WORKINGSET_REFAULT, 'swapbacked', 1),
      file: count(all, K.EV_WORKINGSET_REFAULT, 'swapbacked', 0),
      dirtied: all.countOf(K.EV_DIRTY_FOLIO),
    }).toEqual({
      anon: stat.workingset_refault_anon,
      file: stat.workingset_refault_file,
      dirtied: stat.nr_dirtied,
    });
    // Every fault of a program that was handled, by its kind.
    system.kernel.mm.faultCounts.forEach((faults, kind) => {
      expect(count(all, K.EV_PAGE_FAULT, 'kind', kind), `faults of kind ${kind}`).toBe(faults);
    });
    // It is a program that does all this.
    for (const name of [
      'pgmajfault',
      'pswpout',
      'pswpin',
      'thp_split_page',
      'cow_ksm',
      'pgscan_kswapd',
      'pglazyfree',
    ] as const)
      expect(told[name], name).toBeGreaterThan(0);
    expect(system.shutdown().leakedFrames).toBe(0);
  },
  120_000,
);

function bytesOf(log: EventLog, kind: number, field: string): Buffer {
  const { buffer, byteOffset, byteLength } = log.columnOf(kind, field);
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

test('a replay tells the same events, byte for byte', async () => {
  let log = null as EventLog | null;
  const { system, machine, journal } = await runForEvents(TRANSITIONS, PRESSURE, (made) => {
    log = new EventLog(made.kernel.events);
  });
  const first = log as unknown as EventLog;
  first.close();
  const replay = new Replay(machine, journal);
  const again = new EventLog(replay.system.kernel.events);
  expect(replay.forward({ at: 'end' })).toBe('ended');
  again.close();
  expect([again.length, again.dropped]).toEqual([first.length, 0]);
  for (const kind of ALL)
    for (const field of ['time_ns', 'common_pid', ...K.EVENT_KINDS[kind].fields])
      expect(bytesOf(again, kind, field).equals(bytesOf(first, kind, field)), `${kind} ${field}`).toBe(true);
  const order = (of: EventLog): number[] => {
    const kinds: number[] = [];
    of.forEach(({ kind }) => {
      kinds.push(kind);
    });
    return kinds;
  };
  expect(order(again)).toEqual(order(first));
  system.shutdown();
}, 120_000);

test('the life of a page tells who merged, used, moved, swapped and reclaimed it', async () => {
  let log = null as EventLog | null;
  const { system, machine, journal } = await runForEvents(TRANSITIONS, PRESSURE, (made) => {
    log = new EventLog(made.kernel.events, { kinds: [K.EV_KSM_MERGE, K.EV_SWAP_UNMAP, K.EV_PAGE_MOVE] });
  });
  const told = log as unknown as EventLog;
  const merged = told.columnOf(K.EV_KSM_MERGE, 'address')[0];
  const moved = told.columnOf(K.EV_PAGE_MOVE, 'address');
  const swapped = told.columnOf(K.EV_SWAP_UNMAP, 'address').find((address: number) => moved.indexOf(address) >= 0) ?? 0;
  const whatOf = (address: number): string[] => {
    const replay = new Replay(machine, journal);
    const history = new PageHistory(replay.system.kernel, address);
    replay.forward({ at: 'end' });
    return [...new Set(history.of(replay.programPid).map(({ what }) => what))];
  };
  expect(whatOf(merged)).toEqual(expect.arrayContaining(['mapped', 'fault', 'merged']));
  expect(whatOf(swapped)).toEqual(expect.arrayContaining(['mapped', 'fault', 'swapped', 'moved', 'unmapped']));
  const out = told.columnOf(K.EV_SWAP_UNMAP, 'address');
  const lives = [out[0], out[out.length >> 1], out[out.length - 1]].flatMap(whatOf);
  expect(lives).toEqual(expect.arrayContaining(['used', 'swapped', 'freed', 'reclaimed']));
  system.shutdown();
}, 120_000);

/** Programs that, with the unit tests of src/mm/thp/huge-events.test.ts, make events of all kinds. */
const PROGRAMS = [
  [TRANSITIONS, PRESSURE],
  [TRANSITIONS, { ...PRESSURE, reclaim: 'two-list' }],
  ['guest/mm-thp.c', {}],
  ['guest/mm-thp-deferred.c', {}],
  ['guest/mm-thp-shmem.c', {}],
  ['guest/proc-ksm-knobs.c', {}],
  ['guest/swap-pages.c', {}],
  ['guest/uffd-missing.c', {}],
  ['guest/mm-hugetlb.c', {}],
  ['guest/sig-basic.c', {}],
  ['test/guest/machines/cgroup-memory.c', { swapBytes: 64 * MiB }],
  ['test/guest/machines/hog.c', { memoryBytes: 8 * MiB }],
  ['test/events/shared-victim.c', { memoryBytes: 8 * MiB }],
] as const;
/** Those that only the unit tests make. */
const RARE = [
  'faultline:thp_fault_fallback',
  'faultline:thp_collapse_alloc_failed',
  'faultline:thp_split_page_failed',
] as const;

const TYPES = K.EVENT_KINDS.map(({ fields }) => fields.map((field) => EVENT_FIELDS[field].type));

function fits(type: ColumnType, value: number): boolean {
  if (type === 'f64') return !Number.isNaN(value);
  if (type === 'i32') return (value | 0) === value;
  return value >>> 0 === value && (type === 'u32' || value < 256);
}

test('programs make events of all kinds, and every value fits its column', async () => {
  const seen = new Set<string>(RARE);
  const misfits = new Set<string>();
  for (const [source, options] of PROGRAMS) {
    const { system } = await runForEvents(source, options, (made) => {
      followRss(made);
      const { events } = made.kernel;
      events.subscribe(ALL, ({ kind, values }) => {
        seen.add(K.EVENT_KINDS[kind].name);
        const types = TYPES[kind];
        for (let i = 0; i < types.length; i++)
          if (!fits(types[i], values[i])) misfits.add(`${K.EVENT_KINDS[kind].name} ${K.EVENT_KINDS[kind].fields[i]}`);
      });
    });
    system.shutdown();
  }
  expect([...misfits]).toEqual([]);
  expect(K.EVENT_KINDS.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([]);
}, 240_000);
