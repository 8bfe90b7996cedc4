import { describe, expect, it } from 'vitest';
import { VM_ACCOUNT, VM_EXEC, VM_MAYEXEC, VM_MAYREAD, VM_MAYWRITE, VM_READ, VM_WRITE } from '../../mm/vm-flags.ts';
import { LoadAverage } from '../load-average.ts';
import { initialRlimits } from '../rlimits.ts';
import type { Task } from '../task.ts';
import { showLimits } from './limits.ts';
import { type MapsFields, mapsText } from './maps.ts';
import { mangle, ticks, ulong } from './text.ts';
import { vmFlagsText } from './vm-flag-names.ts';
import { parseInteger } from './write-text.ts';

/** Lines recorded on Linux 6.18 x86-64. */
const RECORDED = [
  '55971abab000-55971abb0000 r-xp 00002000 fe:00 260131                     /usr/bin/cat',
  '5597224ec000-55972250d000 rw-p 00000000 00:00 0                          [heap]',
  '7f275001b000-7f275003d000 rw-p 00000000 00:00 0 ',
  '7f2750283000-7f275028a000 r--s 00000000 fe:00 338846                     /usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache',
  '7ffe230a6000-7ffe230c7000 rw-p 00000000 00:00 0                          [stack]',
];

function parse(line: string): MapsFields {
  const [, start, end, rights, offset, major, minor, ino, name] =
    /^(\w+)-(\w+) (\S+) (\w+) (\w+):(\w+) (\d+) +(\S.*)?$/.exec(line) ?? [];
  return {
    startPage: Number.parseInt(start, 16) / 4096,
    endPage: Number.parseInt(end, 16) / 4096,
    rights,
    offset: Number.parseInt(offset, 16),
    devMajor: Number.parseInt(major, 16),
    devMinor: Number.parseInt(minor, 16),
    ino: Number(ino),
    name: name ?? null,
    wordBytes: 8,
  };
}

describe('formats', () => {
  it.each(RECORDED)('maps: %s', (line) => {
    expect(mapsText(parse(line))).toBe(line);
  });

  it('maps: a name that is longer than its column, or has a newline', () => {
    const fields = { ...parse(RECORDED[0]), ino: 123456789012345, name: 'a\nb' };
    expect(mapsText(fields)).toMatch(/ 123456789012345 +a\\012b$/);
  });

  it('limits as Linux pads them', () => {
    const task = { process: { rlimits: initialRlimits(65536) } } as unknown as Task;
    const lines = showLimits(null as never, task).split('\n');
    expect(lines[0]).toBe('Limit                     Soft Limit           Hard Limit           Units     ');
    expect(lines[4]).toBe('Max stack size            8388608              unlimited            bytes     ');
    expect(lines[14]).toBe('Max nice priority         0                    0                    ');
    expect(lines).toHaveLength(18);
  });

  it('VmFlags in the order of bits', () => {
    expect(vmFlagsText(VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)).toBe('rd ex mr mw me ');
    expect(vmFlagsText(VM_READ | VM_WRITE | VM_MAYREAD | VM_ACCOUNT)).toBe('rd wr mr ac ');
  });

  it('numbers', () => {
    expect(ulong(Number.POSITIVE_INFINITY)).toBe('18446744073709551615');
    expect(ticks(19_999_999)).toBe(1);
    expect(mangle('a b\t', ' \t')).toBe('a\\040b\\011');
    expect([' 12\n', '0x10', '010', '-3', '1x', '', '1 2'].map(parseInteger)).toEqual([
      12,
      16,
      8,
      -3,
      null,
      null,
      null,
    ]);
  });

  it('load averages rise to the load and fall again', () => {
    const load = new LoadAverage();
    // Eleven samples: 1 - exp(-11 * 5 s / 1, 5, 15 min).
    load.sample(60e9, 1);
    expect(load.text()).toBe('0.60 0.17 0.06');
    load.sample(3600e9, 1);
    // calc_load rounds up while it rises, so that it arrives.
    expect(load.text()).toBe('1.00 1.00 1.00');
    load.sample(1e15, 0);
    expect(load.text()).toBe('0.00 0.00 0.00');
    expect(load.nextNs).toBeGreaterThan(1e15);
  });
});
