// Made by scripts/generate-state-classes.mjs.
import { ErrorSequence } from '../../base/error-sequence.ts';
import { EventSink } from '../../base/events.ts';
import { BufferSink, BufferSource } from '../../base/io.ts';
import { Rng } from '../../base/rng.ts';
import { Vmstat } from '../../base/vmstat.ts';
import { WakeList, WaitQueue } from '../../base/wait-queue.ts';
import { AnonRoot, AnonInode, AnonMounts } from '../../fs/anon-fs.ts';
import { NullFile, ZeroFile, FullFile, RandomFile, SimpleDriver, TerminalDriver } from '../../fs/char-devices.ts';
import { Dentry, DentryCache } from '../../fs/dentry.ts';
import { DeviceTable } from '../../fs/device-table.ts';
import { DirectoryFile } from '../../fs/directory-file.ts';
import { EventFile } from '../../fs/eventfd.ts';
import { PathFile } from '../../fs/file.ts';
import { FsContext } from '../../fs/fs-context.ts';
import { FsCore } from '../../fs/fs-core.ts';
import { HostBacking } from '../../fs/host-backing.ts';
import { HostInode } from '../../fs/host-inode.ts';
import { HostSuperblock } from '../../fs/host-superblock.ts';
import { HugetlbfsSuperblock, HugetlbfsInode, HugetlbfsFile } from '../../fs/hugetlbfs.ts';
import { InotifyFile } from '../../fs/inotify.ts';
import { InodeLocks, LockWaits } from '../../fs/locks.ts';
import { MemoryInode } from '../../fs/memory-inode.ts';
import { MemorySuperblock } from '../../fs/memory-superblock.ts';
import { Mount, MountTable } from '../../fs/mount.ts';
import { NotifyAccounts } from '../../fs/notify-accounts.ts';
import { OverlayBacking } from '../../fs/overlay-backing.ts';
import { OverlayInode } from '../../fs/overlay-inode.ts';
import { OverlaySuperblock } from '../../fs/overlay-superblock.ts';
import { PathRef } from '../../fs/path.ts';
import { PipeAccounts } from '../../fs/pipe-accounts.ts';
import { Pipe, PipeInode, PipeFile } from '../../fs/pipe.ts';
import { PseudoSuperblock, PseudoFileInode, PseudoFile } from '../../fs/pseudo-fs.ts';
import { RegularFile, LimitedSource } from '../../fs/regular-file.ts';
import { SecretInode, SecretFile } from '../../fs/secretmem.ts';
import { SharedAnonymousInode } from '../../fs/shared-anonymous-inode.ts';
import { SocketInode } from '../../fs/socket-make.ts';
import { SocketNames } from '../../fs/socket-names.ts';
import { SocketQueue } from '../../fs/socket-queue.ts';
import { SocketFile } from '../../fs/socket.ts';
import { StdioInode, StdioFile } from '../../fs/stdio-file.ts';
import { Superblock } from '../../fs/superblock.ts';
import { TtyFile } from '../../fs/tty-file.ts';
import { TtyOutput } from '../../fs/tty-output.ts';
import { Tty } from '../../fs/tty.ts';
import { Vfs } from '../../fs/vfs.ts';
import { CallCounts } from '../../kernel/call-counts.ts';
import { CgroupFile, OwnCgroupContent } from '../../kernel/cgroup/cgroup-file.ts';
import { Cgroup } from '../../kernel/cgroup/cgroup.ts';
import { CgroupSuperblock, CgroupDirectoryInode, CgroupContent, CgroupFileInode } from '../../kernel/cgroup/cgroupfs.ts';
import { Cgroups } from '../../kernel/cgroup/cgroups.ts';
import { KernelMemcgKiller } from '../../kernel/cgroup/memcg-oom.ts';
import { OpenPeakFile } from '../../kernel/cgroup/memory-files.ts';
import { CgroupNamespace } from '../../kernel/cgroup/namespace.ts';
import { OpenPressureFile } from '../../kernel/cgroup/pressure-files.ts';
import { FileSink } from '../../kernel/coredump/coredump.ts';
import { Credentials } from '../../kernel/credentials.ts';
import { DiskAlarm } from '../../kernel/disk-alarm.ts';
import { EpollFile } from '../../kernel/epoll.ts';
import { FileTable } from '../../kernel/file-table.ts';
import { FutexTable } from '../../kernel/futex.ts';
import { IdMap } from '../../kernel/id-map.ts';
import { IpcIds } from '../../kernel/ipc/ipc-ids.ts';
import { MsgQueue, MsgNamespace } from '../../kernel/ipc/msg.ts';
import { IpcNamespace } from '../../kernel/ipc/namespace.ts';
import { SemSet, SemUndoList, SemNamespace } from '../../kernel/ipc/sem.ts';
import { ShmFile } from '../../kernel/ipc/shm-file.ts';
import { ShmSegment, ShmNamespace } from '../../kernel/ipc/shm.ts';
import { WordWriter } from '../../kernel/ipc/structs.ts';
import { KernelJobControl } from '../../kernel/job-control.ts';
import { KernelCaches } from '../../kernel/kernel-caches.ts';
import { Kernel } from '../../kernel/kernel.ts';
import { Kswapd } from '../../kernel/kswapd.ts';
import { LoadAverage } from '../../kernel/load-average.ts';
import { MountNamespace } from '../../kernel/mount-namespace.ts';
import { NetNamespace } from '../../kernel/net-namespace.ts';
import { NsInode, NsFile } from '../../kernel/ns-file.ts';
import { KernelOomKiller } from '../../kernel/oom.ts';
import { PidNamespace } from '../../kernel/pid-namespace.ts';
import { PidFile } from '../../kernel/pidfd.ts';
import { EndedProcesses } from '../../kernel/process-stats.ts';
import { Process } from '../../kernel/process.ts';
import { BytesInode, BytesFile } from '../../kernel/procfs/bytes-file.ts';
import { FdDirectory, FdinfoDirectory, FdLink, FdinfoInode } from '../../kernel/procfs/fd-dir.ts';
import { MapFilesDirectory, MapFilesLink } from '../../kernel/procfs/map-files.ts';
import { NsLink, NsDirectory } from '../../kernel/procfs/ns-dir.ts';
import { TaskFolder, ThreadsDirectory } from '../../kernel/procfs/pid-dir.ts';
import { PressureInode, PressureFile } from '../../kernel/procfs/pressure-file.ts';
import { PressureFolder } from '../../kernel/procfs/pressure.ts';
import { ProcDirectoryFile } from '../../kernel/procfs/proc-directory.ts';
import { ProcTextLink, ProcMagicLink } from '../../kernel/procfs/proc-link.ts';
import { ProcSuperblock } from '../../kernel/procfs/proc-superblock.ts';
import { ProcRoot } from '../../kernel/procfs/root-dir.ts';
import { SeqInode, SeqFile } from '../../kernel/procfs/seq-file.ts';
import { SysctlFolder, SysctlInode, SysctlFile } from '../../kernel/procfs/sysctl.ts';
import { SysvipcFolder } from '../../kernel/procfs/sysvipc.ts';
import { PsiState, PsiGroup } from '../../kernel/psi/psi-group.ts';
import { PsiMonitor } from '../../kernel/psi/psi-monitor.ts';
import { PsiTrigger } from '../../kernel/psi/psi-trigger.ts';
import { PsiMonitors } from '../../kernel/psi/psi-watch.ts';
import { TraceState } from '../../kernel/ptrace/trace-state.ts';
import { SignalFile } from '../../kernel/signalfd.ts';
import { PendingSignals } from '../../kernel/signals/pending.ts';
import { Sighand } from '../../kernel/signals/sighand.ts';
import { SigSet } from '../../kernel/signals/sigset.ts';
import { Stalls, RunningMemstall } from '../../kernel/stalls.ts';
import { Strace } from '../../kernel/strace.ts';
import { CallView } from '../../kernel/strace/view.ts';
import { SwapFiles } from '../../kernel/swap-files.ts';
import { IoctlArgument } from '../../kernel/syscalls/user.ts';
import { SysfsSuperblock, SysfsFolder, SysfsContent, SysfsFileInode } from '../../kernel/sysfs/sysfs.ts';
import { Task } from '../../kernel/task.ts';
import { TimeNamespace } from '../../kernel/time-namespace.ts';
import { TimerFile } from '../../kernel/timerfd.ts';
import { TimerHeap } from '../../kernel/timers.ts';
import { UserNamespace } from '../../kernel/user-namespace.ts';
import { UserfaultFile, UserfaultDevice, UserfaultDriver } from '../../kernel/userfaultfd.ts';
import { UtsNamespace } from '../../kernel/uts-namespace.ts';
import { BlockDevice } from '../../machine/block-device.ts';
import { VirtualClock } from '../../machine/clock.ts';
import { DiskPlace, DiskLayout } from '../../machine/disk-layout.ts';
import { MemoryHostFiles, MemoryEnvironment } from '../../machine/memory-environment.ts';
import { Ram } from '../../machine/ram.ts';
import { AccessRules } from '../../mm/access-rules.ts';
import { MmLimits, AddressSpace } from '../../mm/address-space.ts';
import { BlockQueue } from '../../mm/block/block-queue.ts';
import { BlockRequest } from '../../mm/block/request.ts';
import { ReverseCheck } from '../../mm/check-entries.ts';
import { FaultWaiter } from '../../mm/fault/waiter.ts';
import { HugetlbAnonymousFile } from '../../mm/hugetlb/anonymous-file.ts';
import { HugePool } from '../../mm/hugetlb/huge-pool.ts';
import { HugetlbObject } from '../../mm/hugetlb/hugetlb-object.ts';
import { Hugetlb } from '../../mm/hugetlb/hugetlb.ts';
import { ReservationMap } from '../../mm/hugetlb/reservation-map.ts';
import { Subpool } from '../../mm/hugetlb/subpool.ts';
import { KsmSlot, KsmSlots } from '../../mm/ksm/ksm-slots.ts';
import { KsmKnobs, AdvisorState, Ksm } from '../../mm/ksm/ksm.ts';
import { KsmWalk } from '../../mm/ksm/reverse.ts';
import { RmapItems } from '../../mm/ksm/rmap-items.ts';
import { RowTree } from '../../mm/ksm/row-tree.ts';
import { StableNodes } from '../../mm/ksm/stable-nodes.ts';
import { LeafMemory } from '../../mm/leaf-memory.ts';
import { MemcgCounters, Memcg } from '../../mm/memcg/memcg.ts';
import { Memcgs } from '../../mm/memcg/memcgs.ts';
import { PageCounter } from '../../mm/memcg/page-counter.ts';
import { MemoryManager } from '../../mm/memory-manager.ts';
import { MlockBatch } from '../../mm/mlock-batch.ts';
import { DirtySettings } from '../../mm/page-cache/dirty-limits.ts';
import { FilePages } from '../../mm/page-cache/file-pages.ts';
import { PageCache } from '../../mm/page-cache/page-cache.ts';
import { PageIndex } from '../../mm/page-cache/page-index.ts';
import { ShadowNodes } from '../../mm/page-cache/shadow-nodes.ts';
import { PageTableEntries } from '../../mm/page-table-entry.ts';
import { PageTables } from '../../mm/page-table.ts';
import { PagemapScanner } from '../../mm/pagemap-scan.ts';
import { FrameAllocator } from '../../mm/phys/alloc.ts';
import { Buddy } from '../../mm/phys/buddy.ts';
import { DeferredSplits } from '../../mm/phys/deferred-splits.ts';
import { FrameList } from '../../mm/phys/frame-list.ts';
import { FrameTable } from '../../mm/phys/frame-table.ts';
import { FaultInjector } from '../../mm/phys/inject.ts';
import { Lruvec, LruLists } from '../../mm/phys/lruvec.ts';
import { NodeStat } from '../../mm/phys/node-stat.ts';
import { KmemCache, SlabAllocator } from '../../mm/phys/slab.ts';
import { WatermarkSettings } from '../../mm/phys/watermarks.ts';
import { Zone } from '../../mm/phys/zone.ts';
import { PteEditor } from '../../mm/pte-editor.ts';
import { AgingPolicy } from '../../mm/reclaim/aging.ts';
import { ArcPolicy } from '../../mm/reclaim/arc.ts';
import { ClockProPolicy } from '../../mm/reclaim/clock-pro.ts';
import { ClockRing } from '../../mm/reclaim/clock-ring.ts';
import { ClockPolicy } from '../../mm/reclaim/clock.ts';
import { FifoPolicy } from '../../mm/reclaim/fifo.ts';
import { GhostList } from '../../mm/reclaim/ghost-list.ts';
import { NamedPolicies, LruGenPolicies } from '../../mm/reclaim/kinds.ts';
import { LruPolicy } from '../../mm/reclaim/lru.ts';
import { LruvecPages } from '../../mm/reclaim/lruvec-pages.ts';
import { BloomFilter } from '../../mm/reclaim/mglru/bloom-filter.ts';
import { Generations } from '../../mm/reclaim/mglru/generations.ts';
import { LruGen } from '../../mm/reclaim/mglru/lru-gen.ts';
import { MglruPolicy } from '../../mm/reclaim/mglru/mglru.ts';
import { PageUse } from '../../mm/reclaim/mglru/page-use.ts';
import { Tiers } from '../../mm/reclaim/mglru/tiers.ts';
import { NruPolicy } from '../../mm/reclaim/nru.ts';
import { PageQueue } from '../../mm/reclaim/page-queue.ts';
import { PageReclaim } from '../../mm/reclaim/page-reclaim.ts';
import { PlainMemory } from '../../mm/reclaim/plain-memory.ts';
import { GuardedPolicies, GuardedPages } from '../../mm/reclaim/policy-guard.ts';
import { RandomPolicy } from '../../mm/reclaim/random.ts';
import { Reclaim } from '../../mm/reclaim/reclaim.ts';
import { TwoListPolicy } from '../../mm/reclaim/two-list.ts';
import { Workingset } from '../../mm/reclaim/workingset.ts';
import { AnonVma, AnonVmaChain } from '../../mm/rmap/anon-vma.ts';
import { AnonVmas } from '../../mm/rmap/anon-vmas.ts';
import { IntervalTree } from '../../mm/rmap/interval-tree.ts';
import { LargeRmap } from '../../mm/rmap/large-rmap.ts';
import { Rmap } from '../../mm/rmap/rmap.ts';
import { SharedAnonymousFile } from '../../mm/shared-anonymous-file.ts';
import { SharedPolicy } from '../../mm/shared-policy.ts';
import { ShmemLargePages } from '../../mm/shmem/large-pages.ts';
import { ShmemHugeSettings } from '../../mm/shmem/shmem-huge.ts';
import { ShmemObject } from '../../mm/shmem/shmem.ts';
import { ClusterRows, SwapArea } from '../../mm/swap/area.ts';
import { SwapCensus } from '../../mm/swap/check-swap.ts';
import { MemoryStore, FileStore } from '../../mm/swap/store.ts';
import { SwapReadAhead } from '../../mm/swap/swap-in.ts';
import { Swap } from '../../mm/swap/swap.ts';
import { Lz4Compressor } from '../../mm/swap/zram/lz4.ts';
import { SlotRows, ZramStore } from '../../mm/swap/zram/zram-store.ts';
import { ZsPool } from '../../mm/swap/zram/zs-pool.ts';
import { DeferredSplitShrinker } from '../../mm/thp/deferred-split.ts';
import { Khugepaged } from '../../mm/thp/khugepaged.ts';
import { Thp } from '../../mm/thp/thp.ts';
import { TlbBatch } from '../../mm/tlb-batch.ts';
import { UffdContext } from '../../mm/uffd/context.ts';
import { UffdFork } from '../../mm/uffd/events.ts';
import { UserIo } from '../../mm/user-io.ts';
import { AvlNode, AvlIndex } from '../../mm/vma-index/avl.ts';
import { ListNode, ListIndex } from '../../mm/vma-index/list.ts';
import { MapleIndex } from '../../mm/vma-index/maple.ts';
import { RbNode, RbTree } from '../../mm/vma-index/rb-node.ts';
import { RbTreeIndex } from '../../mm/vma-index/rbtree.ts';
import { VmaNeighbours } from '../../mm/vma-neighbours.ts';
import { Vma } from '../../mm/vma.ts';
import { YoungWalker } from '../../mm/young-walk.ts';

/** Every class that a machine's state can have objects of, in a fixed order. */
export const STATE_CLASSES: readonly { readonly prototype: object }[] = [
  ErrorSequence,
  EventSink,
  BufferSink,
  BufferSource,
  Rng,
  Vmstat,
  WakeList,
  WaitQueue,
  BlockDevice,
  VirtualClock,
  DiskPlace,
  DiskLayout,
  MemoryHostFiles,
  MemoryEnvironment,
  Ram,
  AccessRules,
  MmLimits,
  AddressSpace,
  BlockQueue,
  BlockRequest,
  ReverseCheck,
  FaultWaiter,
  HugetlbAnonymousFile,
  HugePool,
  HugetlbObject,
  Hugetlb,
  ReservationMap,
  Subpool,
  KsmSlot,
  KsmSlots,
  KsmKnobs,
  AdvisorState,
  Ksm,
  KsmWalk,
  RmapItems,
  RowTree,
  StableNodes,
  LeafMemory,
  MemcgCounters,
  Memcg,
  Memcgs,
  PageCounter,
  MemoryManager,
  MlockBatch,
  DirtySettings,
  FilePages,
  PageCache,
  PageIndex,
  ShadowNodes,
  PageTableEntries,
  PageTables,
  PagemapScanner,
  FrameAllocator,
  Buddy,
  DeferredSplits,
  FrameList,
  FrameTable,
  FaultInjector,
  Lruvec,
  LruLists,
  NodeStat,
  KmemCache,
  SlabAllocator,
  WatermarkSettings,
  Zone,
  PteEditor,
  AgingPolicy,
  ArcPolicy,
  ClockProPolicy,
  ClockRing,
  ClockPolicy,
  FifoPolicy,
  GhostList,
  NamedPolicies,
  LruGenPolicies,
  LruPolicy,
  LruvecPages,
  BloomFilter,
  Generations,
  LruGen,
  MglruPolicy,
  PageUse,
  Tiers,
  NruPolicy,
  PageQueue,
  PageReclaim,
  PlainMemory,
  GuardedPolicies,
  GuardedPages,
  RandomPolicy,
  Reclaim,
  TwoListPolicy,
  Workingset,
  AnonVma,
  AnonVmaChain,
  AnonVmas,
  IntervalTree,
  LargeRmap,
  Rmap,
  SharedAnonymousFile,
  SharedPolicy,
  ShmemLargePages,
  ShmemHugeSettings,
  ShmemObject,
  ClusterRows,
  SwapArea,
  SwapCensus,
  MemoryStore,
  FileStore,
  SwapReadAhead,
  Swap,
  Lz4Compressor,
  SlotRows,
  ZramStore,
  ZsPool,
  DeferredSplitShrinker,
  Khugepaged,
  Thp,
  TlbBatch,
  UffdContext,
  UffdFork,
  UserIo,
  AvlNode,
  AvlIndex,
  ListNode,
  ListIndex,
  MapleIndex,
  RbNode,
  RbTree,
  RbTreeIndex,
  VmaNeighbours,
  Vma,
  YoungWalker,
  AnonRoot,
  AnonInode,
  AnonMounts,
  NullFile,
  ZeroFile,
  FullFile,
  RandomFile,
  SimpleDriver,
  TerminalDriver,
  Dentry,
  DentryCache,
  DeviceTable,
  DirectoryFile,
  EventFile,
  PathFile,
  FsContext,
  FsCore,
  HostBacking,
  HostInode,
  HostSuperblock,
  HugetlbfsSuperblock,
  HugetlbfsInode,
  HugetlbfsFile,
  InotifyFile,
  InodeLocks,
  LockWaits,
  MemoryInode,
  MemorySuperblock,
  Mount,
  MountTable,
  NotifyAccounts,
  OverlayBacking,
  OverlayInode,
  OverlaySuperblock,
  PathRef,
  PipeAccounts,
  Pipe,
  PipeInode,
  PipeFile,
  PseudoSuperblock,
  PseudoFileInode,
  PseudoFile,
  RegularFile,
  LimitedSource,
  SecretInode,
  SecretFile,
  SharedAnonymousInode,
  SocketInode,
  SocketNames,
  SocketQueue,
  SocketFile,
  StdioInode,
  StdioFile,
  Superblock,
  TtyFile,
  TtyOutput,
  Tty,
  Vfs,
  CallCounts,
  CgroupFile,
  OwnCgroupContent,
  Cgroup,
  CgroupSuperblock,
  CgroupDirectoryInode,
  CgroupContent,
  CgroupFileInode,
  Cgroups,
  KernelMemcgKiller,
  OpenPeakFile,
  CgroupNamespace,
  OpenPressureFile,
  FileSink,
  Credentials,
  DiskAlarm,
  EpollFile,
  FileTable,
  FutexTable,
  IdMap,
  IpcIds,
  MsgQueue,
  MsgNamespace,
  IpcNamespace,
  SemSet,
  SemUndoList,
  SemNamespace,
  ShmFile,
  ShmSegment,
  ShmNamespace,
  WordWriter,
  KernelJobControl,
  KernelCaches,
  Kernel,
  Kswapd,
  LoadAverage,
  MountNamespace,
  NetNamespace,
  NsInode,
  NsFile,
  KernelOomKiller,
  PidNamespace,
  PidFile,
  EndedProcesses,
  Process,
  BytesInode,
  BytesFile,
  FdDirectory,
  FdinfoDirectory,
  FdLink,
  FdinfoInode,
  MapFilesDirectory,
  MapFilesLink,
  NsLink,
  NsDirectory,
  TaskFolder,
  ThreadsDirectory,
  PressureInode,
  PressureFile,
  PressureFolder,
  ProcDirectoryFile,
  ProcTextLink,
  ProcMagicLink,
  ProcSuperblock,
  ProcRoot,
  SeqInode,
  SeqFile,
  SysctlFolder,
  SysctlInode,
  SysctlFile,
  SysvipcFolder,
  PsiState,
  PsiGroup,
  PsiMonitor,
  PsiTrigger,
  PsiMonitors,
  TraceState,
  SignalFile,
  PendingSignals,
  Sighand,
  SigSet,
  Stalls,
  RunningMemstall,
  Strace,
  CallView,
  SwapFiles,
  IoctlArgument,
  SysfsSuperblock,
  SysfsFolder,
  SysfsContent,
  SysfsFileInode,
  Task,
  TimeNamespace,
  TimerFile,
  TimerHeap,
  UserNamespace,
  UserfaultFile,
  UserfaultDevice,
  UserfaultDriver,
  UtsNamespace,
];
