/**
 * Field numbers of perfetto.protos (github.com/google/perfetto, protos/perfetto/trace: trace_packet.proto, ps/process_tree.proto,
 * ps/process_stats.proto, track_event/, interned_data/, profiling/profile_common.proto).
 */
export const PACKET = {
  processTree: 2,
  timestamp: 8,
  processStats: 9,
  sequence: 10,
  trackEvent: 11,
  interned: 12,
  flags: 13,
  track: 60,
} as const;
/** The sequence's interned data begins anew; or what went before is needed. */
export const SEQ_INCREMENTAL_STATE_CLEARED = 1;
export const SEQ_NEEDS_INCREMENTAL_STATE = 2;

export const PROCESS_TREE = { processes: 1, threads: 2 } as const;
export const PROCESS = { pid: 1, ppid: 2, cmdline: 3 } as const;
export const THREAD = { tid: 1, name: 2, tgid: 3 } as const;

/** ProcessStats.Process, in KiB; trace_processor makes of them mem.virt, mem.rss, mem.rss.anon, .file, .shmem, mem.swap and mem.rss.watermark. */
export const STATS = {
  processes: 1,
  pid: 1,
  virt: 2,
  rss: 3,
  anon: 4,
  file: 5,
  shmem: 6,
  swap: 7,
  watermark: 9,
} as const;

export const TRACK = { uuid: 1, thread: 4 } as const;
export const TRACK_THREAD = { pid: 1, tid: 2, name: 5 } as const;

export const EVENT = { annotation: 4, type: 9, track: 11, categories: 22, name: 23, flow: 47, callstack: 56 } as const;
export const TYPE_SLICE_BEGIN = 1;
export const TYPE_SLICE_END = 2;
export const TYPE_INSTANT = 3;
export const ANNOTATION = { uint: 3, string: 6, pointer: 7, name: 10 } as const;

export const INTERNED = { functionNames: 5, frames: 6, callstacks: 7, sourcePaths: 18 } as const;
export const INTERNED_STRING = { iid: 1, text: 2 } as const;
export const FRAME = { iid: 1, functionName: 2, sourcePath: 5, line: 6 } as const;
export const CALLSTACK = { iid: 1, frames: 2 } as const;
