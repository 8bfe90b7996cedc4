import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import { MPOL_BIND } from '../../abi/mempolicy.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import type { Mempolicy } from '../mempolicy.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { GFP_HIGHUSER_MOVABLE } from '../phys/gfp.ts';
import { PG_anon_exclusive } from '../phys/page-flags.ts';
import { createTestMemory, type TestMemory } from '../testing/physical-memory.ts';
import type { AnonVma, AnonVmaChain } from './anon-vma.ts';
import type { IntervalNode } from './interval-tree.ts';
import type { PageTableEditor, RmapVma } from './rmap-vma.ts';
import { forEachMapping } from './rmap-walk.ts';
import { tryToUnmap } from './unmap.ts';
import { afterVmaResize, beforeVmaResize, linkFileVma, unlinkFileVma } from './vma-trees.ts';

/** A process as reverse mapping sees it: VMAs, and a page table that is a Map. */
class Process {
  readonly asid: number;
  vmas: TestVma[] = [];
  readonly table = new Map<number, Pfn>();

  constructor(asid: number) {
    this.asid = asid;
  }
}

class TestVma implements RmapVma {
  readonly space: Process;
  startVpn: Vpn;
  endVpn: Vpn;
  flags = 3;
  pgoff: number;
  file: { readonly pages: FilePages | null } | null = null;
  policy: Mempolicy | null = null;
  anonVma: AnonVma | null = null;
  anonVmaChain: AnonVmaChain[] = [];
  sharedNode: IntervalNode<RmapVma> | null = null;

  constructor(space: Process, start: number, end: number, pgoff: number) {
    this.space = space;
    this.startVpn = start as Vpn;
    this.endVpn = end as Vpn;
    this.pgoff = pgoff;
  }
}

class World implements PageTableEditor {
  readonly memory: TestMemory;
  processes: Process[] = [];
  private nextAsid = 1;

  constructor(memory: TestMemory) {
    this.memory = memory;
    memory.rmap.setEditor(this);
  }

  lockAgain(): void {}
  splitPage(): boolean {
    return false;
  }

  isHugeAt(): boolean {
    return false;
  }

  clearAccessed(): boolean {
    return false;
  }

  frameAt(vma: RmapVma, page: Vpn): Pfn | -1 {
    return (vma as TestVma).space.table.get(page) ?? NO_FRAME;
  }
  isDirty(): boolean {
    return false;
  }
  cleanPage(): boolean {
    return false;
  }
  unmapPage(vma: RmapVma, page: Vpn): void {
    const { table } = (vma as TestVma).space;
    const frame = table.get(page);
    if (frame === undefined) return;
    table.delete(page);
    this.memory.rmap.removeRmap(frame);
    this.memory.alloc.putFrame(frame);
  }
  zapRange(vma: RmapVma, start: Vpn, end: Vpn): void {
    for (let page: number = start; page < end; page++) this.unmapPage(vma, page as Vpn);
  }

  start(): Process {
    const process = new Process(this.nextAsid++);
    process.vmas.push(new TestVma(process, 100, 120, 100));
    this.processes.push(process);
    return process;
  }

  /** A store: a new page, or a copy of a page that is not exclusively ours. */
  store(vma: TestVma, page: Vpn): void {
    const { rmap, alloc, frames } = this.memory;
    const old = vma.space.table.get(page);
    if (old !== undefined && (frames.flags[old] & PG_anon_exclusive) !== 0) return;
    if (old !== undefined && frames.refcount[old] === 1) {
      rmap.moveAnonRmap(old, vma);
      return;
    }
    expect(rmap.anonVmas.prepare(vma)).toBe(0);
    this.unmapPage(vma, page);
    const frame = alloc.allocFrame(GFP_HIGHUSER_MOVABLE) as Pfn;
    rmap.addNewAnonRmap(frame, vma, page);
    vma.space.table.set(page, frame);
  }

  fork(parent: Process): Process {
    const { rmap, alloc } = this.memory;
    const child = new Process(this.nextAsid++);
    for (const vma of parent.vmas) {
      const copy = new TestVma(child, vma.startVpn, vma.endVpn, vma.pgoff);
      expect(rmap.anonVmas.fork(copy, vma)).toBe(0);
      child.vmas.push(copy);
    }
    for (const [page, frame] of parent.table) {
      rmap.dupAnonRmap(frame);
      alloc.getFrame(frame);
      child.table.set(page, frame);
    }
    this.processes.push(child);
    return child;
  }

  split(process: Process, vma: TestVma, at: Vpn): void {
    const { rmap } = this.memory;
    const upper = new TestVma(process, at, vma.endVpn, vma.pgoff + (at - vma.startVpn));
    upper.anonVma = vma.anonVma;
    expect(rmap.anonVmas.clone(upper, vma)).toBe(0);
    beforeVmaResize(vma);
    vma.endVpn = at;
    afterVmaResize(vma);
    process.vmas.push(upper);
  }

  exit(process: Process): void {
    for (const vma of process.vmas) this.zapRange(vma, vma.startVpn, vma.endVpn);
    for (const vma of process.vmas) this.memory.rmap.anonVmas.unlink(vma);
    this.processes = this.processes.filter((each) => each !== process);
  }

  /** Every frame's mappings, by looking into every page table. */
  check(): void {
    const { rmap, frames } = this.memory;
    const expected = new Map<Pfn, string[]>();
    for (const { asid, table } of this.processes)
      for (const [page, frame] of table) expected.set(frame, [...(expected.get(frame) ?? []), `${asid}:${page}`]);
    for (const [frame, places] of expected) {
      const found: string[] = [];
      forEachMapping(rmap, frame, (vma, page) => found.push(`${vma.space.asid}:${page}`));
      expect(found.sort()).toEqual(places.sort());
      expect(frames.mapcount[frame]).toBe(places.length);
    }
    expect(rmap.anonVmas.findBroken()).toBeNull();
  }
}

describe('Rmap', () => {
  it('finds all mappings through stores, forks, splits and exits (R1, R2, A1 to A4)', () => {
    const step = fc.record({
      kind: fc.constantFrom('store', 'store', 'store', 'fork', 'split', 'exit', 'unmap'),
      who: fc.nat(),
      which: fc.nat(),
      page: fc.nat({ max: 19 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new World(createTestMemory(2048));
        const { memory } = world;
        world.start();
        for (const { kind, who, which, page } of steps) {
          if (world.processes.length === 0) world.start();
          const process = world.processes[who % world.processes.length];
          const vma = process.vmas[which % process.vmas.length];
          const vpn = (vma.startVpn + (page % (vma.endVpn - vma.startVpn))) as Vpn;
          if (kind === 'store') world.store(vma, vpn);
          else if (kind === 'fork' && world.processes.length < 8) world.fork(process);
          else if (kind === 'split' && vpn > vma.startVpn) world.split(process, vma, vpn);
          else if (kind === 'exit') world.exit(process);
          else if (kind === 'unmap') {
            const frame = process.table.get(vpn);
            if (frame === undefined) continue;
            memory.alloc.getFrame(frame);
            expect(tryToUnmap(memory.rmap, frame)).toBe(true);
            expect(memory.frames.refcount[frame]).toBe(1);
            memory.alloc.putFrame(frame);
          }
          world.check();
        }
        memory.check();
        for (const process of [...world.processes]) world.exit(process);
        expect(memory.rmap.anonVmas.count).toBe(0);
        for (const cache of memory.slab.caches) expect(cache.activeCount).toBe(0);
        memory.slab.shrink();
        expect(memory.alloc.freeCount).toBe(memory.alloc.totalCount);
      }),
      { numRuns: 80 },
    );
  });

  it('reuses an AnonVma in a chain of forks whose parents exit (num_active_vmas rule), so it stays short', () => {
    const world = new World(createTestMemory(2048));
    let process = world.start();
    world.store(process.vmas[0], 100 as Vpn);
    for (let i = 0; i < 50; i++) {
      const child = world.fork(process);
      world.store(child.vmas[0], 100 as Vpn);
      world.exit(process);
      process = child;
      expect(process.vmas[0].anonVmaChain.length).toBeLessThanOrEqual(3);
    }
    expect(world.memory.rmap.anonVmas.count).toBeLessThanOrEqual(3);
    world.check();
  });

  it('gives children below one root, and keeps the root while they live (A4)', () => {
    const world = new World(createTestMemory(2048));
    const parent = world.start();
    world.store(parent.vmas[0], 100 as Vpn);
    const root = parent.vmas[0].anonVma as AnonVma;
    const child = world.fork(parent);
    const own = child.vmas[0].anonVma as AnonVma;
    expect(own).not.toBe(root);
    expect([own.parent, own.root]).toEqual([root, root]);
    expect([root.numChildren, root.refcount, child.vmas[0].anonVmaChain.length]).toEqual([2, 2, 2]);
    world.exit(parent);
    expect(root.refcount).toBe(2);
    world.exit(child);
    expect(world.memory.rmap.anonVmas.count).toBe(0);
  });

  it("shares a neighbour's AnonVma only where the VMAs could merge (find_mergeable_anon_vma)", () => {
    const world = new World(createTestMemory(2048));
    const process = world.start();
    const [low] = process.vmas;
    const high = new TestVma(process, 120, 130, 120);
    world.memory.rmap.anonVmas.setNeighbourFinder({
      prevVma: (vma) => (vma === high ? low : null),
      nextVma: (vma) => (vma === low ? high : null),
    });
    process.vmas.push(high);
    world.store(low, 100 as Vpn);
    high.pgoff = 500;
    expect(world.memory.rmap.anonVmas.findMergeable(high)).toBeNull();
    high.pgoff = 120;
    high.policy = { mode: MPOL_BIND, flags: 0, nodes: 1, userNodes: 1, homeNode: -1 };
    expect(world.memory.rmap.anonVmas.findMergeable(high)).toBeNull();
    high.policy = null;
    high.flags = 1; // rights may differ
    world.store(high, 125 as Vpn);
    expect(high.anonVma).toBe(low.anonVma);
    expect(low.anonVma?.numActiveVmas).toBe(2);
    world.check();
  });

  it('says -ENOMEM and leaves nothing behind when the slab is empty', () => {
    const world = new World(createTestMemory(64));
    const process = world.start();
    world.store(process.vmas[0], 100 as Vpn);
    const { alloc, rmap, slab } = world.memory;
    while (alloc.allocFrame(GFP_HIGHUSER_MOVABLE) !== NO_FRAME);
    while (slab.cacheNamed('anon_vma').alloc() !== 0);
    const child = new TestVma(new Process(9), 100, 120, 100);
    const before = slab.cacheNamed('anon_vma_chain').activeCount;
    expect(rmap.anonVmas.fork(child, process.vmas[0])).toBe(-12);
    expect([child.anonVma, child.anonVmaChain.length]).toEqual([null, 0]);
    expect(slab.cacheNamed('anon_vma_chain').activeCount).toBe(before);
    expect(rmap.anonVmas.findBroken()).toBeNull();
  });

  it('finds file mappings by page offset and zaps a range of them', () => {
    const world = new World(createTestMemory(2048));
    const { pageCache, rmap, alloc, frames, check } = world.memory;
    const file = pageCache.createFile(null);
    file.sizeBytes = 40 * 4096;
    const [one, two] = [world.start(), world.start()];
    one.vmas = [new TestVma(one, 1000, 1010, 5)];
    two.vmas = [new TestVma(two, 2000, 2020, 0)];
    for (const process of [one, two]) {
      const [vma] = process.vmas;
      vma.file = { pages: file };
      linkFileVma(vma);
      for (let page: number = vma.startVpn; page < vma.endVpn; page++) {
        const frame = pageCache.ensurePage(file, vma.pgoff + (page - vma.startVpn)) as Pfn;
        rmap.addFileRmap(frame);
        process.table.set(page, frame);
      }
    }
    world.check();
    check();
    expect(frames.mapcount[file.findPage(7)]).toBe(2);
    expect(alloc.stat.nr_mapped).toBe(20);
    pageCache.truncate(file, 6 * 4096 + 100);
    expect([...one.table.keys()]).toEqual([1000, 1001]);
    expect(two.table.size).toBe(7);
    expect([file.pageCount, alloc.stat.nr_shmem]).toEqual([7, 7]);
    world.check();
    check();
    for (const process of [one, two]) {
      world.exit(process);
      unlinkFileVma(process.vmas[0]);
    }
    pageCache.evict(file);
    check();
  });
});
