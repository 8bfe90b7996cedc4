import { PAGE_SIZE } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import { isDataMapping, isExecMapping, isStackMapping, VM_LOCKED } from './vm-flags.ts';

/** vm_stat_account: `pages` may be negative. Keeps the high-water mark of the address space's size. */
export function accountVm(space: AddressSpace, flags: number, pages: number): void {
  if (pages < 0 && space.totalVm > space.hiwaterVm) space.hiwaterVm = space.totalVm;
  space.totalVm += pages;
  if (isExecMapping(flags)) space.execVm += pages;
  else if (isStackMapping(flags)) space.stackVm += pages;
  else if (isDataMapping(flags)) space.dataVm += pages;
}

/** may_expand_vm: RLIMIT_AS and RLIMIT_DATA; a soft RLIMIT_DATA of 0 binds by its hard value (6.18: for Valgrind). */
export function mayExpandVm(space: AddressSpace, flags: number, pages: number): boolean {
  const { limits } = space;
  if (space.totalVm + pages > Math.floor(limits.asBytes / PAGE_SIZE)) return false;
  const dataBytes = limits.dataBytes === 0 ? limits.dataMaxBytes : limits.dataBytes;
  return !(isDataMapping(flags) && space.dataVm + pages > Math.floor(dataBytes / PAGE_SIZE));
}

/** mlock_future_ok: RLIMIT_MEMLOCK for a mapping that would be locked. */
export function mlockFutureOk(space: AddressSpace, flags: number, pages: number): boolean {
  const { limits } = space;
  if ((flags & VM_LOCKED) === 0 || limits.mayIgnoreMemlock) return true;
  return space.lockedVm + pages <= Math.floor(limits.memlockBytes / PAGE_SIZE);
}

/** can_do_mlock. */
export function canDoMlock(space: AddressSpace): boolean {
  return space.limits.memlockBytes !== 0 || space.limits.mayIgnoreMemlock;
}
