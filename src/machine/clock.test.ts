import { describe, expect, test } from 'vitest';
import { VirtualClock } from './clock.ts';
import { INSTRUCTIONS_PER_NS } from './cost-model.ts';

function clockOf(retired: number): { cpu: { retired: number }; clock: VirtualClock } {
  const cpu = { retired };
  return { cpu, clock: new VirtualClock(cpu) };
}

describe('VirtualClock', () => {
  test('time is whole nanoseconds', () => {
    const { cpu, clock } = clockOf(0);
    clock.charge(100);
    for (cpu.retired = 0; cpu.retired < 20; cpu.retired++) {
      expect(clock.nowNs).toBe(100 + Math.floor(cpu.retired / INSTRUCTIONS_PER_NS));
      expect(clock.retiredNs + clock.chargedNs).toBe(clock.nowNs);
    }
  });

  test('a deadline is reached with the instruction that the budget ends with, and not one earlier', () => {
    for (let retired = 0; retired < 3 * INSTRUCTIONS_PER_NS; retired++) {
      for (const ns of [1, 2, 7, 1_000_000]) {
        const { cpu, clock } = clockOf(retired);
        const deadline = clock.nowNs + ns;
        const budget = clock.instructionsUntil(ns);
        cpu.retired = retired + budget - 1;
        expect(clock.nowNs).toBe(deadline - 1);
        cpu.retired++;
        expect(clock.nowNs).toBe(deadline);
      }
    }
  });

  test('a deadline between two nanoseconds is not missed by an idle machine', () => {
    const { clock } = clockOf(5);
    clock.skipTo(10.25);
    expect([clock.nowNs, clock.idleNs]).toEqual([11, 10]);
    clock.skipTo(11);
    expect(clock.nowNs).toBe(11);
  });

  test('no deadline is no limit', () => {
    expect(clockOf(3).clock.instructionsUntil(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });
});
