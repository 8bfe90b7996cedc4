import { EFAULT, EINVAL, EIO, ENOENT, ENOMEM, EOPNOTSUPP } from '../../abi/errno.ts';
import { MPOL_BIND, MPOL_DEFAULT, MPOL_MF_STRICT, MPOL_MF_VALID, MPOL_PREFERRED_MANY } from '../../abi/mempolicy.ts';
import { isPageAligned, PAGE_SIZE, roundUpToPage, type Vpn, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { ALL_NODES, type Mempolicy, makePolicy, type Nodes, samePolicy, splitMode } from '../mempolicy.ts';
import { SharedPolicy } from '../shared-policy.ts';
import { VMA_SHMEM, type Vma } from '../vma.ts';
import { modifyVma } from '../vma-merge.ts';

/** [start, end) in pages, 'empty', or -EINVAL. */
function rangeOf(address: number, lengthBytes: number): { start: Vpn; end: Vpn } | 'empty' | number {
  if (!isPageAligned(address)) return -EINVAL;
  const length = roundUpToPage(lengthBytes) % 2 ** 64;
  if (address + length >= 2 ** 64) return -EINVAL;
  return length === 0 ? 'empty' : { start: vpn(address / PAGE_SIZE), end: vpn((address + length) / PAGE_SIZE) };
}

/**
 * mbind(2) (Linux 6.18, do_mbind): the policy of a range. All memory is on node 0, so nothing is ever moved; MPOL_MF_STRICT alone is
 * -EIO where a page is there and node 0 was not asked for. `lengthBytes` is the argument as it came. 0 or -ERRNO.
 */
export function mbind(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
  modeAndFlags: number,
  wanted: Nodes,
  flags: number,
): number {
  const split = splitMode(modeAndFlags);
  if (typeof split === 'number') return split;
  const range = rangeOf(address, lengthBytes);
  if (typeof range === 'number') return range;
  if (range === 'empty') return 0;
  const policy = makePolicy(split.mode, split.flags, wanted);
  if (typeof policy === 'number') return policy;
  const { start, end } = range;
  const checked = checkRange(space, start, end, policy === null ? 'holes' : 'noHoles');
  if (checked < 0) return checked;
  const isStrict = (flags & MPOL_MF_VALID) === MPOL_MF_STRICT && split.mode !== MPOL_DEFAULT;
  if (isStrict && (wanted & ALL_NODES) === 0 && holdsPage(mm, space, start, end)) return -EIO;
  return forEachPiece(space, start, end, (vma, from, to) => bindRange(mm, vma, from, to, policy));
}

/** queue_pages_test_walk: -EFAULT where nothing is mapped, or, for any policy but the default, where there is a hole. */
function checkRange(space: AddressSpace, start: Vpn, end: Vpn, holes: 'holes' | 'noHoles'): number {
  let vma = space.vmas.find(start);
  if (vma === null || vma.startVpn >= end) return -EFAULT;
  if (holes === 'holes') return 0;
  if (vma.startVpn > start) return -EFAULT;
  while (vma.endVpn < end) {
    const next: Vma | null = space.vmas.next(vma);
    if (next === null || next.startVpn !== vma.endVpn) return -EFAULT;
    vma = next;
  }
  return 0;
}

/** Is there a page other than the zero page? */
function holdsPage(mm: MemoryManager, space: AddressSpace, start: Vpn, end: Vpn): boolean {
  const { pageTables } = mm;
  let page = start;
  while (pageTables.seek(space, page, end)) {
    page = (pageTables.foundVpn + pageTables.spanOf(pageTables.foundLevel)) as Vpn;
    const entry = pageTables.read(pageTables.foundSlot);
    if (!pageTables.isMapped(entry)) continue;
    const frame = pageTables.frameOf(entry);
    if (frame !== mm.zeroPage && frame !== mm.thp.zeroPage) return true;
  }
  return false;
}

/** Each VMA of a range, cut to it, until one fails. The VMAs may be split and joined on the way. */
function forEachPiece(
  space: AddressSpace,
  start: Vpn,
  end: Vpn,
  visit: (vma: Vma, from: Vpn, to: Vpn) => number,
): number {
  for (let at = start; at < end; ) {
    const vma = space.vmas.find(at);
    if (vma === null || vma.startVpn >= end) return 0;
    const from = Math.max(at, vma.startVpn) as Vpn;
    const to = Math.min(vma.endVpn, end) as Vpn;
    const result = visit(vma, from, to);
    if (result !== 0) return result;
    at = to;
  }
  return 0;
}

/**
 * mbind_range and vma_replace_policy. What the range was joined with loses the policies that the object had there
 * (mpol_set_shared_policy takes the VMA whole).
 */
function bindRange(mm: MemoryManager, vma: Vma, from: Vpn, to: Vpn, policy: Mempolicy | null): number {
  if (samePolicy(vma.policy, policy)) return 0;
  const target = modifyVma(mm, vma, from, to, vma.flags, { policy });
  if (typeof target === 'number') return -ENOMEM;
  if (target.kind === VMA_SHMEM && target.pages !== null) {
    target.pages.policies ??= new SharedPolicy();
    target.pages.policies.set(target.pgoff, target.pgoff + target.sizePages, policy);
  }
  target.policy = policy;
  return 0;
}

/**
 * set_mempolicy_home_node(2) (Linux 6.18): the node that MPOL_BIND and MPOL_PREFERRED_MANY try first. -ENOENT where nothing in the
 * range has a policy, -EOPNOTSUPP for another one, and what came before it is done.
 */
export function setHomeNode(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
  node: number,
  flags: number,
): number {
  if (!isPageAligned(address) || flags !== 0 || node >= 32 || (ALL_NODES & (1 << node)) === 0) return -EINVAL;
  const range = rangeOf(address, lengthBytes);
  if (typeof range === 'number') return range;
  if (range === 'empty') return 0;
  let found = -ENOENT;
  const failed = forEachPiece(space, range.start, range.end, (vma, from, to) => {
    const { policy } = vma;
    if (policy === null) return 0;
    if (policy.mode !== MPOL_BIND && policy.mode !== MPOL_PREFERRED_MANY) return -EOPNOTSUPP;
    found = 0;
    return bindRange(mm, vma, from, to, { ...policy, homeNode: node });
  });
  return failed !== 0 ? failed : found;
}
