/** The public API: the only file that re-exports. */
export { ERRNO_NAMES } from './abi/errno.ts';
export { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from './abi/fcntl.ts';
export * from './abi/mman.ts';
export { KernelPanic } from './base/assert.ts';
export { EVENT_FIELDS, EVENT_VALUE_NAMES } from './base/event-fields.ts';
export { EVENT_KINDS, type EventField, type EventName } from './base/event-kinds.ts';
export type { EventListener, EventRecord } from './base/events.ts';
export type { Timespec } from './base/timespec.ts';
export { DrivenProcess } from './driven-process.ts';
export type { ProcessStats } from './kernel/process-stats.ts';
export type { DiskKind } from './machine/block-device.ts';
export type { Environment, HostFiles, HostStat, StdioKind } from './machine/environment.ts';
export { MemoryEnvironment, MemoryHostFiles } from './machine/memory-environment.ts';
export type { FaultKind } from './mm/address-space.ts';
export type { FrameTable } from './mm/phys/frame-table.ts';
export type { InjectCounts, InjectOptions } from './mm/phys/inject.ts';
export { type ContractCase, RECLAIM_CONTRACT } from './mm/reclaim/contract.ts';
export { policiesByName, RECLAIM_POLICIES, type ReclaimPolicies, type ReclaimPolicyName } from './mm/reclaim/kinds.ts';
export { PlainMemory } from './mm/reclaim/plain-memory.ts';
export type { ReclaimablePages, ReclaimPolicy, References, TableVisitor } from './mm/reclaim/policy.ts';
export { GuardedPolicies, PolicyError } from './mm/reclaim/policy-guard.ts';
export { AttributedRun } from './observe/attribution/attributed-run.ts';
export type { AttributionRow } from './observe/attribution/attribution.ts';
export type { Mapping } from './observe/attribution/mapping-names.ts';
export {
  ATTRIBUTION_KEYS,
  type AttributionEntry,
  type AttributionKey,
  type AttributionSums,
  type AttributionTable,
  placeName,
  sumsOf,
} from './observe/attribution/table.ts';
export type { Decompress } from './observe/code/elf-file.ts';
export type { SourcePlace } from './observe/code/source-frames.ts';
export { formatEvent, formatField, formatFields } from './observe/event-log/event-format.ts';
export { type EventFilter, EventLog, type EventLogOptions, listenTo } from './observe/event-log/event-log.ts';
export { csvHead, csvLine, type EventColumn, eventColumns, eventObject } from './observe/event-log/event-table.ts';
export { type FaultDescription, formatFault } from './observe/fault-trace.ts';
export { countFrames, type FrameView, viewFrame } from './observe/frame-view.ts';
export type { HeatBand } from './observe/heat/bands.ts';
export { HEAT_COUNTS, type HeatCount, type HeatRow } from './observe/heat/cells.ts';
export { HeatMaps } from './observe/heat/heat-map.ts';
export type { LevelsReport } from './observe/levels-at-exit.ts';
export { describeVma } from './observe/page-life/mapping-watch.ts';
export { PageHistory } from './observe/page-life/page-history.ts';
export type { PageEvent } from './observe/page-life/page-steps.ts';
export type { LevelsRow } from './observe/page-table-levels.ts';
export { formatPage, type PageView } from './observe/page-view.ts';
export type { WalkStep } from './observe/page-walk.ts';
export { collectProcessMemory, type ProcessMemory } from './observe/process-memory.ts';
export { formatCollapsed, type WeightedStack, weighStacks } from './observe/profile/collapsed.ts';
export { drawFlameGraph } from './observe/profile/flame-graph.ts';
export { PerfettoTrace } from './observe/profile/perfetto.ts';
export { encodePprof, PPROF_VALUES } from './observe/profile/pprof.ts';
export { Checkpoint } from './observe/recording/checkpoint.ts';
export { CheckpointError } from './observe/recording/checkpoint-encoder.ts';
export {
  encodeEntry,
  type Journal,
  type JournalEntry,
  type JournalPiece,
  JournalReader,
  type JournalSource,
} from './observe/recording/journal.ts';
export type { PieceBlock } from './observe/recording/piece-blocks.ts';
export {
  type CheckpointPoint,
  CheckpointRecorder,
  type CheckpointSource,
  type TakenCheckpoint,
} from './observe/recording/recorded-checkpoints.ts';
export { RecordingCut, ReplayError } from './observe/recording/replay-environment.ts';
export { AccessFrequency, type AccessRegion, type AccessSnapshot } from './observe/references/access-frequency.ts';
export { LruCurve } from './observe/references/lru-curve.ts';
export { type MemoryNeed, memoryNeed } from './observe/references/need.ts';
export { OptimalMemory } from './observe/references/optimal-memory.ts';
export { type PageListener, PageLives } from './observe/references/page-lives.ts';
export { ReferenceTrace } from './observe/references/reference-trace.ts';
export { SampledCurve } from './observe/references/sampled-curve.ts';
export { Evictions } from './observe/report/evictions.ts';
export { ForkCalls } from './observe/report/fork-calls.ts';
export { type ForkCost, type ForkReport, makeForkReport } from './observe/report/fork-report.ts';
export { HugeRanges } from './observe/report/huge-ranges.ts';
export { type HugeReport, makeHugeReport } from './observe/report/huge-report.ts';
export { HugeTally } from './observe/report/huge-tally.ts';
export { type MemorySample, type SampledProcess, sampleMemory } from './observe/report/memory-sample.ts';
export { type Growth, PeakGrowth } from './observe/report/peak-growth.ts';
export { makeReclaimReport, type ReclaimReport, type Victim } from './observe/report/reclaim-report.ts';
export { ResidentPeaks, type SpacePeak } from './observe/report/resident-peaks.ts';
export { ScanTally } from './observe/report/scan-tally.ts';
export type { RunStats } from './observe/stats.ts';
export { Tlb, type TlbShape } from './observe/tlb/tlb.ts';
export { TLB_LEVELS, TlbHierarchy, type TlbLevel, type TlbLevelResult } from './observe/tlb/tlb-hierarchy.ts';
export {
  type AccessKind,
  type AccessSink,
  type TraceDecoder,
  TraceError,
  type TraceUnit,
} from './observe/traces/access.ts';
export { CSV_DEFAULTS, CsvDecoder, type CsvOptions } from './observe/traces/csv.ts';
export { LackeyDecoder } from './observe/traces/lackey.ts';
export {
  LCS_RECORD_BYTES,
  LcsDecoder,
  type LcsStatistics,
  lcsHeader,
  putLcsRecord,
} from './observe/traces/lcs.ts';
export {
  ORACLE_RECORD_BYTES,
  OracleGeneralDecoder,
  type OracleRecord,
  putOracleRecord,
} from './observe/traces/oracle-general.ts';
export { PageAccesses, type PageSink } from './observe/traces/page-accesses.ts';
export { PageListDecoder } from './observe/traces/page-list.ts';
export { PageNumbers } from './observe/traces/page-numbers.ts';
export { sniffTrace, TRACE_FORMATS, type TraceFormat } from './observe/traces/sniff.ts';
export type { WindowUse } from './observe/working-set/windows.ts';
export { type SpaceWorkingSet, WorkingSets } from './observe/working-set/working-sets.ts';
export { type EventParting, firstDifferentEvent, type TapedEvent } from './parting.ts';
export {
  eventNamed,
  type RecordedMachine,
  Replay,
  type ReplayCheckpoint,
  type ReplayOptions,
  type ReplayStop,
} from './replay.ts';
export { System } from './system.ts';
export type { ExitStatus, MountOptions, SpawnRequest, SwapSource, SystemOptions } from './system-options.ts';
export { Timeline } from './timeline.ts';
