/** The public API: the only file that re-exports. */
export { ERRNO_NAMES } from './abi/errno.ts';
export { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from './abi/fcntl.ts';
export * from './abi/mman.ts';
export { KernelPanic } from './base/assert.ts';
export { EVENT_KINDS, type EventName } from './base/event-kinds.ts';
export type { EventListener, EventRecord } from './base/events.ts';
export type { Timespec } from './base/timespec.ts';
export { DrivenProcess } from './driven-process.ts';
export type { DiskKind } from './machine/block-device.ts';
export type { Environment, HostFiles, HostStat, StdioKind } from './machine/environment.ts';
export { MemoryEnvironment, MemoryHostFiles } from './machine/memory-environment.ts';
export type { FaultKind } from './mm/address-space.ts';
export type { FrameTable } from './mm/phys/frame-table.ts';
export type { InjectCounts, InjectOptions } from './mm/phys/inject.ts';
export { type ContractCase, RECLAIM_CONTRACT } from './mm/reclaim/contract.ts';
export { RECLAIM_POLICIES, type ReclaimPolicies, type ReclaimPolicyName } from './mm/reclaim/kinds.ts';
export type { ReclaimablePages, ReclaimPolicy, References, TableVisitor } from './mm/reclaim/policy.ts';
export { GuardedPolicies, PolicyError } from './mm/reclaim/policy-guard.ts';
export { type FaultDescription, formatFault } from './observe/fault-trace.ts';
export type { LevelsReport } from './observe/levels-at-exit.ts';
export type { LevelsRow } from './observe/page-table-levels.ts';
export { formatPage, type PageView } from './observe/page-view.ts';
export type { WalkStep } from './observe/page-walk.ts';
export type { RunStats } from './observe/stats.ts';
export {
  type ExitStatus,
  type MountOptions,
  type SpawnRequest,
  type SwapSource,
  System,
  type SystemOptions,
} from './system.ts';
