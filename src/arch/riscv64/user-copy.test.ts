import { expect, test } from 'vitest';
import { Rng } from '../../base/rng.ts';
import { ACCESS_EXEC, ACCESS_READ, ACCESS_WRITE } from '../../machine/mmu.ts';
import { sv39 } from '../../machine/paging/sv39.ts';
import { PAGE_SIZE, pfn, vaddr } from '../../machine/units.ts';
import { ReferenceMmu } from '../../mm/testing/reference-mmu.ts';
import { assemble, ECALL } from './testing/assemble.ts';
import { Guest } from './testing/guest.ts';
import { checkTlb } from './testing/tlb-check.ts';

const DATA = 0x12345;
const FRAMES = 64;

/** Eight pages: two frames in a row, a page that cannot be written, a hole, a frame that is there twice, code. */
function guest(): Guest {
  const g = new Guest(sv39, 1 << 20);
  g.map(DATA, 3);
  g.map(DATA + 1, 3);
  g.map(DATA + 2, 1);
  const twice = g.map(DATA + 4, 3);
  g.map(DATA + 5, 3, { frame: twice });
  g.map(DATA + 6, 7);
  g.map(DATA + 7, 3);
  const code = (DATA + 6) * PAGE_SIZE;
  g.code(code, [assemble('addi', { rd: 5, rs1: 5, imm: 1 }), ECALL]);
  for (const page of [0, 1, 2, 4, 7]) {
    const offset = g.translate((DATA + page) * PAGE_SIZE, ACCESS_READ);
    for (let i = 0; i < PAGE_SIZE; i++) g.ram.u8[offset + i] = (i * (page + 3)) & 255;
  }
  g.runFrom(code);
  return g;
}

test('copyPresent does what the reference does, in bytes, tables and answers', () => {
  const rng = new Rng(5);
  const [ours, reference] = [guest(), guest()];
  const plain = new ReferenceMmu(reference.ram, sv39);
  const frames = (g: Guest): Uint8Array => g.ram.bytesOf(pfn(0), 0, FRAMES * PAGE_SIZE);
  let copied = 0;
  for (let i = 0; i < 400; i++) {
    const address = vaddr(DATA * PAGE_SIZE + rng.below(8 * PAGE_SIZE));
    const bytes = rng.below(3 * PAGE_SIZE);
    const access = rng.below(2) === 0 ? ACCESS_READ : ACCESS_WRITE;
    // Anywhere but in the tables: pages of the program, and frames that nobody maps.
    const near = rng.below(2) === 0 ? ours.translate((DATA + 4) * PAGE_SIZE, ACCESS_READ) : ours.ram.offsetOf(pfn(40));
    const place = near + rng.below(PAGE_SIZE);
    const most = near >= ours.ram.offsetOf(pfn(40)) ? bytes : Math.min(bytes, near + PAGE_SIZE - place);
    const result = ours.cpu.copyPresent(ours.root, address, access, place, most);
    expect(result).toBe(plain.copyPresent(reference.root, address, access, place, most));
    copied += result;
  }
  expect(copied).toBeGreaterThan(100 * PAGE_SIZE);
  expect(Buffer.compare(frames(ours), frames(reference))).toBe(0);
  expect(checkTlb(ours)).toEqual([]);
});

test('copyPresent writes no page that code was decoded from', () => {
  const g = guest();
  const place = g.ram.offsetOf(pfn(40));
  const code = (DATA + 6) * PAGE_SIZE;
  expect(g.translate(code, ACCESS_EXEC)).toBeGreaterThan(0);
  expect(g.cpu.copyPresent(g.root, vaddr(code - PAGE_SIZE), ACCESS_WRITE, place, 2 * PAGE_SIZE)).toBe(PAGE_SIZE);
  expect(g.cpu.copyPresent(g.root, vaddr(code), ACCESS_READ, place, 2 * PAGE_SIZE)).toBe(2 * PAGE_SIZE);
});
