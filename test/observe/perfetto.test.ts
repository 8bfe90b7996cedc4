/** A run as a Perfetto trace, as protobufjs decodes it by the published schema. */
import protobuf from 'protobufjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AttributedRun, PerfettoTrace } from '../../src/index.ts';
import { attributeProgram } from './attribute-program.ts';

/** What is used of perfetto.protos, as published (protos/perfetto/trace). */
const SCHEMA = `
syntax = "proto2";
message Process { optional int32 pid = 1; optional int32 ppid = 2; repeated string cmdline = 3; }
message Thread { optional int32 tid = 1; optional string name = 2; optional int32 tgid = 3; }
message ProcessTree { repeated Process processes = 1; repeated Thread threads = 2; }
message ProcessStatsProcess { optional int32 pid = 1; optional uint64 vm_size_kb = 2; optional uint64 vm_rss_kb = 3; optional uint64 rss_anon_kb = 4; optional uint64 rss_file_kb = 5; optional uint64 rss_shmem_kb = 6; optional uint64 vm_swap_kb = 7; optional uint64 vm_hwm_kb = 9; }
message ProcessStats { repeated ProcessStatsProcess processes = 1; }
message DebugAnnotation { optional string name = 10; optional uint64 uint_value = 3; optional uint64 pointer_value = 7; optional string string_value = 6; }
message TrackEvent { repeated string categories = 22; optional string name = 23; optional int32 type = 9; optional uint64 track_uuid = 11; optional uint64 callstack_iid = 56; repeated fixed64 flow_ids = 47; repeated DebugAnnotation debug_annotations = 4; }
message ThreadDescriptor { optional int32 pid = 1; optional int32 tid = 2; optional string thread_name = 5; }
message TrackDescriptor { optional uint64 uuid = 1; optional string name = 2; optional ThreadDescriptor thread = 4; }
message InternedString { optional uint64 iid = 1; optional bytes str = 2; }
message Frame { optional uint64 iid = 1; optional uint64 function_name_id = 2; optional uint64 source_path_iid = 5; optional uint32 line_number = 6; }
message Callstack { optional uint64 iid = 1; repeated uint64 frame_ids = 2; }
message InternedData { repeated InternedString function_names = 5; repeated Frame frames = 6; repeated Callstack callstacks = 7; repeated InternedString source_paths = 18; }
message TracePacket { optional uint64 timestamp = 8; optional uint32 trusted_packet_sequence_id = 10; optional uint32 sequence_flags = 13; optional ProcessTree process_tree = 2; optional ProcessStats process_stats = 9; optional TrackEvent track_event = 11; optional InternedData interned_data = 12; optional TrackDescriptor track_descriptor = 60; }
message Trace { repeated TracePacket packet = 1; }
`;

interface Event {
  readonly name?: string;
  readonly categories?: readonly string[];
  readonly callstackIid?: number;
  readonly type: number;
  readonly trackUuid: number;
  readonly flowIds?: readonly number[];
  readonly debugAnnotations?: readonly { readonly name: string; readonly uintValue?: number }[];
}

interface Packet {
  readonly timestamp?: number;
  readonly processTree?: {
    readonly processes: readonly {
      readonly pid: number;
      readonly ppid?: number;
      readonly cmdline: readonly string[];
    }[];
  };
  readonly processStats?: { readonly processes: readonly Readonly<Record<string, number>>[] };
  readonly trackEvent?: Event;
  readonly trackDescriptor?: {
    readonly uuid: number;
    readonly thread: { readonly tid: number; readonly threadName: string };
  };
  readonly internedData?: {
    readonly functionNames?: readonly { readonly iid: number; readonly str: string }[];
    readonly frames?: readonly {
      readonly iid: number;
      readonly functionNameId: number;
      readonly lineNumber?: number;
    }[];
    readonly callstacks?: readonly { readonly iid: number; readonly frameIds: readonly number[] }[];
  };
}

const TYPE = protobuf.parse(SCHEMA).root.lookupType('Trace');

async function traced(
  source: string,
  memory?: { memoryBytes: number; swapBytes: number },
): Promise<{ run: AttributedRun; packets: readonly Packet[] }> {
  const parts: Uint8Array[] = [];
  const { run } = await attributeProgram(
    source,
    (kernel, attributed) => {
      const trace = new PerfettoTrace(kernel, attributed, (part) => parts.push(part));
      return () => trace.close();
    },
    memory,
  );
  const object = TYPE.toObject(TYPE.decode(Buffer.concat(parts)), { longs: Number, bytes: String });
  return { run, packets: (object as { packet: Packet[] }).packet };
}

function eventsOf(packets: readonly Packet[], category: string): Event[] {
  return packets.flatMap(({ trackEvent }) => (trackEvent?.categories?.includes(category) ? [trackEvent] : []));
}

describe('of a program that forks', () => {
  let run: AttributedRun;
  let packets: readonly Packet[];
  beforeAll(async () => {
    ({ run, packets } = await traced('test/observe/programs/forks.c'));
  }, 120_000);

  it('has an instant for each fault, with a call stack that it knows by then', () => {
    const names = new Map<number, string>();
    const frames = new Map<number, number>();
    const stacks = new Map<number, readonly number[]>();
    const faults = { 'minor-fault': 0, 'major-fault': 0 };
    let filled = 0;
    for (const { trackEvent, internedData } of packets) {
      for (const { iid, str } of internedData?.functionNames ?? [])
        names.set(iid, Buffer.from(str, 'base64').toString());
      for (const { iid, functionNameId } of internedData?.frames ?? []) frames.set(iid, functionNameId);
      for (const { iid, frameIds } of internedData?.callstacks ?? []) stacks.set(iid, frameIds);
      const [category] = trackEvent?.categories ?? [];
      if (trackEvent === undefined || !(category === 'minor-fault' || category === 'major-fault')) continue;
      expect(trackEvent.type).toBe(3);
      faults[category]++;
      const ids = stacks.get(trackEvent.callstackIid ?? 0);
      const functions = ids?.map((id) => names.get(frames.get(id) ?? 0));
      expect(functions, trackEvent.name).not.toContain(undefined);
      if (functions?.at(-1) === 'fill') filled++;
    }
    const { minorFaults, majorFaults } = run.tables.by('function').total;
    expect(faults).toEqual({ 'minor-fault': minorFaults, 'major-fault': majorFaults });
    expect(filled).toBeGreaterThanOrEqual(499);
  });

  it('has the counters of each process, in the order of time, and in the end there are none', () => {
    const times = packets.flatMap(({ timestamp }) => (timestamp === undefined ? [] : [timestamp]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const processes = packets.flatMap(({ processTree }) => processTree?.processes ?? []);
    const known = new Set(processes.map(({ pid }) => pid));
    expect(known.size).toBe(4);
    const [first, ...children] = processes;
    expect(new Set(children.map(({ ppid }) => ppid))).toEqual(new Set([first.pid]));
    const counters = packets.flatMap(({ processStats }) => processStats?.processes ?? []);
    for (const { pid } of counters) expect(known.has(pid)).toBe(true);
    expect(Math.max(...counters.map(({ rssAnonKb = 0 }) => rssAnonKb))).toBeGreaterThan(2000);
    for (const pid of known) {
      const own = counters.filter((each) => each.pid === pid);
      expect(own.filter(({ vmRssKb }) => vmRssKb !== undefined).at(-1)?.vmRssKb).toBe(0);
      expect(Math.max(...own.map(({ vmRssKb = 0 }) => vmRssKb))).toBe(
        Math.max(...own.map(({ vmHwmKb = 0 }) => vmHwmKb)),
      );
    }
  });

  it('leads from each fork to the pages that are copied because of it', () => {
    const { forks, total } = run.tables.by('function');
    const ends = new Map<number, number>();
    for (const { flowIds = [], name } of [...eventsOf(packets, 'minor-fault'), ...eventsOf(packets, 'fork')])
      if (name !== 'fork' && name !== 'forked') for (const flow of flowIds) ends.set(flow, (ends.get(flow) ?? 0) + 1);
    const instants = eventsOf(packets, 'fork').filter(({ name }) => name === 'fork');
    const copies = instants.map(({ flowIds = [] }) => flowIds.reduce((sum, flow) => sum + (ends.get(flow) ?? 0), 0));
    expect(copies).toEqual(forks.map((fork) => fork.copies));
    expect(copies.length).toBe(3);
    expect(copies.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(total.cowCopies);
  });
});

describe('of a program that is short of memory', () => {
  it('has reclaim as slices, each begun and ended on the track of who does it', async () => {
    const { packets } = await traced('test/cli/rounds.c', { memoryBytes: 8 * 2 ** 20, swapBytes: 32 * 2 ** 20 });
    const open = new Map<number, string[]>();
    const freed = new Map<string, number>();
    const tracks = new Map<number, string>();
    for (const { trackEvent, trackDescriptor } of packets) {
      if (trackDescriptor !== undefined) tracks.set(trackDescriptor.uuid, trackDescriptor.thread.threadName);
      const { type, trackUuid: track, name = '', debugAnnotations = [] } = trackEvent ?? { type: 0, trackUuid: 0 };
      if (type === 1) open.set(track, [...(open.get(track) ?? []), name]);
      if (type !== 2) continue;
      const ended = open.get(track)?.pop() ?? 'nothing';
      expect(tracks.get(track)).toBe(ended === 'kswapd' ? 'kswapd0' : 'rounds');
      const amount = debugAnnotations.find((each) => each.name === 'nr_reclaimed')?.uintValue ?? 0;
      freed.set(ended, (freed.get(ended) ?? 0) + amount);
    }
    expect([...open.values()].flat()).toEqual([]);
    expect([...freed.keys()]).toContain('kswapd');
  }, 120_000);
});
