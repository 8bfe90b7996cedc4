import { expect, test } from 'vitest';
import { INSTRUCTIONS } from '../../src/arch/riscv64/instructions.ts';
import type { JitPace } from '../../src/arch/riscv64/jit/pace.ts';
import { Guest } from '../../src/arch/riscv64/testing/guest.ts';
import { checkTlb } from '../../src/arch/riscv64/testing/tlb-check.ts';
import { Rng } from '../../src/base/rng.ts';
import { TRAP_BUDGET } from '../../src/machine/cpu.ts';
import { sv39 } from '../../src/machine/paging/sv39.ts';

/**
 * Generated programs that jump anywhere in their own pages, overwrite themselves and fault: the host never throws, and
 * losing all caches at every trap changes nothing. FAULTLINE_FUZZ: programs (default 30).
 */
const programs = Number(process.env['FAULTLINE_FUZZ'] ?? 30);
/** Members of fused pairs, and stores that hit them. */
const COMMON = INSTRUCTIONS.filter((row) => /^(addi|ld|lbu|sd|sb|auipc|slli|beq|bne|slliw|srliw)$/.test(row.name));
const BASE = 0x10000;
const PAGES = 4;

const SOON: JitPace = {
  startAfter: 200,
  countEvery: 3,
  firstLook: 8,
  countsPerInstruction: 0,
  reach: 'ran',
  advance: 100,
  retiredPerInstruction: 20,
  batchInstructions: 12,
  batchWait: 100,
  batchWaitShare: 0,
};

test.each([
  ['interpreted, all caches dropped at every trap', 'off', 'dropped'],
  ['translated at once, all caches dropped at every trap', 'always', 'dropped'],
  ['translated at once', 'always', 'kept'],
  ['translated soon', SOON, 'kept'],
  ['interpreted, with a listener to misses of the TLB', 'off', 'listened to'],
  ['translated at once, with a listener to misses of the TLB', 'always', 'listened to'],
  ['translated soon, with a listener to misses of the TLB', SOON, 'listened to'],
] as const)(`${programs} programs run the same as interpreted: %s`, (_name, jit, caches) => {
  const kept = new Guest(sv39);
  const dropped = new Guest(sv39, undefined, jit);
  for (const guest of [kept, dropped]) {
    for (let page = 0; page < PAGES; page++) guest.map(BASE / 4096 + page, 7);
    // Another view of the first page, not executable, and one that cannot be written.
    guest.map(0x20, 3, { frame: sv39.frameOf(guest.entry(BASE / 4096)) });
    guest.map(0x21, 1, { frame: sv39.frameOf(guest.entry(BASE / 4096 + 1)) });
  }
  let missed = 0;
  if (caches === 'listened to')
    dropped.cpu.setMissListener({ missing: () => 0, missed: (_which, count) => void (missed += count) });
  for (let seed = 1; seed <= programs; seed++) {
    const rng = new Rng(seed);
    const image = programOf(rng);
    const registers = registersOf(rng);
    for (const guest of [kept, dropped]) {
      for (let page = 0; page < PAGES; page++) {
        const frame = sv39.frameOf(guest.entry(BASE / 4096 + page));
        guest.ram.writeFrame(frame, 0, new Uint8Array(image.buffer, page * 4096, 4096));
      }
      guest.cpu.registers.set(registers);
      guest.cpu.clearReservation();
    }
    for (let turn = 0; turn < 60; turn++) {
      const budget = 1 + rng.below(200);
      const trap = kept.cpu.run(budget);
      if (caches === 'dropped') {
        dropped.cpu.flushAll();
        dropped.cpu.dropAllCode();
      }
      expect(dropped.cpu.run(budget), `seed ${seed}`).toBe(trap);
      if (caches !== 'dropped') {
        expect(dropped.cpu.tlbMisses, `seed ${seed}`).toBe(kept.cpu.tlbMisses);
        expect(dropped.cpu.walkReferences).toBe(kept.cpu.walkReferences);
      }
      expect(dropped.cpu.retired).toBe(kept.cpu.retired);
      expect(dropped.cpu.registers).toEqual(kept.cpu.registers);
      if (trap === TRAP_BUDGET) continue;
      expect(dropped.cpu.trapAddressWords).toEqual(kept.cpu.trapAddressWords);
      const pc = BASE + rng.below(PAGES * 2048) * 2;
      kept.pc = pc;
      dropped.pc = pc;
    }
    if (caches === 'listened to') expect(missed).toBe(dropped.cpu.tlbMisses);
    expect(checkTlb(kept)).toEqual([]);
    const start = kept.ram.ramBase;
    expect(Buffer.compare(kept.ram.u8.subarray(start), dropped.ram.u8.subarray(start)), `seed ${seed}`).toBe(0);
  }
});

function programOf(rng: Rng): Uint16Array {
  const halves = new Uint16Array(PAGES * 2048);
  for (let i = 0; i < halves.length; ) {
    const kind = rng.below(8);
    if (kind < 2 || i === halves.length - 1) {
      // a compressed instruction, or one that is none
      halves[i++] = kind === 0 ? rng.below(65536) : (rng.below(16384) << 2) | rng.below(3);
      continue;
    }
    const row = rng.below(2) === 0 ? COMMON[rng.below(COMMON.length)] : INSTRUCTIONS[rng.below(INSTRUCTIONS.length)];
    let free = rng.u32();
    // Short ways for most branches and jumps, so that they stay in the pages.
    if (/[bj]/.test(row.operands) && rng.below(4) !== 0) free &= row.operands.includes('j') ? 0x3e0fff : 0x1fffe80;
    const word = (row.match | (free & ~row.mask)) >>> 0;
    halves[i++] = word & 0xffff;
    halves[i++] = word >>> 16;
  }
  return halves;
}

/** Most registers point into the pages; pc does. */
function registersOf(rng: Rng): Uint32Array {
  const registers = new Uint32Array(132);
  for (let n = 1; n < 32; n++) {
    const kind = rng.below(8);
    if (kind < 6) registers[2 * n] = BASE + rng.below(PAGES * 4096);
    else if (kind === 6) registers[2 * n] = 0x20000 + rng.below(0x2000);
    else registers[2 * n + 1] = rng.u32();
  }
  for (let n = 64; n < 128; n++) registers[n] = rng.u32();
  registers[128] = BASE + rng.below(PAGES * 2048) * 2;
  return registers;
}
