/** Programs that want many times the RAM: with swap they end with the right result, without it the one to blame is killed. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileForGuest } from '../../cli/toolchain.ts';
import { RECLAIM_POLICIES } from '../../src/index.ts';
import { faultline } from '../setup/faultline.ts';

const elfs = new Map<string, string>();
const SUMS = ['round 1: 0', 'round 2: 0', 'child: 0', 'child ended: 0', 'parent: 0', 'shared: 0']
  .map((line) => (line.startsWith('child ended') ? line : `${line} wrong`))
  .join('\n');

function run(name: string, flags: readonly string[], args: readonly string[] = []) {
  return faultline(['run', ...flags, elfs.get(name) ?? '', ...args]);
}

describe('memory pressure', () => {
  beforeAll(async () => {
    for (const name of ['pressure', 'hog', 'hog-read', 'swaps']) {
      const result = await compileForGuest(join(import.meta.dirname, 'machines', `${name}.c`), {});
      if ('elf' in result) elfs.set(name, result.elf);
    }
  }, 300_000);

  it.each(RECLAIM_POLICIES)(
    'a program of three times the RAM ends well with swap under %s',
    (policy) => {
      const done = run('pressure', ['--memory', '6M', '--swap', '64M', '--reclaim', policy], ['16']);
      expect([done.stdout, done.stderr, done.status]).toEqual([`${SUMS}\n`, '', 0]);
    },
    120_000,
  );

  it.each(RECLAIM_POLICIES)(
    'without swap the OOM killer takes it, and the machine goes on, under %s',
    (policy) => {
      const done = run('hog', ['--memory', '8M', '--reclaim', policy]);
      expect([done.stdout, done.stderr, done.status]).toEqual([
        'the hog: signal 9\nthe small one: exit 0\nkills: 1\n',
        '',
        0,
      ]);
    },
    120_000,
  );

  it('takes the one to blame when nothing can be reclaimed, and says so in the kernel log', () => {
    const done = run('hog', ['--memory', '8M'], ['0', 'log']);
    expect(done.stdout).toMatch(/^the hog: signal 9\nthe small one: exit 0\nkills: 1\n/);
    expect(done.stdout).toMatch(
      /hog\S* invoked oom-killer: gfp_mask=0x140dca\(GFP_HIGHUSER_MOVABLE\|__GFP_COMP\|__GFP_ZERO\), order=0, oom_score_adj=0\n/,
    );
    expect(done.stdout).toMatch(/\[ +\d+\] +0 +\d+ +\d+ +\d+ +\d+ +\d+ +0 +\d+ +0 {13}0 hog\S*\n/);
    expect(done.stdout).toMatch(/global_oom,task_memcg=\/,task=hog\S*,pid=\d+,uid=0\n/);
    expect([done.stderr, done.status]).toEqual(['', 0]);
  }, 60_000);

  it('makes room for a system call that stores into new pages', () => {
    const done = run('hog-read', ['--memory', '7M']);
    expect([done.stdout, done.stderr, done.status]).toEqual(['read 2097152\nthe hog: signal 9\n', '', 0]);
  }, 60_000);

  it('has 64 GiB of swap, which take host memory only where pages are', () => {
    const done = run('pressure', ['--memory', '6M', '--swap', '64G'], ['16']);
    expect([done.stdout, done.stderr, done.status]).toEqual([`${SUMS}\n`, '', 0]);
    const listed = faultline(['run', '--memory', '6M', '--swap', '64G', '--swap', 'zram:8T', elfs.get('swaps') ?? '']);
    expect(listed.stdout).toBe('/dev/zram0 67108860 kB\n/dev/zram1 8589934588 kB\nSwapTotal 8657043448 kB\n');
  }, 60_000);

  it('fills swap first', () => {
    const done = run('hog', ['--memory', '8M', '--swap', '8M', '--stats'], ['500']);
    expect(done.stdout).toBe('the hog: signal 9\nthe small one: exit 0\nkills: 1\n');
  }, 60_000);
});
