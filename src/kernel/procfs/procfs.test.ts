import { afterEach, describe, expect, it } from 'vitest';
import { O_RDONLY, O_WRONLY } from '../../abi/fcntl.ts';
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '../../abi/mman.ts';
import { BufferSink, BufferSource } from '../../base/io.ts';
import { File } from '../../fs/file.ts';
import { PathRef, resolve } from '../../fs/path.ts';
import { MemoryEnvironment } from '../../machine/memory-environment.ts';
import { System } from '../../system.ts';

let system: System;

function boot(memoryBytes = 32 * 2 ** 20): System {
  system = new System({ environment: new MemoryEnvironment({}), memoryBytes });
  return system;
}

function open(path: string, flags: number): File | number {
  const { vfs } = system.kernel;
  const context = vfs.makeContext();
  const file = vfs.open(context, null, path, flags, 0);
  context.release();
  return file;
}

function read(path: string, chunk = 65536): string {
  const file = open(path, O_RDONLY);
  if (!(file instanceof File)) throw new Error(`${path}: ${file}`);
  let text = '';
  for (;;) {
    const sink = new BufferSink(chunk);
    const moved = file.read(sink, null);
    if (moved < 0) text += `error ${moved}`;
    if (moved <= 0) break;
    text += Buffer.from(sink.filled).toString('latin1');
  }
  file.release();
  return text;
}

function write(path: string, text: string): number {
  const file = open(path, O_WRONLY);
  if (!(file instanceof File)) return file;
  const result = file.write(new BufferSource(new TextEncoder().encode(text)), null);
  file.release();
  return result;
}

function list(path: string): string[] {
  const { vfs } = system.kernel;
  const context = vfs.makeContext();
  const place = resolve(context, null, path, 'follow');
  const entries = place instanceof PathRef ? place.inode.entries() : place;
  context.release();
  if (typeof entries === 'number') throw new Error(`${path}: ${entries}`);
  return entries.map((entry) => entry.name);
}

const kib = (text: string, name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1]);

afterEach(() => {
  expect(system.shutdown().leakedFrames).toBe(0);
});

describe('procfs', () => {
  it('lists the machine and the processes in order, and names agree with inode numbers', () => {
    boot();
    const first = system.createProcess();
    const second = system.createProcess();
    const names = list('/proc');
    const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
    expect(pids).toEqual([...pids].sort((a, b) => a - b));
    expect(pids).toEqual(expect.arrayContaining([1, 2, first.pid, second.pid]));
    expect(names.indexOf('self')).toBeLessThan(names.indexOf('1'));
    expect(list(`/proc/${first.pid}`)).toContain('smaps_rollup');
    expect(list(`/proc/${first.pid}/task`)).toEqual([String(first.pid)]);
    second.exit();
    expect(list('/proc')).not.toContain(String(second.pid));
    expect(open(`/proc/${second.pid}/stat`, O_RDONLY)).toBe(-2);
  });

  it('counts resident pages alike in maps, status, statm, smaps and meminfo', () => {
    boot();
    const process = system.createProcess();
    const at = process.mmap({
      address: 0,
      lengthBytes: 16 * 4096,
      prot: PROT_READ | PROT_WRITE,
      flags: MAP_PRIVATE | MAP_ANONYMOUS,
    });
    for (let i = 0; i < 5; i++) process.store(at + i * 4096, Uint8Array.of(1));
    const folder = `/proc/${process.pid}`;
    expect(read(`${folder}/maps`)).toBe(`${at.toString(16)}-${(at + 65536).toString(16)} rw-p 00000000 00:00 0 \n`);
    expect(read(`${folder}/status`)).toMatch(/^VmRSS:\t {6}20 kB$/m);
    expect(read(`${folder}/statm`)).toMatch(/^16 5 0 /);
    expect(kib(read(`${folder}/smaps`), 'Private_Dirty')).toBe(20);
    const child = process.fork();
    expect(kib(read(`${folder}/smaps`), 'Shared_Dirty')).toBe(20);
    expect(kib(read(`${folder}/smaps_rollup`), 'Pss')).toBe(10);
    expect(kib(read('/proc/meminfo'), 'AnonPages')).toBe(20);
    child.exit();
    expect(kib(read(`${folder}/smaps`), 'Private_Dirty')).toBe(20);
  });

  it('meminfo adds up and buddyinfo is the free memory', () => {
    boot();
    const text = read('/proc/meminfo');
    const { alloc } = system.kernel.mm;
    expect(kib(text, 'MemTotal')).toBe(alloc.totalCount * 4);
    expect(kib(text, 'MemFree')).toBe(alloc.freeCount * 4);
    expect(kib(text, 'Slab')).toBe(kib(text, 'SReclaimable') + kib(text, 'SUnreclaim'));
    // Counts of huge pages have no unit.
    for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^(HugePages_\w+:\s+\d+|\S+:\s+\d+ kB)$/);
    const [, counts] = /zone +DMA32 (.*)$/m.exec(read('/proc/buddyinfo')) ?? [];
    const free = counts
      .trim()
      .split(/ +/)
      .reduce((sum, count, order) => sum + Number(count) * 2 ** order, 0);
    expect(free).toBe(alloc.freeCount);
    expect(read('/proc/zoneinfo')).toContain(`\n  pages free     ${alloc.freeCount}\n`);
    expect(read('/proc/vmstat')).toContain(`nr_free_pages ${alloc.freeCount}\n`);
  });

  it('gives the same text in any pieces', () => {
    boot();
    const process = system.createProcess();
    for (let i = 0; i < 60; i++)
      process.mmap({
        address: 0x1000_0000 + i * 8192,
        lengthBytes: 4096,
        prot: i % 2 === 0 ? PROT_READ : PROT_READ | PROT_WRITE,
        flags: MAP_PRIVATE | MAP_ANONYMOUS,
      });
    for (const path of [`/proc/${process.pid}/maps`, `/proc/${process.pid}/smaps`, '/proc/slabinfo', '/proc/vmstat']) {
      const whole = read(path);
      expect(whole.length).toBeGreaterThan(2000);
      for (const chunk of [1, 7, 100, 4095, 4096, 4097]) expect(read(path, chunk)).toBe(whole);
    }
    // seq_file: one read gives whole records, at most a page of them.
    const file = open(`/proc/${process.pid}/maps`, O_RDONLY) as File;
    const sink = new BufferSink(65536);
    file.read(sink, null);
    file.release();
    expect(sink.length).toBeLessThan(4096);
    expect(sink.filled.at(-1)).toBe(10);
  });

  it('acts on what is written to /proc/sys, and refuses the rest', () => {
    boot();
    const { mm } = system.kernel;
    expect(write('/proc/sys/vm/overcommit_memory', '2\n')).toBe(2);
    expect(mm.config.overcommitMemory).toBe(2);
    expect(write('/proc/sys/vm/overcommit_memory', '3\n')).toBe(-22);
    expect(write('/proc/sys/vm/overcommit_memory', 'x')).toBe(-22);
    expect(write('/proc/sys/kernel/randomize_va_space', '0')).toBe(1);
    expect(mm.config.randomizeVaSpace).toBe(0);
    expect(write('/proc/sys/vm/max_map_count', ' 100 ')).toBe(5);
    expect(read('/proc/sys/vm/max_map_count')).toBe('100\n');
    expect(write('/proc/sys/kernel/hostname', 'other\n')).toBe(6);
    expect(read('/proc/sys/kernel/hostname')).toBe('other\n');
    expect(write('/proc/sys/vm/min_free_kbytes', '2048')).toBe(4);
    expect(read('/proc/zoneinfo')).toMatch(/\n {8}min {6}512\n/);
    expect(write('/proc/sys/vm/swappiness', '201')).toBe(-22);
    expect(write('/proc/sys/vm/swappiness', '1')).toBe(1);
    expect(read('/proc/sys/vm/swappiness')).toBe('1\n');
    expect(write('/proc/sys/vm/drop_caches', '3')).toBe(1);
    expect(read('/proc/vmstat')).toContain('drop_slab 1\n');
  });

  it('writes through mem into a running process, and comm and oom_score_adj', () => {
    boot();
    const process = system.createProcess('name');
    const folder = `/proc/${process.pid}`;
    const at = process.mmap({
      address: 0,
      lengthBytes: 8192,
      prot: PROT_READ,
      flags: MAP_PRIVATE | MAP_ANONYMOUS,
    });
    const mem = open(`${folder}/mem`, O_WRONLY) as File;
    expect(mem.write(new BufferSource(Uint8Array.of(5, 6)), at + 4095)).toBe(2);
    mem.release();
    expect(process.load(at + 4095, 2)).toEqual(Uint8Array.of(5, 6));
    expect(write(`${folder}/comm`, 'sixteen bytes are too many\n')).toBe(27);
    expect(read(`${folder}/comm`)).toBe('sixteen bytes a\n');
    expect(write(`${folder}/oom_score_adj`, '1001')).toBe(-22);
    expect(write(`${folder}/oom_score_adj`, '-1000')).toBe(5);
    expect(read(`${folder}/oom_score`)).toBe('0\n');
    system.checkInvariants();
  });
});
