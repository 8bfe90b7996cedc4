import type { Kernel } from '../../kernel/kernel.ts';
import type { Vpn } from '../../machine/units.ts';
import { PageLives } from './page-lives.ts';

/** Pages of an address space one after the other that were accessed equally often, for equally long. */
export interface AccessRegion {
  readonly start: number;
  readonly end: number;
  /** In how many samples since the last snapshot. */
  readonly samples: number;
  /** For how many snapshots it has been so. */
  readonly age: number;
}

export interface AccessSnapshot {
  readonly pid: number;
  readonly regions: readonly AccessRegion[];
}

interface PageUse {
  samples: number;
  lastSample: number;
  before: number;
  age: number;
}

const PAGE_BYTES = 4096;

/**
 * How often each page of each process is accessed, as DAMON's monitoring tells it (Linux: mm/damon/core.c), but of every page and exactly:
 * time is cut in samples, and a page counts the samples in which it was referenced, until a snapshot.
 */
export class AccessFrequency {
  private readonly kernel: Kernel;
  private readonly lives: PageLives;
  /** asid -> page -> its use. */
  private readonly spaces = new Map<number, Map<number, PageUse>>();
  private sample = 0;

  /** Listens from now on. */
  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.lives = new PageLives(kernel, {
      referenced: (_page, _access, asid, at) => this.use(asid, at),
      freed: () => {},
    });
  }

  /** A sample is over. */
  nextSample(): void {
    this.sample++;
  }

  /** Of every process with mappings, in the order of pids: the mapped pages, and how often each was accessed since the snapshot before. */
  takeSnapshots(): AccessSnapshot[] {
    const snapshots: AccessSnapshot[] = [];
    for (const { pid, leader } of this.kernel.processes.values()) {
      if (leader.space === null || leader.kind !== 'user' || leader.space.vmas.first() === null) continue;
      const uses = this.spaces.get(leader.space.asidIfAny) ?? new Map<number, PageUse>();
      const regions: AccessRegion[] = [];
      for (let vma = leader.space.vmas.first(); vma !== null; vma = leader.space.vmas.next(vma))
        regions.push(...regionsOf(vma.startVpn, vma.endVpn, uses));
      snapshots.push({ pid, regions });
    }
    for (const uses of this.spaces.values()) for (const use of uses.values()) startAgain(use);
    return snapshots.sort((a, b) => a.pid - b.pid);
  }

  close(): void {
    this.lives.close();
  }

  private use(asid: number, at: Vpn): void {
    let uses = this.spaces.get(asid);
    if (uses === undefined) this.spaces.set(asid, (uses = new Map()));
    const use = uses.get(at);
    if (use === undefined) uses.set(at, { samples: 1, lastSample: this.sample, before: 0, age: 0 });
    else if (use.lastSample !== this.sample) {
      use.lastSample = this.sample;
      use.samples++;
    }
  }
}

function startAgain(use: PageUse): void {
  use.age = use.samples === use.before ? use.age + 1 : 0;
  use.before = use.samples;
  use.samples = 0;
}

/** From page to page, those that are alike together. What was never accessed has age 0. */
function regionsOf(start: number, end: number, uses: ReadonlyMap<number, PageUse>): AccessRegion[] {
  const used = [...uses.keys()].filter((page) => page >= start && page < end).sort((a, b) => a - b);
  const regions: { start: number; end: number; samples: number; age: number }[] = [];
  const add = (from: number, to: number, samples: number, age: number): void => {
    const last = regions.at(-1);
    if (from === to) return;
    if (last !== undefined && last.samples === samples && last.age === age) last.end = to * PAGE_BYTES;
    else regions.push({ start: from * PAGE_BYTES, end: to * PAGE_BYTES, samples, age });
  };
  let next = start;
  for (const page of used) {
    const { samples, before, age } = uses.get(page) as PageUse;
    add(next, page, 0, 0);
    add(page, page + 1, samples, samples === before ? age + 1 : 0);
    next = page + 1;
  }
  add(next, end, 0, 0);
  return regions;
}
