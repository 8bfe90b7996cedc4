import { EINVAL } from '../abi/errno.ts';
import {
  MPOL_BIND,
  MPOL_DEFAULT,
  MPOL_F_NUMA_BALANCING,
  MPOL_F_RELATIVE_NODES,
  MPOL_F_STATIC_NODES,
  MPOL_LOCAL,
  MPOL_MAX,
  MPOL_MODE_FLAGS,
  MPOL_PREFERRED,
  MPOL_PREFERRED_MANY,
} from '../abi/mempolicy.ts';
import type { Vma } from './vma.ts';
import { VMA_SHMEM } from './vma.ts';

/** A set of memory nodes, one bit each. This machine has node 0 alone. */
export type Nodes = number;
export const ALL_NODES: Nodes = 1;

/**
 * struct mempolicy (6.18, mm/mempolicy.c): where memory is to come from. Never changed once made, so it is shared freely; "default"
 * is the absence of one. With one node every policy comes to the same, but programs set them, read them back and see their VMAs
 * split by them.
 */
export interface Mempolicy {
  /** MPOL_*, without flags; never MPOL_DEFAULT. */
  readonly mode: number;
  /** Of MPOL_MODE_FLAGS. */
  readonly flags: number;
  /** Those of the wanted nodes that there are. */
  readonly nodes: Nodes;
  /** What was asked for: with MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES it is what get_mempolicy tells. */
  readonly userNodes: Nodes;
  /** set_mempolicy_home_node; -1: none (NUMA_NO_NODE). */
  readonly homeNode: number;
}

const USER_NODEMASK_FLAGS = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;

/** sanitize_mpol_flags: a mode with its flags taken apart, or -EINVAL. */
export function splitMode(modeAndFlags: number): { mode: number; flags: number } | number {
  const flags = modeAndFlags & MPOL_MODE_FLAGS;
  const mode = (modeAndFlags & ~MPOL_MODE_FLAGS) >>> 0;
  if (mode >= MPOL_MAX || (flags & USER_NODEMASK_FLAGS) === USER_NODEMASK_FLAGS) return -EINVAL;
  const mayBalance = mode === MPOL_BIND || mode === MPOL_PREFERRED_MANY;
  return (flags & MPOL_F_NUMA_BALANCING) !== 0 && !mayBalance ? -EINVAL : { mode, flags };
}

/** mpol_new and mpol_set_nodemask: null is the default policy; -EINVAL for nodes that the mode cannot do with. */
export function makePolicy(mode: number, flags: number, wanted: Nodes): Mempolicy | null | number {
  if (mode === MPOL_DEFAULT) return wanted === 0 ? null : -EINVAL;
  const keepsUserNodes = (flags & USER_NODEMASK_FLAGS) !== 0;
  const isLocal = mode === MPOL_LOCAL || (mode === MPOL_PREFERRED && wanted === 0);
  if (isLocal) {
    if (wanted !== 0 || keepsUserNodes) return -EINVAL;
    return { mode: MPOL_LOCAL, flags, nodes: 0, userNodes: 0, homeNode: -1 };
  }
  if (wanted === 0) return -EINVAL;
  // mpol_relative_nodemask: numbers count among the nodes that there are, around and around.
  const nodes = (flags & MPOL_F_RELATIVE_NODES) !== 0 ? ALL_NODES : wanted & ALL_NODES;
  return nodes === 0 ? -EINVAL : { mode, flags, nodes, userNodes: wanted, homeNode: -1 };
}

/** mpol_equal. */
export function samePolicy(one: Mempolicy | null, two: Mempolicy | null): boolean {
  if (one === null || two === null) return one === two;
  if (one.mode !== two.mode || one.flags !== two.flags || one.homeNode !== two.homeNode) return false;
  if ((one.flags & USER_NODEMASK_FLAGS) !== 0 && one.userNodes !== two.userNodes) return false;
  return one.nodes === two.nodes;
}

/** The nodes that get_mempolicy tells. */
export function toldNodes(policy: Mempolicy | null): Nodes {
  if (policy === null) return 0;
  return (policy.flags & USER_NODEMASK_FLAGS) !== 0 ? policy.userNodes : policy.nodes;
}

/** __get_vma_policy: shared memory's policies are the object's (shmem_get_policy). null: the task's holds. */
export function policyAt(vma: Vma, page: number): Mempolicy | null {
  if (vma.kind !== VMA_SHMEM) return vma.policy;
  return vma.pages?.policies?.find(vma.pgoff + page - vma.startVpn) ?? null;
}

const NAMES = ['default', 'prefer', 'bind', 'interleave', 'local', 'prefer (many)', 'weighted interleave'];

/** mpol_to_str, as /proc/PID/numa_maps has it. */
export function policyText(policy: Mempolicy | null): string {
  if (policy === null) return NAMES[MPOL_DEFAULT];
  const { mode, flags, nodes } = policy;
  const marks: string[] = [];
  if ((flags & MPOL_F_STATIC_NODES) !== 0) marks.push('static');
  else if ((flags & MPOL_F_RELATIVE_NODES) !== 0) marks.push('relative');
  if ((flags & MPOL_F_NUMA_BALANCING) !== 0) marks.push('balancing');
  const list = [...Array(32).keys()].filter((node) => (nodes & (1 << node)) !== 0).join(',');
  return `${NAMES[mode]}${marks.length === 0 ? '' : `=${marks.join('|')}`}${list === '' ? '' : `:${list}`}`;
}
