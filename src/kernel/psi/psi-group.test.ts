import { describe, expect, it } from 'vitest';
import { PSI_IOWAIT, PSI_MEMSTALL, PSI_ONCPU, PSI_RUNNING, PsiGroup } from './psi-group.ts';

const MS = 1_000_000;
const SECOND = 1000 * MS;
const ZERO = 'avg10=0.00 avg60=0.00 avg300=0.00';

describe('PsiGroup', () => {
  it('counts some when one waits, and full when nobody else runs', () => {
    const group = new PsiGroup(null, 0);
    group.change(0, PSI_RUNNING | PSI_ONCPU, 0);
    group.change(0, PSI_IOWAIT, 10 * MS);
    group.change(PSI_RUNNING | PSI_ONCPU, 0, 30 * MS);
    group.change(PSI_IOWAIT, PSI_RUNNING | PSI_ONCPU, 35 * MS);
    expect(group.show('io', 'machine', 50 * MS)).toBe(`some ${ZERO} total=25000\nfull ${ZERO} total=5000\n`);
    expect(group.show('memory', 'machine', 50 * MS)).toBe(`some ${ZERO} total=0\nfull ${ZERO} total=0\n`);
  });

  it('tells the processor as short when more want it than have it', () => {
    const group = new PsiGroup(null, 0);
    group.change(0, PSI_RUNNING | PSI_ONCPU, 0);
    group.change(0, PSI_RUNNING, 4 * MS);
    group.change(PSI_RUNNING | PSI_ONCPU, PSI_RUNNING, 9 * MS);
    expect(group.totalNs('cpu', 'some', 10 * MS)).toBe(6 * MS);
    expect(group.totalNs('cpu', 'full', 10 * MS)).toBe(MS);
    // Of the whole machine it has no meaning.
    expect(group.show('cpu', 'machine', 10 * MS)).toBe(`some ${ZERO} total=6000\nfull ${ZERO} total=0\n`);
    expect(group.show('cpu', 'cgroup', 10 * MS)).toBe(`some ${ZERO} total=6000\nfull ${ZERO} total=1000\n`);
  });

  it('takes memory for lost to all where those that run reclaim it themselves', () => {
    const group = new PsiGroup(null, 0);
    group.change(0, PSI_RUNNING | PSI_ONCPU | PSI_MEMSTALL, 0);
    expect(group.totalNs('memory', 'full', 3 * MS)).toBe(3 * MS);
    group.change(0, PSI_RUNNING, 3 * MS);
    expect([group.totalNs('memory', 'some', 5 * MS), group.totalNs('memory', 'full', 5 * MS)]).toEqual([
      5 * MS,
      3 * MS,
    ]);
  });

  it('averages over 10, 60 and 300 seconds, sampled every two, as psi.c does', () => {
    const group = new PsiGroup(null, 0);
    group.change(0, PSI_MEMSTALL, 0);
    // One period at 100 per cent: (2048 - 1677) / 2048 = 18.11 and so on.
    expect(group.show('memory', 'machine', 2.1 * SECOND)).toBe(
      'some avg10=18.11 avg60=3.27 avg300=0.68 total=2100000\nfull avg10=18.11 avg60=3.27 avg300=0.68 total=2100000\n',
    );
    expect(group.show('memory', 'machine', 60 * SECOND)).toMatch(
      /^some avg10=99\.\d\d avg60=6\d\.\d\d avg300=1\d\.\d\d /,
    );
    group.change(PSI_MEMSTALL, 0, 60 * SECOND);
    expect(group.isIdle).toBe(true);
    // A day of nothing.
    expect(group.show('memory', 'machine', 86_400 * SECOND)).toBe(
      `some ${ZERO} total=60000000\nfull ${ZERO} total=60000000\n`,
    );
  });

  it('gives the same whether it is asked in between or not', () => {
    const asked = new PsiGroup(null, 0);
    const left = new PsiGroup(null, 0);
    for (let at = 0; at < 100; at++) {
      const set = at % 2 === 0 ? PSI_IOWAIT : 0;
      const clear = at % 2 === 0 ? 0 : PSI_IOWAIT;
      for (const group of [asked, left]) group.change(clear, set, at * 317 * MS);
      asked.show('io', 'machine', at * 317 * MS + 100 * MS);
    }
    expect(asked.show('io', 'machine', 40 * SECOND)).toBe(left.show('io', 'machine', 40 * SECOND));
  });
});
