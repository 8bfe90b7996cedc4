import { ENOMEM } from '../../abi/errno.ts';
import { PAGE_SIZE, roundDownToPage, type Vaddr, vpn } from '../../machine/units.ts';
import { accountVm, mayExpandVm } from '../accounting.ts';
import type { AddressSpace } from '../address-space.ts';
import { expandStack } from '../fault/stack.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VM_EXEC, VM_STACK_FLAGS } from '../vm-flags.ts';
import { allocVma, linkVma } from '../vma-adjust.ts';

/** How far beyond the arguments a new stack reaches: 128 KiB (stack_expand of setup_arg_pages, fs/exec.c). */
const STACK_EXPAND_BYTES = 131072;

/**
 * The stack of a new program (Linux 6.18: create_init_stack_vma, setup_arg_pages): a VMA that ends at `top` (page-aligned),
 * holds `stringsBytes` of arguments and environment, and reaches 128 KiB further down or to the limit. Contents come by
 * copyToUser. 0 or -ENOMEM.
 */
export function setupStack(
  mm: MemoryManager,
  space: AddressSpace,
  top: Vaddr,
  stringsBytes: number,
  rights: 'exec' | 'noexec',
): number {
  const end = vpn(top / PAGE_SIZE);
  const argumentsStart = vpn(roundDownToPage(top - Math.max(stringsBytes, 1)) / PAGE_SIZE);
  const flags = VM_STACK_FLAGS | space.defFlags | (rights === 'exec' ? VM_EXEC : 0);
  const pages = end - argumentsStart;
  if (!mayExpandVm(space, flags, pages) || mm.chargeCommit(space, pages) !== 0) return -ENOMEM;
  const vma = allocVma(mm, space, argumentsStart, end, flags, argumentsStart);
  if (vma === null) {
    mm.unchargeCommit(pages);
    return -ENOMEM;
  }
  linkVma(mm, vma);
  accountVm(space, flags, pages);
  const limitBytes = roundDownToPage(Math.min(space.limits.stackBytes, 2 ** 52));
  const wantedBytes = pages * PAGE_SIZE + STACK_EXPAND_BYTES;
  const base = top - Math.min(wantedBytes, Math.max(limitBytes, pages * PAGE_SIZE));
  space.startStack = top;
  return expandStack(mm, vma, vpn(base / PAGE_SIZE));
}
