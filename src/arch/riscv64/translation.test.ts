import { describe, expect, test } from 'vitest';
import { TRAP_PAGE_FAULT, TRAP_SYSCALL } from '../../machine/cpu.ts';
import { ACCESS_EXEC, ACCESS_READ, ACCESS_WRITE } from '../../machine/mmu.ts';
import { sv39 } from '../../machine/paging/sv39.ts';
import { sv48 } from '../../machine/paging/sv48.ts';
import { sv57 } from '../../machine/paging/sv57.ts';
import { vaddr, vpn } from '../../machine/units.ts';
import { assemble, ECALL } from './testing/assemble.ts';
import { Guest } from './testing/guest.ts';
import { checkTlb } from './testing/tlb-check.ts';

const CODE = 0x10;
const DATA = 0x12345;
const LOAD = assemble('ld', { rd: 5, rs1: 6 });
const STORE = assemble('sd', { rs1: 6, rs2: 7 });

/** All accesses of all formats keep to the same contract (privileged specification 20240411, 12.3.2). */
describe.each([sv39, sv48, sv57])('the walk of $name', (format) => {
  const { ACCESSED, DIRTY, READ, WRITE, EXEC, USER, PRESENT } = format;

  /** Runs one load or store at an address. */
  const access = (g: Guest, instruction: number, address: number): number => {
    if (g.entry(CODE) === 0) g.map(CODE, 5);
    g.code(CODE * 4096, [instruction, ECALL]);
    g.setX(6, BigInt(address));
    return g.runFrom(CODE * 4096);
  };
  const faults = (g: Guest, instruction: number, address: number): void => {
    expect(access(g, instruction, address)).toBe(TRAP_PAGE_FAULT);
    expect(g.cpu.trapAddress).toBe(address);
    expect(g.cpu.trapAccess).toBe(instruction === LOAD ? ACCESS_READ : ACCESS_WRITE);
    expect(g.pc).toBe(CODE * 4096);
  };

  test('sets ACCESSED on a read and DIRTY on a write only', () => {
    const g = new Guest(format);
    const frame = g.map(DATA, 3);
    g.ram.u32[g.ram.offsetOf(frame) / 4 + 2] = 77;
    expect(access(g, LOAD, DATA * 4096 + 8)).toBe(TRAP_SYSCALL);
    expect(g.x(5)).toBe(77n);
    expect(g.entry(DATA) & (ACCESSED | DIRTY)).toBe(ACCESSED);
    g.setX(7, 0x1122334455667788n);
    expect(access(g, STORE, DATA * 4096 + 8)).toBe(TRAP_SYSCALL);
    expect(g.entry(DATA) & (ACCESSED | DIRTY)).toBe(ACCESSED | DIRTY);
    expect(g.ram.u32[g.ram.offsetOf(frame) / 4 + 3]).toBe(0x11223344);
    expect(checkTlb(g)).toEqual([]);
  });

  test.each([
    ['nothing', 0, '-'],
    ['read', READ, 'r'],
    ['read write', READ | WRITE, 'rw'],
    ['execute', EXEC, 'x'],
    ['read execute', READ | EXEC, 'rx'],
    ['all', READ | WRITE | EXEC, 'rwx'],
    ['write alone, which is reserved', WRITE, '-'],
    ['write execute, which is reserved', WRITE | EXEC, '-'],
  ])('permits with %s what it says', (_name, flags, allowed) => {
    const g = new Guest(format);
    g.ram.u32[g.entryAt(DATA)] = format.makeLeaf(g.frame(), PRESENT | USER | flags);
    expect(g.translate(DATA * 4096, ACCESS_READ) >= 0).toBe(allowed.includes('r'));
    expect(g.translate(DATA * 4096, ACCESS_WRITE) >= 0).toBe(allowed.includes('w'));
    expect(g.translate(DATA * 4096, ACCESS_EXEC) >= 0).toBe(allowed.includes('x'));
    expect(checkTlb(g)).toEqual([]);
  });

  test('faults without USER, without PRESENT, on reserved bits and beyond RAM, and sets nothing', () => {
    const g = new Guest(format);
    const all = READ | WRITE | EXEC;
    const leaf = format.makeLeaf(g.frame(), PRESENT | USER | all);
    const word = g.entryAt(DATA);
    const variants: [low: number, high: number][] = [
      [leaf & ~USER, 0],
      [leaf & ~PRESENT, 0],
      [leaf, 1 << 31], // N
      [leaf, 1 << 29], // PBMT
      [leaf, 1 << 22], // reserved
      [leaf, 1 << 20], // a frame number of 2^42
      [format.makeLeaf(g.format.frameOf(format.makeTable(g.ram.frameCount as never)), PRESENT | USER | all), 0],
      [format.makeTable(g.frame()), 0], // a pointer at the last level
    ];
    for (const [low, high] of variants) {
      g.ram.u32[word] = low;
      g.ram.u32[word + 1] = high;
      for (const kind of [ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC] as const)
        expect(g.translate(DATA * 4096, kind), `${low} ${high}`).toBe(-1);
      expect(g.ram.u32[word]).toBe(low >>> 0);
      faults(g, LOAD, DATA * 4096);
      faults(g, STORE, DATA * 4096);
    }
  });

  test('faults where a pointer has A, D or U', () => {
    for (const bit of [ACCESSED, DIRTY, USER]) {
      const g = new Guest(format);
      g.map(DATA, 3);
      expect(g.translate(DATA * 4096, ACCESS_READ)).toBeGreaterThan(0);
      g.cpu.flushAll();
      g.ram.u32[g.entryAt(DATA, 1)] |= bit;
      expect(g.translate(DATA * 4096, ACCESS_READ)).toBe(-1);
    }
  });

  test('walks superpages of every size, and faults on misaligned ones', () => {
    for (let level = 1; level < format.levels; level++) {
      const g = new Guest(format, 64 * 1024 * 1024);
      const span = 512 ** level;
      const word = g.entryAt(span, level);
      // Level 1 can be inside RAM at frame 512; greater ones only at frame 0.
      const frame = level === 1 ? 512 : 0;
      g.ram.u32[word] = format.makeLeaf(frame as never, PRESENT | USER | READ | WRITE);
      expect(g.translate((span + 700 - frame) * 4096 + 5, ACCESS_READ)).toBe(g.ram.ramBase + 700 * 4096 + 5);
      expect(g.translate((span + 701 - frame) * 4096, ACCESS_WRITE)).toBe(g.ram.ramBase + 701 * 4096);
      expect(g.ram.u32[word] & (ACCESSED | DIRTY)).toBe(ACCESSED | DIRTY);
      expect(checkTlb(g)).toEqual([]);
      // sfence.vma of one page takes the whole leaf along
      g.ram.u32[word] = 0;
      g.cpu.flushPage(g.root.asid, vpn(span + 1));
      expect(g.translate((span + 700 - frame) * 4096, ACCESS_READ)).toBe(-1);
      g.ram.u32[word] = format.makeLeaf((frame + 1) as never, PRESENT | USER | READ | WRITE);
      expect(g.translate(span * 4096, ACCESS_READ)).toBe(-1);
    }
  });

  test('faults on addresses that are not canonical, and reaches both halves', () => {
    const g = new Guest(format);
    const half = format.userPages;
    const last = half - 1;
    g.map(last, 3);
    expect(g.translate(last * 4096, ACCESS_WRITE)).toBeGreaterThan(0);
    g.map(half, 3); // the table index of -half
    expect(g.translate(half * 4096, ACCESS_READ)).toBe(-1);
    access(g, LOAD, half * 4096);
    expect(g.cpu.trapAddress).toBe(half * 4096);
    g.setX(6, -(BigInt(half) << 12n));
    expect(g.runFrom(CODE * 4096)).toBe(TRAP_SYSCALL);
    g.setX(6, -(BigInt(half) << 12n) - 8n);
    expect(g.runFrom(CODE * 4096)).toBe(TRAP_PAGE_FAULT);
    expect(g.cpu.trapAddressWords).toEqual([0xfffffff8, Number(((-(BigInt(half) << 12n) - 8n) >> 32n) & 0xffffffffn)]);
  });

  test('counts misses and references', () => {
    const g = new Guest(format);
    g.map(DATA, 3);
    const before = [g.cpu.tlbMisses, g.cpu.walkReferences];
    g.translate(DATA * 4096, ACCESS_READ);
    g.translate(DATA * 4096 + 100, ACCESS_READ);
    expect([g.cpu.tlbMisses, g.cpu.walkReferences]).toEqual([before[0] + 1, before[1] + format.levels]);
  });

  test('a changed entry is seen after flushPage, flushSpace and flushAll', () => {
    for (const flush of ['page', 'space', 'all']) {
      const g = new Guest(format);
      g.map(DATA, 3);
      g.map(DATA + 1, 3);
      expect(access(g, STORE, DATA * 4096)).toBe(TRAP_SYSCALL);
      expect(access(g, LOAD, DATA * 4096)).toBe(TRAP_SYSCALL);
      g.ram.u32[g.entryAt(DATA)] &= ~WRITE;
      if (flush === 'page') g.cpu.flushPage(g.root.asid, vpn(DATA));
      else if (flush === 'space') g.cpu.flushSpace(g.root.asid);
      else g.cpu.flushAll();
      faults(g, STORE, DATA * 4096);
      expect(access(g, LOAD, DATA * 4096)).toBe(TRAP_SYSCALL);
    }
  });

  test('spaces do not see each other through the TLB, with more of them than tags', () => {
    const g = new Guest(format, 64 * 1024 * 1024);
    const roots = [];
    for (let asid = 1; asid <= 1200; asid++) {
      const root = g.newSpace(asid);
      roots.push(root);
      const frame = g.map(DATA, 3, { root });
      g.ram.u32[g.ram.offsetOf(frame) / 4] = asid;
    }
    for (let turn = 0; turn < 2; turn++) {
      for (const root of roots) {
        const offset = g.cpu.translate(root, vaddr(DATA * 4096), ACCESS_READ);
        expect(g.ram.u32[offset / 4]).toBe(root.asid);
      }
    }
  });
});
