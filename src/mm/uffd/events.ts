import {
  UFFD_EVENT_FORK,
  UFFD_EVENT_REMAP,
  UFFD_EVENT_REMOVE,
  UFFD_EVENT_UNMAP,
  UFFD_FEATURE_EVENT_FORK,
  UFFD_FEATURE_EVENT_REMAP,
  UFFD_FEATURE_EVENT_REMOVE,
  UFFD_FEATURE_EVENT_UNMAP,
} from '../../abi/userfaultfd.ts';
import { PAGE_SIZE, type Vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import type { OwedNotice } from '../fault/waiter.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VM_UFFD_FLAGS } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { UffdContext } from './context.ts';

/**
 * What a program does with its own mappings, told to the reader of the userfaultfd that watches them (fs/userfaultfd.c, 6.18:
 * dup_userfaultfd, mremap_userfaultfd_complete, userfaultfd_remove, userfaultfd_unmap_prep). The operation is done already when
 * its message can be read; its call returns when the message has been read.
 */
function tell(
  mm: MemoryManager,
  context: UffdContext,
  event: number,
  words: readonly number[],
  forked: UffdContext | null = null,
): void {
  let notice: OwedNotice | null = null;
  if (mm.waiter !== null) {
    notice = { queue: context.eventWaiters, isTaken: false };
    mm.waiter.notices.push(notice);
  }
  context.post({ event, words, forked, notice });
}

/** Contexts that want to be told when [start, end) is unmapped: before it is (userfaultfd_unmap_prep). */
export function watchersOfUnmap(space: AddressSpace, start: Vpn, end: Vpn): readonly UffdContext[] {
  let found: UffdContext[] | null = null;
  for (let vma = space.vmas.find(start); vma !== null && vma.startVpn < end; vma = space.nextBefore(vma, end)) {
    const context = vma.uffd;
    if (context === null || !context.has(UFFD_FEATURE_EVENT_UNMAP)) continue;
    found ??= [];
    if (!found.includes(context)) found.push(context);
  }
  return found ?? NOBODY;
}
const NOBODY: readonly UffdContext[] = [];

export function tellUnmap(mm: MemoryManager, watchers: readonly UffdContext[], start: Vpn, end: Vpn): void {
  for (const context of watchers) tell(mm, context, UFFD_EVENT_UNMAP, [start * PAGE_SIZE, end * PAGE_SIZE]);
}

/** madvise drops the pages of [start, end) (MADV_DONTNEED, FREE, REMOVE). */
export function tellRemove(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): void {
  const context = vma.uffd;
  if (context === null || !context.has(UFFD_FEATURE_EVENT_REMOVE)) return;
  tell(mm, context, UFFD_EVENT_REMOVE, [start * PAGE_SIZE, end * PAGE_SIZE]);
}

/** Whether mremap takes the registration along (mremap_userfaultfd_prep). */
export function followsMremap(vma: Vma): boolean {
  return vma.uffd?.has(UFFD_FEATURE_EVENT_REMAP) ?? false;
}

export function tellRemap(mm: MemoryManager, context: UffdContext, from: Vpn, to: Vpn, pages: number): void {
  tell(mm, context, UFFD_EVENT_REMAP, [from * PAGE_SIZE, to * PAGE_SIZE, pages * PAGE_SIZE]);
}

/**
 * The child's contexts of one fork, by the parent's (dup_userfaultfd): a child inherits a registration only where its parent's
 * reader is told of forks and gets a descriptor for the child.
 */
export class UffdFork {
  private readonly children = new Map<UffdContext, UffdContext>();

  /** The VMA's context in the child; null where it is not registered there. */
  childOf(mm: MemoryManager, child: AddressSpace, parent: UffdContext | null): UffdContext | null {
    if (parent === null || mm.waiter === null || !parent.has(UFFD_FEATURE_EVENT_FORK)) return null;
    const known = this.children.get(parent);
    if (known !== undefined) return known;
    const made = new UffdContext(child, parent.mode, parent.waiters.sibling());
    made.features = parent.features;
    this.children.set(parent, made);
    return made;
  }

  /** dup_userfaultfd_complete. */
  tell(mm: MemoryManager): void {
    for (const [parent, child] of this.children) tell(mm, parent, UFFD_EVENT_FORK, [], child);
  }
}

/** userfaultfd_reset_ctx: the VMA is nobody's. */
export function dropRegistration(vma: Vma): void {
  vma.uffd = null;
  vma.flags &= ~VM_UFFD_FLAGS;
}
