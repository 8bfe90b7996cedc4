import { EAGAIN, EINTR, EINVAL } from '../../abi/errno.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { MEMORY_EVENTS, type Memcg, SWAP_EVENTS } from '../../mm/memcg/memcg.ts';
import { collectMemoryStat, collectNumaStat } from '../../mm/memcg/memory-stat.ts';
import { NO_LIMIT, type PageCounter, type PeakWatch } from '../../mm/memcg/page-counter.ts';
import type { Kernel } from '../kernel.ts';
import { currentTask } from '../procfs/current-task.ts';
import { hasPendingSignal } from '../signals/pending-test.ts';
import type { Cgroup } from './cgroup.ts';
import { type CgroupFileRow, type OpenCgroupFile, parseInteger } from './file-row.ts';
import { killForLimit } from './memcg-oom.ts';

/** MAX_RECLAIM_RETRIES: rounds in vain before it is enough. */
const MAX_RECLAIM_RETRIES = 16;
const UNITS = 'kmgtpe';
const MAX_SWAPPINESS = 200;

/** memparse: a number, decimal or 0x or 0 in front, and a unit; null where something else is behind it. */
function parseBytes(text: string): number | null {
  const found = /^(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)([kmgtpe]?)$/i.exec(text);
  if (found === null) return null;
  const [, digits, unit] = found;
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return value * 1024 ** (unit === '' ? 0 : 1 + UNITS.indexOf(unit.toLowerCase()));
}

/** page_counter_memparse: whole pages. */
function parsePages(text: string): number | null {
  if (text === 'max') return NO_LIMIT;
  const bytes = parseBytes(text);
  return bytes === null ? null : Math.floor(bytes / PAGE_SIZE);
}

const bytesText = (pages: number): string => (pages === NO_LIMIT ? 'max\n' : `${pages * PAGE_SIZE}\n`);

function pagesRow(name: string, of: (memcg: Memcg) => number): CgroupFileRow {
  return { name, where: 'below root', mode: 0o444, read: (_k, { memcg }) => bytesText(of(memcg)) };
}

/** An open memory.peak: whatever is written to it, it shows the peak since then (memory_peak_write). */
export class OpenPeakFile implements OpenCgroupFile, PeakWatch {
  valuePages: number | null = null;
  private readonly counter: PageCounter;

  constructor(counter: PageCounter) {
    this.counter = counter;
  }

  read(): string {
    return bytesText(this.counter.peakOf(this));
  }

  write(): number {
    this.counter.resetPeak(this);
    return 0;
  }

  release(): void {
    this.counter.endPeak(this);
  }
}

function peakRow(name: string, of: (memcg: Memcg) => PageCounter): CgroupFileRow {
  return { name, where: 'below root', mode: 0o644, open: (_k, { memcg }) => new OpenPeakFile(of(memcg)) };
}

function limitRow(
  name: string,
  of: (memcg: Memcg) => number,
  set: (k: Kernel, memcg: Memcg, pages: number) => void,
): CgroupFileRow {
  return {
    ...pagesRow(name, of),
    mode: 0o644,
    write: (k, { memcg }, text) => {
      const pages = parsePages(text);
      if (pages === null) return -EINVAL;
      set(k, memcg, pages);
      return 0;
    },
  };
}

/** memory_max_write: what is too much goes, or else somebody. */
function setMax(k: Kernel, memcg: Memcg, max: number): void {
  const { memory } = memcg;
  memory.max = max;
  let retries = MAX_RECLAIM_RETRIES;
  while (memory.usage > max) {
    if (isInterrupted(k)) return;
    if (retries > 0) {
      if (k.mm.memcgs.reclaim(memcg, memory.usage - max) === 0) retries--;
      continue;
    }
    k.mm.memcgs.noteEvent(memcg, 'oom');
    if (killForLimit(k, memcg) === 'none') return;
    retries = 1;
  }
}

/** memory_high_write. */
function setHigh(k: Kernel, memcg: Memcg, high: number): void {
  const { memory } = memcg;
  memory.high = high;
  for (let retries = MAX_RECLAIM_RETRIES; memory.usage > high && !isInterrupted(k); ) {
    if (k.mm.memcgs.reclaim(memcg, memory.usage - high) === 0 && retries-- === 0) return;
  }
}

function isInterrupted(k: Kernel): boolean {
  const task = currentTask(k);
  return task !== null && hasPendingSignal(task);
}

/** user_proactive_reclaim (6.18): -EAGAIN where it cannot all be had. */
function reclaim(k: Kernel, cgroup: Cgroup, text: string): number {
  const [amount, ...options] = text.split(/\s+/);
  const bytes = parseBytes(amount);
  if (bytes === null) return -EINVAL;
  let swappiness: number | undefined;
  for (const option of options) {
    const found = /^swappiness=(\d+|max)$/.exec(option);
    if (found === null) return -EINVAL;
    // 'max': anonymous memory alone (SWAPPINESS_ANON_ONLY).
    swappiness = found[1] === 'max' ? MAX_SWAPPINESS + 1 : Number(found[1]);
    if (found[1] !== 'max' && swappiness > MAX_SWAPPINESS) return -EINVAL;
  }
  const wanted = Math.floor(bytes / PAGE_SIZE);
  let freed = 0;
  for (let retries = MAX_RECLAIM_RETRIES; freed < wanted; ) {
    if (isInterrupted(k)) return -EINTR;
    const now = k.mm.memcgs.reclaim(cgroup.memcg, wanted - freed, 'proactive', swappiness);
    if (now === 0 && retries-- === 0) return -EAGAIN;
    freed += now;
  }
  return 0;
}

const eventRows = (names: readonly string[], counts: Readonly<Record<string, number>>): string =>
  names.map((name) => `${name} ${counts[name]}\n`).join('');

function eventsRow(name: string, of: (memcg: Memcg) => string): CgroupFileRow {
  return { name, where: 'below root', mode: 0o444, read: (_k, { memcg }) => of(memcg) };
}

function setOomGroup(_k: Kernel, { memcg }: Cgroup, text: string): number {
  const value = parseInteger(text);
  if (value !== 0 && value !== 1) return -EINVAL;
  memcg.oomGroup = value;
  return 0;
}

/** memory_files and swap_files (6.18, mm/memcontrol.c). There is no zswap. */
export const MEMORY_FILES: readonly CgroupFileRow[] = [
  pagesRow('memory.current', ({ memory }) => memory.usage),
  peakRow('memory.peak', ({ memory }) => memory),
  limitRow(
    'memory.min',
    ({ memory }) => memory.min,
    (_k, { memory }, pages) => {
      memory.min = pages;
    },
  ),
  limitRow(
    'memory.low',
    ({ memory }) => memory.low,
    (_k, { memory }, pages) => {
      memory.low = pages;
    },
  ),
  limitRow('memory.high', ({ memory }) => memory.high, setHigh),
  limitRow('memory.max', ({ memory }) => memory.max, setMax),
  {
    // mount option memory_localevents.
    ...eventsRow('memory.events', ({ events }) => eventRows(MEMORY_EVENTS, events)),
    read: (k, { memcg }) =>
      eventRows(MEMORY_EVENTS, k.cgroups.options.localMemoryEvents ? memcg.localEvents : memcg.events),
  },
  eventsRow('memory.events.local', ({ localEvents }) => eventRows(MEMORY_EVENTS, localEvents)),
  {
    name: 'memory.stat',
    where: 'everywhere',
    mode: 0o444,
    read: (k, { memcg }) =>
      collectMemoryStat(k.mm.memcgs, memcg)
        .map(([name, value]) => `${name} ${value}\n`)
        .join(''),
  },
  {
    name: 'memory.numa_stat',
    where: 'everywhere',
    mode: 0o444,
    read: (k, { memcg }) =>
      collectNumaStat(k.mm.memcgs, memcg)
        .map(([name, value]) => `${name} N0=${value}\n`)
        .join(''),
  },
  {
    name: 'memory.oom.group',
    where: 'below root',
    mode: 0o644,
    read: (_k, { memcg }) => `${memcg.oomGroup}\n`,
    write: setOomGroup,
    delegated: 'yes',
  },
  { name: 'memory.reclaim', where: 'everywhere', mode: 0o200, write: reclaim, delegated: 'yes' },
  pagesRow('memory.swap.current', ({ swap }) => swap.usage),
  limitRow(
    'memory.swap.high',
    ({ swap }) => swap.high,
    (_k, { swap }, pages) => {
      swap.high = pages;
    },
  ),
  limitRow(
    'memory.swap.max',
    ({ swap }) => swap.max,
    (_k, { swap }, pages) => {
      swap.max = pages;
    },
  ),
  peakRow('memory.swap.peak', ({ swap }) => swap),
  eventsRow('memory.swap.events', ({ swapEvents }) => eventRows(SWAP_EVENTS, swapEvents)),
];
