/** /sys/kernel/mm/lru_gen, which a machine with mglru has: the Linux of the recorded expectations is built without it. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileForGuest } from '../../cli/toolchain.ts';
import { faultline } from '../setup/faultline.ts';

const INVALID = 'Invalid argument';
const FILES = `enabled: 0x0003
min_ttl_ms: 0
mode 644
enabled: 0x0000
enabled: 0x0003
enabled: 0x0001
enabled: 0x0000
enabled: 0x0003
enabled: 0x0000
enabled: 0x0003
enabled: 0x0001
enabled: 0x0000
enabled < -1: ${INVALID}
enabled: 0x0000
enabled < 4294967296: ${INVALID}
enabled: 0x0000
enabled < x: ${INVALID}
enabled: 0x0000
enabled: 0x0000
enabled < 08: ${INVALID}
enabled: 0x0000
enabled < 7 : ${INVALID}
enabled: 0x0000
min_ttl_ms: 1000
min_ttl_ms: 16
min_ttl_ms: 4294967295
min_ttl_ms < 4294967296: ${INVALID}
min_ttl_ms: 4294967295
min_ttl_ms < -1: ${INVALID}
min_ttl_ms: 4294967295
min_ttl_ms < 1.5: ${INVALID}
min_ttl_ms: 4294967295
min_ttl_ms: 0
`;

let elf = '';
function run(flags: readonly string[], ...args: string[]): string {
  const done = faultline(['run', ...flags, elf, ...args]);
  expect([done.stderr, done.status]).toEqual(['', 0]);
  return done.stdout;
}

describe('/sys/kernel/mm/lru_gen', () => {
  beforeAll(async () => {
    const result = await compileForGuest(join(import.meta.dirname, 'machines', 'lru-gen.c'), {});
    if ('elf' in result) elf = result.elf;
  }, 300_000);

  it('takes y, n and numbers, and shows what acts', () => {
    expect(run([], 'files')).toBe(FILES);
  }, 60_000);

  it('is not there under another policy', () => {
    expect(run(['--reclaim', 'two-list'], 'files')).toMatch(/^enabled: No such file or directory\n/);
  }, 60_000);

  const pressed = ['--memory', '8M', '--swap', '24M'];

  it('turns mglru off and on under pressure', () => {
    expect(run(pressed, 'hold', '0', '12', 'switch')).toBe('exit 0\nkswapd killed: no\n');
  }, 60_000);

  it('has kswapd kill rather than evict what was used in the last min_ttl_ms', () => {
    expect(run(pressed, 'hold', '0', '12')).toBe('exit 0\nkswapd killed: no\n');
    expect(run(pressed, 'hold', '1', '12')).toBe('exit 0\nkswapd killed: no\n');
    expect(run(pressed, 'hold', '100000', '12')).toBe('signal 9\nkswapd killed: yes\n');
  }, 120_000);
});
