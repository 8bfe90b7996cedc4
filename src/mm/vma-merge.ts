import { ENOMEM } from '../abi/errno.ts';
import { EV_VMA_FLAGS } from '../base/event-kinds.ts';
import type { Vpn } from '../machine/units.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import type { MappableFile } from './mappable-file.ts';
import type { MemoryManager } from './memory-manager.ts';
import { type Mempolicy, samePolicy } from './mempolicy.ts';
import type { AnonVma } from './rmap/anon-vma.ts';
import type { UffdContext } from './uffd/context.ts';
import { VM_IGNORE_MERGE, VM_SPECIAL } from './vm-flags.ts';
import type { Vma, VmaKind } from './vma.ts';
import { removeVma, setVmaBounds, splitVma } from './vma-adjust.ts';

/**
 * When two neighbouring VMAs become one (Linux 6.18, mm/vma.c): same flags but for VM_IGNORE_MERGE, same file, name, policy and
 * userfaultfd, page offsets that continue, and anon_vmas that can be one. A VMA whose file keeps its VMAs apart may be
 * shortened, not removed.
 */
export interface MergeCandidate {
  readonly start: Vpn;
  readonly end: Vpn;
  readonly pgoff: number;
  readonly flags: number;
  readonly kind: VmaKind;
  readonly file: MappableFile | null;
  readonly anonName: string | null;
  readonly anonVma: AnonVma | null;
  readonly uffd: UffdContext | null;
  readonly policy: Mempolicy | null;
  /** The existing VMA that the range is, or is part of; null for a new mapping. */
  readonly middle: Vma | null;
  /** mremap's copy: the VMA that it comes from. */
  readonly copiedFrom: Vma | null;
}

/** can_merge_remove_vma. */
function mayRemove(vma: Vma): boolean {
  return vma.file?.keepsVmasApart !== true;
}

/** vma_is_fork_child: it may hold pages of an ancestor's anon_vma; merging it would widen the parent's lock. */
function isForkChild(vma: Vma | null): boolean {
  return vma !== null && vma.anonVma !== null && vma.anonVmaChain.length !== 1;
}

/** is_mergeable_anon_vma. */
function anonVmasMergeable(candidate: MergeCandidate, target: Vma): boolean {
  const targetAnon = target.anonVma;
  const sourceAnon = candidate.anonVma;
  if (targetAnon === null && sourceAnon !== null)
    return !isForkChild(candidate.middle) && !isForkChild(candidate.copiedFrom);
  if (targetAnon !== null && sourceAnon === null) return !isForkChild(target);
  return targetAnon === sourceAnon;
}

/** is_mergeable_vma. */
function factsMergeable(candidate: MergeCandidate, other: Vma): boolean {
  return (
    ((candidate.flags ^ other.flags) & ~VM_IGNORE_MERGE) === 0 &&
    candidate.file === other.file &&
    candidate.kind === other.kind &&
    candidate.uffd === other.uffd &&
    candidate.anonName === other.anonName &&
    samePolicy(candidate.policy, other.policy) &&
    anonVmasMergeable(candidate, other)
  );
}

function canMergeLeft(candidate: MergeCandidate, prev: Vma | null): prev is Vma {
  return (
    prev !== null &&
    prev.endVpn === candidate.start &&
    prev.pgoff + prev.sizePages === candidate.pgoff &&
    factsMergeable(candidate, prev)
  );
}

function canMergeRight(candidate: MergeCandidate, next: Vma | null, left: Vma | null): next is Vma {
  return (
    next !== null &&
    candidate.end === next.startVpn &&
    next.pgoff === candidate.pgoff + (candidate.end - candidate.start) &&
    factsMergeable(candidate, next) &&
    (left === null || left.anonVma === null || next.anonVma === null || left.anonVma === next.anonVma)
  );
}

/** What a merged VMA takes over of the flags of its parts (VM_STICKY). */
function stickyFlags(flags: number, other: Vma | null): number {
  return (flags | (other?.flags ?? 0)) & VM_IGNORE_MERGE;
}

/** dup_anon_vma: `to` takes over the anonymous pages of `from`. */
function adoptAnonVma(mm: MemoryManager, to: Vma, from: Vma): number {
  if (from.anonVma === null || to.anonVma !== null) return 0;
  to.anonVma = from.anonVma;
  return mm.rmap.anonVmas.clone(to, from);
}

/**
 * vma_merge_new_range: widens a neighbour of a free range over it; the VMA, or null where none fits (or no memory). Sizes are
 * not accounted. 'left' is brk's just_expand.
 */
export function mergeNewRange(
  mm: MemoryManager,
  space: AddressSpace,
  candidate: MergeCandidate,
  sides: 'both' | 'left' = 'both',
): Vma | null {
  if ((candidate.flags & VM_SPECIAL) !== 0) return null;
  const prev = space.vmas.findPrev((candidate.start + 1) as Vpn);
  const next = space.vmas.find(candidate.start);
  const left = canMergeLeft(candidate, prev) ? prev : null;
  const fitsRight = sides === 'both' && canMergeRight(candidate, next, left);
  const right = fitsRight && (left === null || mayRemove(next)) ? next : null;
  const target = left ?? right;
  if (target === null) return null;
  if (left !== null && right !== null && adoptAnonVma(mm, left, right) !== 0) return null;
  if (candidate.copiedFrom !== null && adoptAnonVma(mm, target, candidate.copiedFrom) !== 0) return null;
  target.flags |= stickyFlags(candidate.flags, right);
  if (left !== null) {
    const end = right === null ? candidate.end : right.endVpn;
    if (right !== null) removeVma(mm, right);
    setVmaBounds(mm, left, left.startVpn, end, left.pgoff);
    return left;
  }
  if (right === null) return null;
  setVmaBounds(mm, right, candidate.start, right.endVpn, candidate.pgoff);
  return right;
}

/**
 * vma_merge_existing_range: `middle` is about to change its flags in [start, end); if a neighbour has those already, the range
 * joins it. Returns the widened VMA, null where nothing merges, or -ENOMEM.
 */
function mergeExistingRange(mm: MemoryManager, candidate: MergeCandidate, middle: Vma): Vma | null | number {
  const { start, end } = candidate;
  const leftSide = start === middle.startVpn;
  const rightSide = end === middle.endVpn;
  if ((candidate.flags & VM_SPECIAL) !== 0 || (!leftSide && !rightSide)) return null;
  const { vmas } = middle.space;
  const prev = leftSide ? vmas.prev(middle) : null;
  const next = rightSide ? vmas.next(middle) : null;
  const left = canMergeLeft(candidate, prev) ? prev : null;
  const fitsRight = canMergeRight(candidate, next, left);
  if (leftSide && rightSide && !mayRemove(middle)) return null;
  const right = fitsRight && (left === null || mayRemove(next)) ? next : null;
  if (left !== null && right !== null) {
    if (adoptAnonVma(mm, left, right.anonVma !== null ? right : middle) !== 0) return -ENOMEM;
    const last = right.endVpn;
    left.flags |= stickyFlags(middle.flags, right);
    removeVma(mm, middle);
    removeVma(mm, right);
    setVmaBounds(mm, left, left.startVpn, last, left.pgoff);
    return left;
  }
  if (left !== null) {
    if (adoptAnonVma(mm, left, middle) !== 0) return -ENOMEM;
    left.flags |= stickyFlags(middle.flags, null);
    if (rightSide) removeVma(mm, middle);
    else setVmaBounds(mm, middle, end, middle.endVpn, middle.pgoff + (end - middle.startVpn));
    setVmaBounds(mm, left, left.startVpn, end, left.pgoff);
    return left;
  }
  if (right !== null) {
    if (adoptAnonVma(mm, right, middle) !== 0) return -ENOMEM;
    right.flags |= stickyFlags(middle.flags, null);
    if (leftSide) removeVma(mm, middle);
    else setVmaBounds(mm, middle, middle.startVpn, start, middle.pgoff);
    setVmaBounds(mm, right, start, right.endVpn, candidate.pgoff);
    return right;
  }
  return null;
}

/** vma_modify_flags: the flags that [start, end) is to have, kept to what the VMA that holds it now must not lose. */
export function setVmaFlags({ events }: MemoryManager, vma: Vma, flags: number): void {
  vma.flags = flags | (vma.flags & VM_IGNORE_MERGE);
  if (events.enabled[EV_VMA_FLAGS] !== 0)
    events.emit(EV_VMA_FLAGS, vma.space.id, vma.startVpn * PAGE_SIZE, vma.endVpn * PAGE_SIZE, vma.flags);
}

/**
 * vma_modify: gives [start, end) of `vma` a VMA of its own or joins it with a neighbour that has `flags` and the rest already. Returns the
 * VMA that holds the range (its flags not yet changed, unless it was widened: see setVmaFlags), or -ENOMEM.
 */
export function modifyVma(
  mm: MemoryManager,
  vma: Vma,
  start: Vpn,
  end: Vpn,
  flags: number,
  change: Partial<Pick<Vma, 'uffd' | 'anonName' | 'policy'>> = {},
): Vma | number {
  const { uffd, anonName, policy } = { uffd: vma.uffd, anonName: vma.anonName, policy: vma.policy, ...change };
  const merged = mergeExistingRange(
    mm,
    {
      start,
      end,
      pgoff: vma.pgoff + (start - vma.startVpn),
      flags,
      kind: vma.kind,
      file: vma.file,
      anonName,
      anonVma: vma.anonVma,
      uffd,
      policy,
      middle: vma,
      copiedFrom: null,
    },
    vma,
  );
  if (merged !== null) return merged;
  let target = vma;
  if (start > vma.startVpn) {
    const upper = splitVma(mm, vma, start);
    if (typeof upper === 'number') return upper;
    target = upper;
  }
  if (end < target.endVpn) {
    const upper = splitVma(mm, target, end);
    if (typeof upper === 'number') return upper;
  }
  return target;
}

/** vma_merge_extend: mremap or brk lengthens `vma` by `pages` in place; joins the next VMA if it now touches it. */
export function extendVma(mm: MemoryManager, vma: Vma, pages: number): Vma | null {
  const start = vma.endVpn;
  return mergeNewRange(mm, vma.space, {
    start,
    end: (start + pages) as Vpn,
    pgoff: vma.pgoff + vma.sizePages,
    flags: vma.flags,
    kind: vma.kind,
    file: vma.file,
    anonName: vma.anonName,
    anonVma: vma.anonVma,
    uffd: vma.uffd,
    policy: vma.policy,
    middle: null,
    copiedFrom: null,
  });
}
