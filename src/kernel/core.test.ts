import { describe, expect, it } from 'vitest';
import { RISCV64_ARCH } from '../arch/riscv64/arch.ts';
import { REG_F, REG_FCSR, REG_X } from '../arch/riscv64/registers.ts';
import { parseScript } from './script.ts';
import { siginfo } from './signals/siginfo.ts';
import { SigSet } from './signals/sigset.ts';
import { ALL_CALLS } from './syscalls/table.ts';
import { TimerHeap } from './timers.ts';

const head = (text: string): Uint8Array => {
  const bytes = new Uint8Array(256);
  bytes.set(new TextEncoder().encode(text).subarray(0, 256));
  return bytes;
};
const script = (text: string): string[] | null => {
  const found = parseScript(head(text));
  if (found === null) return null;
  return [found.interpreter, found.argument ?? new Uint8Array(0)].map((bytes) => new TextDecoder().decode(bytes));
};

describe('#! lines (fs/binfmt_script.c)', () => {
  it('take the rest of the line as one argument, blanks at its ends cut', () => {
    expect(script('#!/bin/sh\n')).toEqual(['/bin/sh', '']);
    expect(script('#! /bin/awk  -f  x \nrest')).toEqual(['/bin/awk', '-f  x']);
    expect(script('#!/bin/sh -e')).toEqual(['/bin/sh', '-e']);
  });
  it('are refused when they name nothing or a name may be cut off', () => {
    expect(script('#!\n')).toBeNull();
    expect(script('#!   \t \n')).toBeNull();
    expect(script(`#!/${'x'.repeat(300)}`)).toBeNull();
    expect(script(`#!/bin/sh ${'x'.repeat(300)}`)?.[0]).toBe('/bin/sh');
  });
});

describe('sets of signals', () => {
  it('keep 64 signals apart', () => {
    const set = SigSet.of(1, 32, 33, 64);
    for (let signo = 1; signo <= 64; signo++) expect(set.has(signo)).toBe([1, 32, 33, 64].includes(signo));
    expect(set.toHex()).toBe('8000000180000001');
    set.delete(32);
    expect(set.has(32)).toBe(false);
  });
});

describe('the timer heap', () => {
  it('gives the earliest first, ties in order of insertion', () => {
    const heap = new TimerHeap();
    for (const [i, at] of [5, 3, 9, 3, 1, 5, 3].entries()) heap.add(at, 'wait', i, 0);
    const order: number[] = [];
    for (let entry = heap.pop(); entry !== null; entry = heap.pop()) order.push(entry.subject);
    expect(order).toEqual([4, 1, 3, 6, 0, 5, 2]);
  });
});

describe('the riscv64 signal frame', () => {
  it('restores every register from what it saved', () => {
    const memory = new Map<number, number>();
    const user = {
      read: (address: number, into: Uint8Array) => {
        for (let i = 0; i < into.length; i++) into[i] = memory.get(address + i) ?? 0;
        return true;
      },
      write: (address: number, from: Uint8Array) => {
        for (const [i, byte] of from.entries()) memory.set(address + i, byte);
        return true;
      },
    };
    const registers = new Uint32Array(RISCV64_ARCH.registerWords);
    for (let i = 2; i < registers.length; i++) registers[i] = Math.imul(i, 0x9e3779b9);
    RISCV64_ARCH.setPc(registers, 0x12345678);
    RISCV64_ARCH.setSp(registers, 0x3fff_fff8);
    registers[REG_FCSR] = 0x65;
    registers.fill(0, REG_FCSR + 1);
    const before = registers.slice();
    const pushed = RISCV64_ARCH.pushSignalFrame(registers, user, {
      info: siginfo(11, 1, { address: 0x4000 }),
      action: { handler: 0x1000, flags: 4, restorer: 0, maskLow: 0, maskHigh: 0 },
      maskLow: 0x80,
      maskHigh: 1,
      stack: { address: 0, flags: 2, sizeBytes: 0 },
      top: 0x3fff_fff8,
      floor: 0,
      sigreturn: 0x2000,
    });
    expect(pushed).toBe(true);
    expect(RISCV64_ARCH.sp(registers) % 16).toBe(0);
    expect([registers[REG_X + 20], registers[REG_X + 2]]).toEqual([11, 0x2000]);
    const sp = RISCV64_ARCH.sp(registers);
    registers.fill(0, 0, REG_F + 64);
    RISCV64_ARCH.setSp(registers, sp);
    const popped = RISCV64_ARCH.popSignalFrame(registers, user);
    expect(popped).toMatchObject({ maskLow: 0x80, maskHigh: 1 });
    expect(registers).toEqual(before);
  });
});

describe('the table of system calls', () => {
  it('holds each name once, and only names that the architecture numbers', () => {
    const names = ALL_CALLS.map((row) => row.name);
    expect(new Set(names).size).toBe(names.length);
    const legacy = names.filter((name) => !RISCV64_ARCH.syscallNumbers.has(name));
    expect(legacy).toEqual([]);
  });
});
