import { CAP_SYS_NICE } from '../../abi/capability.ts';
import { EFAULT, EINVAL, ENODEV, EPERM, ESRCH } from '../../abi/errno.ts';
import {
  MAX_NUMNODES,
  MPOL_DEFAULT,
  MPOL_F_ADDR,
  MPOL_F_MEMS_ALLOWED,
  MPOL_F_NODE,
  MPOL_INTERLEAVE,
  MPOL_MF_MOVE,
  MPOL_MF_MOVE_ALL,
  MPOL_MF_VALID,
  MPOL_WEIGHTED_INTERLEAVE,
} from '../../abi/mempolicy.ts';
import { ACCESS_READ } from '../../machine/mmu.ts';
import { PAGE_SIZE, roundDownToPage, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import {
  ALL_NODES,
  type Mempolicy,
  makePolicy,
  type Nodes,
  policyAt,
  splitMode,
  toldNodes,
} from '../../mm/mempolicy.ts';
import { mbind as bindMemory, setHomeNode } from '../../mm/ops/mbind.ts';
import { nodeOfPage } from '../../mm/ops/page-node.ts';
import { ensureUserByte } from '../../mm/user-access.ts';
import { mayAccessTask } from '../access-task.ts';
import { capable } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readBytes, writeBytes } from '../user-structs.ts';
import type { SyscallRow } from './row.ts';
import { readWords, spaceOf } from './user.ts';

/** Memory policies, and where pages are (6.18, mm/mempolicy.c, mm/migrate.c), on a machine with one node. */

const WORD_BITS = 64;

/** get_nodes: a bit mask of `maxnode - 1` bits; -EFAULT, or -EINVAL for more bits than a page holds and for nodes that cannot be. */
function readNodes(k: Kernel, t: Task, address: number, maxnode: number): Nodes {
  if (maxnode === 1 || address === 0) return 0;
  const bits = maxnode - 1;
  if (maxnode === 0 || bits > PAGE_SIZE * 8) return -EINVAL;
  const words = Math.ceil(bits / WORD_BITS);
  const bytes = new Uint8Array(words * 8);
  if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
  let nodes = 0;
  for (let node = 0; node < bits; node++) {
    if (((bytes[node >> 3] >> (node & 7)) & 1) === 0) continue;
    if (node >= MAX_NUMNODES) return -EINVAL;
    nodes |= 1 << node;
  }
  return nodes;
}

/** copy_nodes_to_user: as many bits as there can be nodes, the rest of what was asked for zero. */
function writeNodes(k: Kernel, t: Task, address: number, maxnode: number, nodes: Nodes): number {
  const lengthBytes = Math.ceil((maxnode - 1) / WORD_BITS) * 8;
  if (lengthBytes > PAGE_SIZE) return -EINVAL;
  const bytes = new Uint8Array(lengthBytes);
  if (lengthBytes > 0) bytes[0] = nodes;
  return writeBytes(k, t, address, bytes) < 0 ? -EFAULT : 0;
}

function setMempolicy(k: Kernel, t: Task, modeAndFlags: number, address: number, maxnode: number): number {
  const split = splitMode(modeAndFlags);
  if (typeof split === 'number') return split;
  const nodes = readNodes(k, t, address, maxnode);
  if (nodes < 0) return nodes;
  const policy = makePolicy(split.mode, split.flags, nodes);
  if (typeof policy === 'number') return policy;
  t.mempolicy = policy;
  return 0;
}

/** do_get_mempolicy: which policy is asked about; -ERRNO. */
function policyAskedFor(t: Task, address: number, flags: number): Mempolicy | null | number {
  if ((flags & MPOL_F_ADDR) === 0) return address === 0 ? t.mempolicy : -EINVAL;
  const page = vpn(roundDownToPage(address) / PAGE_SIZE);
  const space = spaceOf(t);
  const vma = page >= space.taskSize ? null : space.vmas.find(page);
  return vma === null || vma.startVpn > page ? -EFAULT : policyAt(vma, page);
}

/** MPOL_F_NODE: the node of the page, which is brought in; or the next one of the task's interleaving. */
function nodeAskedFor(k: Kernel, t: Task, policy: Mempolicy | null, address: number, flags: number): number {
  if ((flags & MPOL_F_ADDR) !== 0) return ensureUserByte(k.mm, spaceOf(t), address, ACCESS_READ) < 0 ? -EFAULT : 0;
  const isInterleaved = policy?.mode === MPOL_INTERLEAVE || policy?.mode === MPOL_WEIGHTED_INTERLEAVE;
  return isInterleaved ? 0 : -EINVAL;
}

function getMempolicy(
  k: Kernel,
  t: Task,
  modeAddress: number,
  maskAddress: number,
  maxnode: number,
  address: number,
  flags: number,
): number {
  if (maskAddress !== 0 && maxnode < 1) return -EINVAL;
  if ((flags & ~(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED)) !== 0) return -EINVAL;
  let mode = MPOL_DEFAULT;
  let nodes = ALL_NODES;
  if ((flags & MPOL_F_MEMS_ALLOWED) !== 0) {
    if ((flags & (MPOL_F_NODE | MPOL_F_ADDR)) !== 0) return -EINVAL;
  } else {
    const policy = policyAskedFor(t, address, flags);
    if (typeof policy === 'number') return policy;
    mode = (flags & MPOL_F_NODE) !== 0 ? nodeAskedFor(k, t, policy, address, flags) : modeOf(policy);
    if (mode < 0) return mode;
    nodes = toldNodes(policy);
  }
  if (modeAddress !== 0 && writeBytes(k, t, modeAddress, new Uint8Array(Int32Array.of(mode).buffer)) < 0)
    return -EFAULT;
  return maskAddress === 0 ? 0 : writeNodes(k, t, maskAddress, maxnode, nodes);
}

const modeOf = (policy: Mempolicy | null): number => (policy === null ? MPOL_DEFAULT : policy.mode | policy.flags);

function mbind(
  k: Kernel,
  t: Task,
  address: number,
  lengthBytes: number,
  mode: number,
  maskAddress: number,
  maxnode: number,
  flags: number,
): number {
  const split = splitMode(mode);
  if (typeof split === 'number') return split;
  const nodes = readNodes(k, t, maskAddress, maxnode);
  if (nodes < 0) return nodes;
  if ((flags & ~MPOL_MF_VALID) !== 0) return -EINVAL;
  if ((flags & MPOL_MF_MOVE_ALL) !== 0 && !capable(t.cred, CAP_SYS_NICE)) return -EPERM;
  return bindMemory(k.mm, spaceOf(t), address, lengthBytes, mode, nodes, flags);
}

/** find_mm_struct: the memory of a process (0: the caller's) that the caller may look into. */
function spaceOfPid(k: Kernel, t: Task, pid: number): AddressSpace | number {
  if (pid === 0) return spaceOf(t);
  const target = k.tasks.get(pid);
  if (target === undefined) return -ESRCH;
  if (mayAccessTask(t, target, 'real') < 0) return -EPERM;
  return target.space ?? -EINVAL;
}

/** kernel_migrate_pages: pages that could not be moved. From node 0 to node 0 nothing is to do. */
function migratePages(k: Kernel, t: Task, pid: number, maxnode: number, from: number, to: number): number {
  const oldNodes = readNodes(k, t, from, maxnode);
  if (oldNodes < 0) return oldNodes;
  const newNodes = readNodes(k, t, to, maxnode);
  if (newNodes < 0) return newNodes;
  const target = pid === 0 ? t : k.tasks.get(pid);
  if (target === undefined) return -ESRCH;
  if (mayAccessTask(t, target, 'real') < 0) return -EPERM;
  if ((newNodes & ~ALL_NODES) !== 0 && !capable(t.cred, CAP_SYS_NICE)) return -EPERM;
  if ((newNodes & ALL_NODES) === 0 || target.space === null) return -EINVAL;
  return 0;
}

function movePages(
  k: Kernel,
  t: Task,
  pid: number,
  count: number,
  pages: number,
  nodes: number,
  status: number,
  flags: number,
): number {
  if ((flags & ~(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) !== 0) return -EINVAL;
  if ((flags & MPOL_MF_MOVE_ALL) !== 0 && !capable(t.cred, CAP_SYS_NICE)) return -EPERM;
  const space = spaceOfPid(k, t, pid);
  if (typeof space === 'number') return space;
  const { wordBytes } = k.arch;
  for (let i = 0; i < count; i++) {
    const page = readWords(k, t, pages + i * wordBytes, 1);
    if (typeof page === 'number') return -EFAULT;
    if (nodes !== 0) {
      const node = new Int32Array(1);
      if (readBytes(k, t, nodes + i * 4, new Uint8Array(node.buffer)) < 0) return -EFAULT;
      if (node[0] < 0 || node[0] >= MAX_NUMNODES || (ALL_NODES & (1 << node[0])) === 0) return -ENODEV;
    }
    const found = Int32Array.of(nodeOfPage(k.mm, space, page[0], nodes === 0 ? 'toTell' : 'toMove'));
    if (writeBytes(k, t, status + i * 4, new Uint8Array(found.buffer)) < 0) return -EFAULT;
  }
  return 0;
}

const full = { support: 'full', note: '' } as const;
export const mempolicyCalls: readonly SyscallRow[] = [
  { name: 'set_mempolicy', args: ['int', 'ptr', 'ulong'], run: setMempolicy, ...full },
  { name: 'get_mempolicy', args: ['ptr', 'ptr', 'ulong', 'ptr', 'ulong'], run: getMempolicy, ...full },
  { name: 'mbind', args: ['ptr', 'size', 'ulong', 'ptr', 'ulong', 'uint'], run: mbind, ...full },
  {
    name: 'set_mempolicy_home_node',
    args: ['ptr', 'size', 'ulong', 'ulong'],
    run: (k, t, address, length, node, flags) => setHomeNode(k.mm, spaceOf(t), address, length, node, flags),
    ...full,
  },
  { name: 'move_pages', args: ['int', 'ulong', 'ptr', 'ptr', 'ptr', 'int'], run: movePages, ...full },
  { name: 'migrate_pages', args: ['int', 'ulong', 'ptr', 'ptr'], run: migratePages, ...full },
];
