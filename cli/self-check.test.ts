import { expect, test } from 'vitest';
import { KernelPanic, MemoryEnvironment, System } from '../src/index.ts';
import { GFP_KERNEL } from '../src/mm/phys/gfp.ts';
import { endMachine, mustHaveNoLeak, parseSelfCheck } from './self-check.ts';

test('the variable says when invariants are checked', () => {
  const never = { invariants: 'never', atEnd: 'nothing' };
  expect(parseSelfCheck(undefined)).toEqual(never);
  expect(parseSelfCheck('')).toEqual(never);
  expect(parseSelfCheck('end')).toEqual({ invariants: 'never', atEnd: 'invariants' });
  expect(parseSelfCheck('traps')).toEqual({ invariants: { everyTraps: 1 }, atEnd: 'invariants' });
  expect(parseSelfCheck('traps/250')).toEqual({ invariants: { everyTraps: 250 }, atEnd: 'invariants' });
});

test.each(['always', 'traps/', 'traps/0', 'traps/-1', 'traps/1e3', ' end'])('%j is refused in one line', (text) => {
  expect(() => parseSelfCheck(text)).toThrow('write end, traps, or traps/N for every Nth trap');
});

test('a machine ends with every frame free; a frame that is not given back, or a count that is wrong, is a panic', () => {
  const boot = () => new System({ environment: new MemoryEnvironment(), memoryBytes: 4 * 2 ** 20 });
  const check = parseSelfCheck('end');
  expect(() => mustHaveNoLeak(endMachine(boot(), check))).not.toThrow();

  const leaking = boot();
  const frame = leaking.kernel.mm.alloc.allocFrame(GFP_KERNEL);
  expect(frame).toBeGreaterThan(0);
  const ended = endMachine(leaking, check);
  expect(() => mustHaveNoLeak(ended)).toThrow(KernelPanic);
  expect(() => mustHaveNoLeak(ended)).toThrow('system.ts: all frames are free after the shutdown (1 are missing)');

  const broken = boot();
  broken.kernel.mm.committedPages++;
  expect(() => endMachine(broken, check)).toThrow('M2 committedPages');
});
