import { describe, expect, it } from 'vitest';
import { Memcg } from './memcg.ts';
import { calculateProtection } from './protection.ts';

function child(parent: Memcg, usage: number, low: number): Memcg {
  const memcg = new Memcg(parent.id * 10 + parent.children.length + 1, parent);
  parent.children.push(memcg);
  memcg.memory.low = low;
  memcg.memory.charge(usage);
  return memcg;
}

function lowsOf(root: Memcg, all: readonly Memcg[], recursive: 'recursive' | 'own'): number[] {
  for (const memcg of [root, ...all]) calculateProtection(root, memcg, recursive);
  return all.map((memcg) => memcg.memory.effectiveLow);
}

// The example of Documentation/admin-guide/cgroup-v2.rst and of tools/testing/selftests/cgroup/test_memcontrol.c
// (test_memcg_protection): A (low 50M) with B (75M), C (25M), D (0), E (500M), each with 50M but E with none.
describe('calculateProtection', () => {
  it('shares what the parent has by what the children claim', () => {
    const root = new Memcg(0, null);
    const a = child(root, 0, 50);
    const b = child(a, 50, 75);
    const c = child(a, 50, 25);
    const d = child(a, 50, 0);
    const e = child(a, 0, 500);
    expect(lowsOf(root, [a, b, c, d, e], 'own')).toEqual([50, 33, 16, 0, 0]);
  });

  it('gives what nobody claims to those who use more, where protection is recursive', () => {
    const root = new Memcg(0, null);
    const a = child(root, 0, 60);
    const b = child(a, 50, 0);
    const c = child(a, 50, 20);
    expect(lowsOf(root, [a, b, c], 'own')).toEqual([60, 0, 20]);
    expect(lowsOf(root, [a, b, c], 'recursive')).toEqual([60, 25, 35]);
  });

  it('does not protect the target of reclaim', () => {
    const root = new Memcg(0, null);
    const a = child(root, 50, Number.POSITIVE_INFINITY);
    calculateProtection(a, a, 'recursive');
    expect(a.memory.effectiveLow).toBe(0);
    calculateProtection(root, a, 'recursive');
    expect(a.memory.effectiveLow).toBe(Number.POSITIVE_INFINITY);
  });
});
