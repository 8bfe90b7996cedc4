/** Swap that is compressed in the machine's own memory. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileForGuest } from '../../cli/toolchain.ts';
import { faultline } from '../setup/faultline.ts';

const elfs = new Map<string, string>();

function run(name: string, flags: readonly string[], args: readonly string[] = []) {
  return faultline(['run', ...flags, elfs.get(name) ?? '', ...args], { env: { FAULTLINE_CHECK: 'traps/211' } });
}

describe('--swap zram:SIZE', () => {
  beforeAll(async () => {
    for (const name of ['zram', 'pressure', 'hog']) {
      const result = await compileForGuest(join(import.meta.dirname, 'machines', `${name}.c`), {});
      if ('elf' in result) elfs.set(name, result.elf);
    }
  }, 300_000);

  it('shows its numbers while pages go out and come back, and gives all frames back at swapoff', () => {
    const done = run('zram', ['--memory', '16M', '--swap', 'zram:8M']);
    expect(done.stdout.split('\n')).toEqual([
      'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority',
      '/dev/zram0                              partition\t8188\t\t0\t\t-2',
      'disksize 8388608',
      'comp_algorithm [lz4] ',
      'set up already: 1 1',
      'no such algorithm, no size, read only: 1 1 0',
      'a block device: 1',
      'at boot, the header: 4096',
      'line of 81',
      'stored: 120, same: 40, huge: 40, since: 40',
      'compressed to less than a half: 1',
      'frames for those alone: 1',
      'nr_zspages: 1',
      'all as before: 1',
      'back again: 0, huge: 0, since: 40',
      'swapoff: 0',
      'nothing is left but the header: 1 1',
      'all as before: 1',
      'swapon: 0',
      '/dev/zram0                              partition\t8188\t\t0\t\t-2',
      '',
    ]);
    expect([done.stderr, done.status]).toEqual(['', 0]);
  }, 60_000);

  it('carries a program of three times the RAM', () => {
    const done = run('pressure', ['--memory', '6M', '--swap', 'zram:64M'], ['16']);
    expect(done.stdout.match(/: 0( wrong)?$/gm)?.length).toBe(6);
    expect([done.stderr, done.status]).toEqual(['', 0]);
  }, 120_000);

  it('ends, when it is full, with the one to blame', () => {
    const done = run('hog', ['--memory', '8M', '--swap', 'zram:8M'], ['500']);
    expect([done.stdout, done.status]).toEqual(['the hog: signal 9\nthe small one: exit 0\nkills: 1\n', 0]);
  }, 60_000);
});
