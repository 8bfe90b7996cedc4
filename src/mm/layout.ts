import { PAGE_SIZE, roundUpToPage, type Vaddr, vaddr, vpn } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import type { MemoryManager } from './memory-manager.ts';

/** SZ_128M of mmap_base, in pages. */
const MIN_GAP_PAGES = 32768;

/**
 * arch_pick_mmap_layout (6.18, mm/util.c): sets `layout` and `mmapBase` from the stack limit. Called once, at exec, after
 * limits.stackBytes, randomizeVaSpace and wantsLegacyLayout are set.
 */
export function pickMmapLayout(mm: MemoryManager, space: AddressSpace): void {
  const { layout } = mm.config;
  const { randomizeVaSpace } = space;
  const random = randomizeVaSpace !== 0 ? mm.config.rng.below(2 ** layout.mmapRndBits) : 0;
  const stackBytes = space.limits.stackBytes;
  if (mm.config.legacyVaLayout || space.wantsLegacyLayout || stackBytes === Number.POSITIVE_INFINITY) {
    space.layout = 'legacy';
    space.mmapBase = vpn(layout.unmappedBase + random);
    return;
  }
  space.layout = 'topDown';
  const padPages = mm.config.stackGuardGapPages + (randomizeVaSpace !== 0 ? layout.stackRndPages - 1 : 0);
  const maxGapBytes = Math.floor((layout.stackTop * PAGE_SIZE) / 6) * 5;
  let gapBytes = stackBytes + padPages * PAGE_SIZE;
  if (gapBytes < MIN_GAP_PAGES * PAGE_SIZE) gapBytes = MIN_GAP_PAGES * PAGE_SIZE;
  else if (gapBytes > maxGapBytes) gapBytes = maxGapBytes;
  space.mmapBase = vpn(roundUpToPage(layout.stackTop * PAGE_SIZE - gapBytes - random * PAGE_SIZE) / PAGE_SIZE);
}

/** randomize_stack_top: the byte after the stack. */
export function randomizeStackTop(mm: MemoryManager, space: AddressSpace): Vaddr {
  const { layout, rng } = mm.config;
  const random = space.randomizeVaSpace !== 0 ? rng.below(layout.stackRndPages) : 0;
  return vaddr((layout.stackTop - random) * PAGE_SIZE);
}

/** arch_randomize_brk: a page-aligned start in [start, start + range); `start` page-aligned when not randomised. */
export function randomizeBrk(mm: MemoryManager, space: AddressSpace, start: Vaddr): Vaddr {
  if (space.randomizeVaSpace !== 2) return start;
  const base = roundUpToPage(start);
  return vaddr(base + mm.config.rng.below(mm.config.layout.brkRndBytes / PAGE_SIZE) * PAGE_SIZE);
}

/** arch_mmap_rnd in bytes: what ELF loading adds to ELF_ET_DYN_BASE. */
export function randomMmapOffset(mm: MemoryManager, space: AddressSpace): number {
  const { layout, rng } = mm.config;
  return space.randomizeVaSpace !== 0 ? rng.below(2 ** layout.mmapRndBits) * PAGE_SIZE : 0;
}
