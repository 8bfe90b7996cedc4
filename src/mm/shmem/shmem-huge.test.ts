import { describe, expect, it } from 'vitest';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import { FrameTable } from '../phys/frame-table.ts';
import { VM_HUGEPAGE } from '../vm-flags.ts';
import { VMA_SHMEM, type Vma } from '../vma.ts';
import { type ShmemHuge, ShmemHugeSettings } from './shmem-huge.ts';

const PMD = 2 ** 9;
/** Orders 1 to 9. */
const ALL = 2 ** 10 - 2;

function settings(): ShmemHugeSettings {
  const frames = new FrameTable(1);
  frames.pmdOrder = 9;
  return new ShmemHugeSettings(frames);
}

function file(huge: ShmemHuge, sizePages: number, isUnnamed = false): FilePages {
  const shmemOwner = { huge, isUnnamed, hasRoom: () => true, makeRoom: () => {} };
  return { shmemOwner, sizeBytes: sizePages * PAGE_SIZE } as unknown as FilePages;
}

const vma = (flags = 0): Vma => ({ kind: VMA_SHMEM, flags, file: null }) as unknown as Vma;

describe('which orders a page of shared memory may have', () => {
  it('is the mount’s to say: all for a write, the huge one for a fault', () => {
    const huge = settings();
    expect(huge.ordersFor(file('always', 0), null, 0, 1, 'use')).toBe(ALL);
    expect(huge.ordersFor(file('always', 0), vma(), 0, 0, 'use')).toBe(PMD);
    expect(huge.ordersFor(file('never', 512), vma(VM_HUGEPAGE), 0, 0, 'use')).toBe(0);
    expect(huge.ordersFor(file('advise', 512), vma(VM_HUGEPAGE), 0, 0, 'use')).toBe(PMD);
    expect(huge.ordersFor(file('advise', 512), vma(), 0, 0, 'use')).toBe(0);
    expect(huge.ordersFor(file('advise', 512), null, 0, 1, 'use')).toBe(0);
  });

  it('within_size: what ends before the file or the write does', () => {
    const huge = settings();
    expect(huge.ordersFor(file('within_size', 256), null, 0, 1, 'use')).toBe(2 ** 9 - 2);
    expect(huge.ordersFor(file('within_size', 256), vma(), 0, 0, 'use')).toBe(0);
    expect(huge.ordersFor(file('within_size', 0), null, 0, 16 * PAGE_SIZE, 'use')).toBe(2 ** 5 - 2);
    expect(huge.ordersFor(file('within_size', 768), vma(), 511, 0, 'use')).toBe(PMD);
    expect(huge.ordersFor(file('within_size', 768), vma(), 600, 0, 'use')).toBe(0);
  });

  it('deny and force hold for the whole machine; a file without a name has its size’s say, too', () => {
    const huge = settings();
    huge.set('force');
    expect(huge.ordersFor(file('never', 0), null, 0, 1, 'use')).toBe(PMD);
    expect(huge.ordersFor(file('never', 0, true), vma(), 0, 0, 'use')).toBe(PMD);
    huge.enabledOfSize = 'always';
    expect(huge.ordersFor(file('never', 0, true), vma(), 0, 0, 'use')).toBe(0);
    expect(huge.huge).toBe('never');
    huge.set('within_size');
    expect([huge.huge, huge.ordersFor(file('never', 0, true), vma(), 0, 0, 'use')]).toEqual(['within_size', PMD]);
    huge.set('deny');
    expect(huge.ordersFor(file('always', 512, true), vma(VM_HUGEPAGE), 0, 0, 'use')).toBe(0);
    expect(huge.ordersFor(file('always', 512), null, 0, 1, 'collapse')).toBe(0);
  });
});
