import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PAGE_SIZE, vaddr, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { handleFault } from '../fault/fault.ts';
import { FAULT_BUS, FAULT_DONE } from '../fault/results.ts';
import { checkInvariants } from '../invariants.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { createTestMachine, type TestFile } from '../testing/test-machine.ts';
import { VM_EXEC, VM_MAYSHARE, VM_READ, VM_WRITE } from '../vm-flags.ts';
import { VMA_ANON } from '../vma.ts';
import { exitSpace } from './exit.ts';
import { dupSpace } from './fork.ts';
import { madvise } from './madvise.ts';
import { mlock, munlock } from './mlock.ts';
import { mmap } from './mmap.ts';
import { mprotect } from './mprotect.ts';
import { mremap } from './mremap.ts';
import { msync } from './msync.ts';
import { munmap } from './munmap.ts';

/** Linux's own results and /proc/self/maps after each call: test/oracle/vma-shapes.c. */
interface Fixture {
  readonly kernel: string;
  readonly sequences: readonly { readonly name: string; readonly steps: readonly [string, number, string][] }[];
}

const fixture = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/vma-shapes.json', import.meta.url), 'utf8'),
) as Fixture;

const BASE = 0x200000000;
const ARENA_PAGES = 2048;
const ELSEWHERE = 9999999;

describe(`VMA shapes as on ${fixture.kernel}`, () => {
  for (const { name, steps } of fixture.sequences) {
    it(name, () => {
      const machine = createTestMachine();
      const { mm } = machine;
      const free = machine.countFree();
      const file = machine.createFile(new Uint8Array(256 * PAGE_SIZE));
      const readOnly = machine.createFile(new Uint8Array(256 * PAGE_SIZE), { writable: false });
      let space = machine.createSpace();
      const spaces = [space];
      for (const [line, result, shape] of steps) {
        const words = line.split(' ');
        if (words[0] === 'fork') {
          space = dupSpace(mm, space) as AddressSpace;
          spaces.push(space);
        }
        const got = words[0] === 'fork' ? 0 : run(mm, space, words, file, readOnly);
        expect({ line, result: got, shape: shapeOf(space) }).toEqual({ line, result, shape });
        checkInvariants(mm);
      }
      for (const each of spaces) exitSpace(mm, each);
      file.release();
      readOnly.release();
      checkInvariants(mm);
      expect(machine.countFree()).toBe(free);
      expect(mm.committedPages).toBe(0);
    });
  }
});

function run(mm: MemoryManager, space: AddressSpace, words: string[], file: TestFile, readOnly: TestFile): number {
  const [a, b, c, d, e] = words.slice(words[0] === 'map' ? 2 : 1).map(Number);
  const at = BASE + a * PAGE_SIZE;
  const length = b * PAGE_SIZE;
  switch (words[0]) {
    case 'map': {
      let flags = 0x10;
      let source: TestFile | null = null;
      for (const letter of words[1]) {
        if (letter === 'p') flags |= 0x22;
        if (letter === 's') flags |= 0x21;
        if (letter === 'f' || letter === 'g' || letter === 'r') source = letter === 'r' ? readOnly : file;
        if (letter === 'f') flags |= 0x02;
        if (letter === 'g' || letter === 'r') flags |= 0x01;
        if (letter === 'd') flags |= 0x100;
        if (letter === 'n') flags |= 0x4000;
        if (letter === 'o') flags = (flags & ~0x10) | 0x100000;
        if (letter === 'h') flags &= ~0x10;
        if (letter === 'u') flags |= 0x8000;
        if (letter === 'k') flags |= 0x20000;
      }
      const request = { address: at, lengthBytes: length, prot: c, flags, file: source };
      return where(mmap(mm, space, { ...request, offsetBytes: (d || 0) * PAGE_SIZE }));
    }
    case 'unmap':
      return munmap(mm, space, at, length);
    case 'protect':
      return mprotect(mm, space, at, length, c);
    case 'advise':
      return madvise(mm, space, at, length, c);
    case 'lock':
      return mlock(mm, space, at, length, 0);
    case 'unlock':
      return munlock(mm, space, at, length);
    case 'sync':
      return msync(mm, space, at, length, c);
    case 'remap':
      return where(mremap(mm, space, at, length, c * PAGE_SIZE, d, BASE + e * PAGE_SIZE));
    case 'read':
    case 'write':
      return touch(mm, space, a, b, words[0]);
    default:
      throw new Error(`unknown step ${words[0]}`);
  }
}

/** 0, or the signal as Linux numbers it. */
function touch(mm: MemoryManager, space: AddressSpace, first: number, count: number, how: 'read' | 'write'): number {
  for (let page = first; page < first + count; page++) {
    const address = vaddr(BASE + page * PAGE_SIZE);
    const access = how === 'write' ? 2 : 1;
    while (mm.mmu.translate(space, address, access) === -1) {
      const result = handleFault(mm, space, address, access);
      if (result !== FAULT_DONE) return result === FAULT_BUS ? 7 : 11;
    }
  }
  return 0;
}

function where(result: number): number {
  if (result < 0) return result;
  return result >= BASE && result < BASE + ARENA_PAGES * PAGE_SIZE ? (result - BASE) / PAGE_SIZE : ELSEWHERE;
}

function shapeOf(space: AddressSpace): string {
  const parts: string[] = [];
  const first = BASE / PAGE_SIZE;
  for (let vma = space.vmas.find(vpn(first)); vma !== null; vma = space.vmas.next(vma)) {
    if (vma.startVpn >= first + ARENA_PAGES) break;
    const { flags } = vma;
    const rights = `${(flags & VM_READ) !== 0 ? 'r' : '-'}${(flags & VM_WRITE) !== 0 ? 'w' : '-'}${(flags & VM_EXEC) !== 0 ? 'x' : '-'}`;
    const kind = vma.kind === VMA_ANON ? 'a' : vma.file?.displayPath().startsWith('/dev/zero') ? 's' : 'f';
    const shown = vma.kind === VMA_ANON ? 0 : vma.pgoff;
    const mode = (flags & VM_MAYSHARE) !== 0 ? 's' : 'p';
    parts.push(`${vma.startVpn - first}-${vma.endVpn - first}${rights}${mode}${kind}${shown}`);
  }
  return parts.join(' ');
}
