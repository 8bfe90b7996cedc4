/** Devices cost virtual time: who waits for one sleeps, others run. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileForGuest } from '../../cli/toolchain.ts';
import { makeSwapHeader } from '../../src/mm/swap/header.ts';
import { faultline } from '../setup/faultline.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-devices-'));
const elfs = new Map<string, string>();
const SWAP_BYTES = 48 * 2 ** 20;

describe('devices', () => {
  beforeAll(async () => {
    for (const name of ['sleep-on-disk', 'pressure']) {
      const result = await compileForGuest(join(import.meta.dirname, 'machines', `${name}.c`), {});
      if ('elf' in result) elfs.set(name, result.elf);
    }
    writeFileSync(join(folder, 'big'), Buffer.alloc(4 * 2 ** 20, 'x'));
    const swap = Buffer.alloc(SWAP_BYTES);
    swap.set(makeSwapHeader(SWAP_BYTES, new Uint8Array(16)));
    writeFileSync(join(folder, 'swap'), swap);
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('puts a major fault and a read to sleep until the disk has answered, and both of two for the same page', () => {
    const run = () =>
      faultline(['run', '--disk', 'hdd', '--mount', `${folder}/big:/big:ro`, elfs.get('sleep-on-disk') ?? '', '/big']);
    const done = run();
    expect(done.stdout.split('\n')).toEqual([
      'major faults of a child: 1',
      'major faults of a child: 1',
      'asleep in D: 1 1, blocked at a time: 2',
      'the parent ran meanwhile: 1',
      'read once: 1',
      'at least a seek: 1',
      'stalled for io: 1, for memory: 0',
      'read: status 7, asleep in D: 1',
      '',
    ]);
    expect([done.stderr, done.status]).toEqual(['', 0]);
    expect(run()).toEqual(done);
  }, 60_000);

  it.each(['nvme', 'ssd', 'hdd'])(
    'swaps to a file on %s: pages are on their way while others run, and all comes back',
    (disk) => {
      const flags = ['--disk', disk, '--memory', '6M', '--swap', join(folder, 'swap')];
      const done = faultline(['run', ...flags, elfs.get('pressure') ?? '', '16'], {
        env: { FAULTLINE_CHECK: 'traps/211' },
      });
      expect(done.stdout.match(/: 0( wrong)?$/gm)?.length).toBe(6);
      expect([done.stderr, done.status]).toEqual(['', 0]);
    },
    120_000,
  );
});
