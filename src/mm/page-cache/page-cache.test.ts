import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import { EIO } from '../../abi/errno.ts';
import { BufferSink, BufferSource, type IoSource } from '../../base/io.ts';
import { PAGE_SIZE, type Pfn, type Vpn } from '../../machine/units.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { GFP_HIGHUSER_MOVABLE } from '../phys/gfp.ts';
import type { RmapVma } from '../rmap/rmap-vma.ts';
import { linkFileVma, unlinkFileVma } from '../rmap/vma-trees.ts';
import { createTestMemory } from '../testing/physical-memory.ts';
import { readInto, writeFrom } from './file-io.ts';
import type { PageBacking } from './file-pages.ts';

class FakeBacking implements PageBacking {
  bytes: Uint8Array;
  length: number;
  requests = 0;
  failReads = false;
  writeError = 0;
  written: number[] = [];

  constructor(initial: Uint8Array, capacityBytes = 1 << 20) {
    this.bytes = new Uint8Array(capacityBytes);
    this.bytes.set(initial);
    this.length = initial.length;
  }
  get sizeBytes(): number {
    return this.length;
  }
  set sizeBytes(bytes: number) {
    if (bytes < this.length) this.bytes.fill(0, bytes, this.length);
    this.length = bytes;
  }
  readPage(index: number, into: Uint8Array): number {
    return this.readPages(index, into);
  }
  readPages(index: number, into: Uint8Array): number {
    this.requests++;
    if (this.failReads) return -EIO;
    const from = index * PAGE_SIZE;
    const count = Math.max(0, Math.min(into.length, this.length - from));
    into.set(this.bytes.subarray(from, from + count));
    return count;
  }
  writePage(index: number, from: Uint8Array, lengthBytes: number): number {
    if (this.writeError !== 0) return this.writeError;
    this.written.push(index);
    this.bytes.set(from.subarray(0, lengthBytes), index * PAGE_SIZE);
    return lengthBytes;
  }
}

const pattern = (length: number, seed = 7): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * seed + (i >>> 8)) & 255);

/** A source that faults after some bytes. */
class FaultySource implements IoSource {
  faulted = false;
  private left: number;
  private readonly size: number;
  constructor(size: number, goodBytes: number) {
    this.size = size;
    this.left = goodBytes;
  }
  get remaining(): number {
    return this.faulted ? 0 : this.size;
  }
  take(into: Uint8Array): number {
    const count = Math.min(into.length, this.left);
    into.fill(0xee, 0, count);
    this.left -= count;
    if (count < into.length) this.faulted = true;
    return count;
  }
  takePresent(into: Uint8Array): number {
    const count = Math.min(into.length, this.left);
    into.fill(0xee, 0, count);
    this.left -= count;
    return count;
  }
  faultIn(): boolean {
    this.faulted = true;
    return false;
  }
}

describe('PageCache', () => {
  it.each(['file', 'shmem'] as const)(
    '%s: agrees with a byte array under reads, writes, truncation, write-back, reclaim',
    (kind) => {
      const position = fc.nat({ max: 60_000 });
      const step = fc.record({
        what: fc.constantFrom('write', 'write', 'read', 'truncate', 'sync', 'reclaim', 'invalidate', 'faulty'),
        position,
        length: fc.nat({ max: 20_000 }),
        seed: fc.integer({ min: 1, max: 255 }),
      });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), fc.nat({ max: 30_000 }), (steps, initial) => {
          const memory = createTestMemory(256);
          const { pageCache, alloc, reclaimer, check } = memory;
          const backing = kind === 'file' ? new FakeBacking(pattern(initial)) : null;
          const file = pageCache.createFile(backing);
          let model = new Uint8Array(100_000);
          let size = 0;
          if (backing !== null) {
            model.set(pattern(initial));
            size = initial;
          }
          for (const { what, position, length, seed } of steps) {
            if (what === 'write') {
              const bytes = pattern(length, seed);
              expect(writeFrom(pageCache, file, position, new BufferSource(bytes))).toBe(length);
              model.set(bytes, position);
              if (length > 0) size = Math.max(size, position + length);
            } else if (what === 'faulty') {
              const good = Math.floor(length / 3);
              const moved = writeFrom(pageCache, file, position, new FaultySource(length + 1, good));
              expect(moved).toBe(good === 0 ? -14 : good);
              model.fill(0xee, position, position + good);
              // shmem's size grows to where the failed write begins (shmem_write_end, 6.18).
              if (good > 0 || kind === 'shmem') size = Math.max(size, position + good);
            } else if (what === 'read') {
              const sink = new BufferSink(length);
              const expected = model.subarray(position, Math.max(position, Math.min(size, position + length)));
              expect(readInto(pageCache, file, position, sink)).toBe(expected.length);
              expect(Buffer.compare(sink.filled, expected)).toBe(0);
            } else if (what === 'truncate') {
              pageCache.truncate(file, position);
              if (position < size) model = model.fill(0, position);
              size = position;
            } else if (what === 'sync') {
              expect(pageCache.writeback(file)).toBe(0);
              if (backing !== null)
                expect(Buffer.compare(backing.bytes.subarray(0, size), model.subarray(0, size))).toBe(0);
              expect(alloc.stat.nr_dirty).toBe(0);
            } else if (what === 'reclaim') reclaimer.reclaim(1000);
            else pageCache.invalidate(file);
            expect(file.sizeBytes).toBe(size);
            check();
          }
          const sink = new BufferSink(100_000);
          readInto(pageCache, file, 0, sink);
          expect(Buffer.compare(sink.filled, model.subarray(0, size))).toBe(0);
          pageCache.evict(file);
          check();
          memory.slab.shrink();
          expect(alloc.freeCount).toBe(alloc.totalCount);
        }),
        { numRuns: 60 },
      );
    },
  );

  it('reads around a fault in one request, and doubles the window of a sequential read', () => {
    const { pageCache, alloc } = createTestMemory();
    const backing = new FakeBacking(pattern(100 * PAGE_SIZE));
    const file = pageCache.createFile(backing);
    alloc.putFrame(pageCache.ensurePage(file, 50) as Pfn);
    expect([pageCache.lastEnsureWasMajor, backing.requests, file.pageCount]).toEqual([true, 1, 32]);
    expect([file.findPage(33), file.findPage(66)]).toEqual([NO_FRAME, NO_FRAME]);
    alloc.putFrame(pageCache.ensurePage(file, 60) as Pfn);
    expect(pageCache.lastEnsureWasMajor).toBe(false);
    pageCache.invalidate(file);
    backing.requests = 0;
    readInto(pageCache, file, 0, new BufferSink(100 * PAGE_SIZE));
    expect(backing.requests).toBe(6); // 4 + 8 + 16 + 32 + 32 + 8
  });

  it('reports the error of a read, and of a write once (fsync)', () => {
    const { pageCache, check } = createTestMemory();
    const backing = new FakeBacking(pattern(3 * PAGE_SIZE));
    const file = pageCache.createFile(backing);
    backing.failReads = true;
    expect(pageCache.ensurePage(file, 1)).toBe(-EIO);
    expect(readInto(pageCache, file, 0, new BufferSink(10))).toBe(-EIO);
    expect(file.pageCount).toBe(0);
    backing.failReads = false;
    writeFrom(pageCache, file, 0, new BufferSource(pattern(10)));
    backing.writeError = -28;
    expect(pageCache.writeback(file)).toBe(-28);
    const cursor = { writebackSince: 0 };
    expect([file.writebackErrors.take(cursor), file.writebackErrors.take(cursor)]).toEqual([-28, 0]);
    check();
  });

  it('writes only dirty pages of the range back', () => {
    const { pageCache, vmstat } = createTestMemory();
    const backing = new FakeBacking(pattern(300 * PAGE_SIZE), 2 << 20);
    const file = pageCache.createFile(backing);
    for (const index of [3, 70, 71, 200]) writeFrom(pageCache, file, index * PAGE_SIZE, new BufferSource(pattern(5)));
    expect(pageCache.writeback(file, 4, 72)).toBe(0);
    expect(backing.written).toEqual([70, 71]);
    expect(pageCache.writebackAll()).toBe(0);
    expect(backing.written).toEqual([70, 71, 3, 200]);
    expect(vmstat.pgpgout).toBe(16);
  });

  it('writes pages in a row at once, and each by itself where that fails', () => {
    class RunBacking extends FakeBacking {
      readonly runs: [number, Uint8Array][] = [];
      runError = 0;
      writePages(index: number, bytes: Uint8Array): number {
        this.runs.push([index, bytes.slice()]);
        return this.runError;
      }
    }
    const { pageCache, vmstat, check } = createTestMemory();
    const backing = new RunBacking(pattern(6 * PAGE_SIZE + 50));
    const file = pageCache.createFile(backing);
    // Out of order, so that their frames do not lie in a row.
    const stored = [5, 6, 3].map((index) => ({ index, bytes: pattern(PAGE_SIZE, index) }));
    for (const { index, bytes } of stored)
      writeFrom(pageCache, file, index * PAGE_SIZE, new BufferSource(bytes.subarray(0, index === 6 ? 50 : PAGE_SIZE)));
    expect(pageCache.writeback(file)).toBe(0);
    expect(backing.runs).toEqual([[5, Uint8Array.of(...stored[0].bytes, ...stored[1].bytes.subarray(0, 50))]]);
    expect(backing.written).toEqual([3]);
    expect(vmstat.pgpgout).toBe(12);
    backing.runError = -EIO;
    for (const index of [1, 0]) writeFrom(pageCache, file, index * PAGE_SIZE, new BufferSource(pattern(5)));
    expect(pageCache.writeback(file)).toBe(0);
    expect(backing.written).toEqual([3, 0, 1]);
    backing.writeError = -28;
    for (const index of [1, 0]) writeFrom(pageCache, file, index * PAGE_SIZE, new BufferSource(pattern(5)));
    expect(pageCache.writeback(file)).toBe(-28);
    check();
  });

  it('takes WRITE and DIRTY from mappings before it writes, so that the next store is noticed (folio_mkclean)', () => {
    const { pageCache, rmap, alloc, check } = createTestMemory();
    const backing = new FakeBacking(pattern(2 * PAGE_SIZE + 100));
    const file = pageCache.createFile(backing);
    const frame = pageCache.ensurePage(file, 2) as Pfn;
    const vma: RmapVma = {
      space: { asid: 1 },
      startVpn: 50 as Vpn,
      endVpn: 53 as Vpn,
      flags: 0,
      pgoff: 0,
      file: { pages: file },
      policy: null,
      anonVma: null,
      anonVmaChain: [],
      sharedNode: null,
    };
    const cleaned: number[] = [];
    rmap.setEditor({
      frameAt: (_, page) => (page === 52 ? frame : NO_FRAME),
      isDirty: () => false,
      splitPage: () => false,
      isHugeAt: () => false,
      lockAgain: () => {},
      clearAccessed: () => false,
      cleanPage: (_, page) => {
        expect(backing.written).toEqual([]);
        return cleaned.push(page) > 0;
      },
      unmapPage: () => {},
      zapRange: () => {},
    });
    linkFileVma(vma);
    rmap.addFileRmap(frame); // the entry takes ensurePage's reference
    pageCache.markDirty(frame);
    pageCache.ram.bytesOf(frame).fill(9); // a store through the mapping, past the end too
    expect(pageCache.writeback(file)).toBe(0);
    expect([cleaned, backing.written]).toEqual([[52], [2]]);
    expect([backing.bytes[2 * PAGE_SIZE + 99], backing.bytes[2 * PAGE_SIZE + 100]]).toEqual([9, 0]);
    expect(pageCache.ram.bytesOf(frame)[100]).toBe(0); // C6
    expect(pageCache.invalidate(file)).toBe(2); // not the mapped one
    check();
    rmap.removeRmap(frame);
    alloc.putFrame(frame);
    unlinkFileVma(vma);
    pageCache.evict(file);
    check();
  });

  it('gives memory to others when it runs short, clean pages before dirty ones, oldest first', () => {
    const memory = createTestMemory(256);
    const { pageCache, alloc, check, vmstat } = memory;
    const backing = new FakeBacking(pattern(150 * PAGE_SIZE));
    const file = pageCache.createFile(backing);
    for (let index = 0; index < 150; index++) alloc.putFrame(pageCache.ensurePage(file, index, 'none') as Pfn);
    writeFrom(pageCache, file, 0, new BufferSource(pattern(PAGE_SIZE, 3)));
    const held: Pfn[] = [];
    while (file.pageCount > 100) held.push(alloc.allocFrame(GFP_HIGHUSER_MOVABLE) as Pfn);
    expect([file.findPage(0) >= 0, file.findPage(1), file.findPage(149) >= 0]).toEqual([true, NO_FRAME, true]);
    expect(backing.written).toEqual([]);
    for (
      let frame = alloc.allocFrame(GFP_HIGHUSER_MOVABLE);
      frame !== NO_FRAME;
      frame = alloc.allocFrame(GFP_HIGHUSER_MOVABLE)
    )
      held.push(frame as Pfn);
    expect([file.pageCount, backing.written]).toEqual([0, [0]]);
    expect(backing.bytes[5]).toBe(15);
    expect(vmstat.pgsteal_direct).toBe(150);
    check();
    for (const frame of held) alloc.putFrame(frame);
    check();
  });

  it('drops pages that were used twice, from the active list', () => {
    const { pageCache, alloc, check } = createTestMemory();
    const file = pageCache.createFile(new FakeBacking(pattern(PAGE_SIZE)));
    for (let i = 0; i < 3; i++) readInto(pageCache, file, 0, new BufferSink(10));
    expect(alloc.lru.root.lists.map((list) => list.length)).toEqual([0, 0, 0, 1, 0]);
    check();
    pageCache.evict(file);
    check();
  });

  it('leaves shmem alone when memory runs short', () => {
    const { pageCache, alloc } = createTestMemory(256);
    const file = pageCache.createFile(null);
    expect(writeFrom(pageCache, file, 0, new BufferSource(pattern(20 * PAGE_SIZE)))).toBe(20 * PAGE_SIZE);
    while (alloc.allocFrame(GFP_HIGHUSER_MOVABLE) !== NO_FRAME);
    expect(file.pageCount).toBe(20);
    expect(writeFrom(pageCache, file, 20 * PAGE_SIZE, new BufferSource(pattern(10)))).toBe(-12);
  });
});
