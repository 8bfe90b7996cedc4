/** What other programs read of a run's call stacks, read by them: pprof's format by Datadog's pprof-format, Perfetto's by protobufjs. */
import { join } from 'node:path';
import { Profile } from 'pprof-format';
import protobuf from 'protobufjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { decompressSection } from '../../cli/decompress-section.ts';
import { NodeEnvironment } from '../../cli/node-environment.ts';
import { compileForGuest } from '../../cli/toolchain.ts';
import {
  AttributedRun,
  drawFlameGraph,
  encodePprof,
  formatCollapsed,
  MemoryEnvironment,
  PerfettoTrace,
  PPROF_VALUES,
  System,
  weighStacks,
} from '../../src/index.ts';

let run: AttributedRun;
const parts: Uint8Array[] = [];
let durationNs = 0;

beforeAll(async () => {
  const compiled = await compileForGuest(join(import.meta.dirname, 'programs/forks.c'), {});
  if ('error' in compiled) throw new Error(compiled.error);
  const environment = new MemoryEnvironment({ host: new NodeEnvironment().host, onOutput: () => {} });
  const system = new System({ environment, memoryBytes: 64 * 2 ** 20 });
  system.mount({ host: compiled.elf, guest: '/forks', mode: 'ro' });
  run = new AttributedRun(system.kernel, decompressSection);
  const trace = new PerfettoTrace(system.kernel, run, (part) => parts.push(part));
  system.spawn('/forks', ['/forks']);
  expect(system.run({ instructions: 1e8 })).toBe('exited');
  run.close();
  trace.close();
  durationNs = system.kernel.clock.nowNs;
  system.shutdown();
}, 120_000);

describe('pprof', () => {
  const decode = () => Profile.decode(encodePprof(run, durationNs));

  it('has all values, and their sums are the totals', () => {
    const profile = decode();
    const text = (at: number | bigint): string => profile.stringTable.strings[Number(at)];
    const types = profile.sampleType.map(({ type, unit }) => `${text(type)}/${text(unit)}`);
    expect(types).toEqual(PPROF_VALUES.map(({ type, unit }) => `${type}/${unit}`));
    expect(text(profile.defaultSampleType)).toBe('minor_faults');
    expect(Number(profile.durationNanos)).toBe(durationNs);
    const sums = types.map((_, at) => profile.sample.reduce((sum, { value }) => sum + Number(value[at]), 0));
    const { total } = run.tables.by('function');
    const { minorFaults, majorFaults, cowCopies, peakBytes, refaults, tlbMisses } = total;
    expect(sums).toEqual([minorFaults, majorFaults, cowCopies, peakBytes, refaults, tlbMisses]);
  });

  it('has the functions with their lines, and everything that it refers to', () => {
    const profile = decode();
    const text = (at: number | bigint): string => profile.stringTable.strings[Number(at)];
    const functions = new Map(profile.function.map((each) => [Number(each.id), each]));
    const locations = new Map(profile.location.map((each) => [Number(each.id), each]));
    const mappings = new Set(profile.mapping.map(({ id }) => Number(id)));
    const stacks = profile.sample.map(({ locationId, value }) => ({
      faults: Number(value[0]),
      names: locationId.flatMap((id) => {
        const location = locations.get(Number(id));
        if (location === undefined) throw new Error(`no location ${id}`);
        expect(mappings.has(Number(location.mappingId))).toBe(true);
        return location.line.map(({ functionId }) => text(functions.get(Number(functionId))?.name ?? -1));
      }),
    }));
    const filled = stacks.filter(({ names }) => names[0] === 'fill').reduce((sum, { faults }) => sum + faults, 0);
    expect(filled).toBeGreaterThanOrEqual(499);
    expect(stacks.find(({ names }) => names[0] === 'child_work')?.names).toContain('main');
    const [sample] = profile.sample;
    expect(sample.label.map(({ key }) => text(key))).toEqual(['process', 'mapping']);
  });
});

describe('stacks of one weight', () => {
  it('are a line each, outermost first, and their sum is the total', () => {
    const lines = formatCollapsed(weighStacks(run, (row) => row.cowCopies))
      .trimEnd()
      .split('\n');
    for (const line of lines) expect(line).toMatch(/^[^;\n]+(;[^;\n]+)* \d+$/);
    const sum = lines.reduce((sofar, line) => sofar + Number(line.slice(line.lastIndexOf(' '))), 0);
    expect(sum).toBe(run.tables.by('function').total.cowCopies);
    const child = lines.find((line) => line.includes(';child_work '));
    expect(child).toMatch(/^forks;.*;main;child_work 300$/);
  });

  it('are a picture whose boxes add up', () => {
    const svg = drawFlameGraph(
      weighStacks(run, (row) => row.cowCopies),
      { title: 'copies <of> forks', unit: 'times' },
    );
    expect(svg.startsWith('<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg"')).toBe(
      true,
    );
    expect(svg).toContain('copies &lt;of&gt; forks');
    const { total } = run.tables.by('function');
    expect(svg).toContain(`<title>all (${total.cowCopies} times, 100.00%)</title>`);
    expect(svg).toMatch(/<title>child_work \(300 times, /);
    // Each box that is opened is closed.
    expect(svg.match(/<g>/g)?.length).toBe(svg.match(/<\/g>/g)?.length);
  });
});

/** What is used of perfetto.protos, as published (protos/perfetto/trace). */
const PERFETTO = `
syntax = "proto2";
message Process { optional int32 pid = 1; optional int32 ppid = 2; repeated string cmdline = 3; }
message Thread { optional int32 tid = 1; optional string name = 2; optional int32 tgid = 3; }
message ProcessTree { repeated Process processes = 1; repeated Thread threads = 2; }
message ProcessStatsProcess { optional int32 pid = 1; optional uint64 vm_rss_kb = 3; optional uint64 rss_anon_kb = 4; optional uint64 rss_file_kb = 5; optional uint64 rss_shmem_kb = 6; optional uint64 vm_swap_kb = 7; }
message ProcessStats { repeated ProcessStatsProcess processes = 1; }
message DebugAnnotation { optional string name = 10; optional uint64 pointer_value = 7; optional string string_value = 6; }
message TrackEvent { repeated string categories = 22; optional string name = 23; optional int32 type = 9; optional uint64 track_uuid = 11; optional uint64 callstack_iid = 56; repeated DebugAnnotation debug_annotations = 4; }
message ThreadDescriptor { optional int32 pid = 1; optional int32 tid = 2; optional string thread_name = 5; }
message TrackDescriptor { optional uint64 uuid = 1; optional string name = 2; optional ThreadDescriptor thread = 4; }
message InternedString { optional uint64 iid = 1; optional bytes str = 2; }
message Frame { optional uint64 iid = 1; optional uint64 function_name_id = 2; optional uint64 source_path_iid = 5; optional uint32 line_number = 6; }
message Callstack { optional uint64 iid = 1; repeated uint64 frame_ids = 2; }
message InternedData { repeated InternedString function_names = 5; repeated Frame frames = 6; repeated Callstack callstacks = 7; repeated InternedString source_paths = 18; }
message TracePacket { optional uint64 timestamp = 8; optional uint32 trusted_packet_sequence_id = 10; optional uint32 sequence_flags = 13; optional ProcessTree process_tree = 2; optional ProcessStats process_stats = 9; optional TrackEvent track_event = 11; optional InternedData interned_data = 12; optional TrackDescriptor track_descriptor = 60; }
message Trace { repeated TracePacket packet = 1; }
`;

interface Packet {
  readonly timestamp?: number;
  readonly processTree?: {
    readonly processes: readonly { readonly pid: number; readonly cmdline: readonly string[] }[];
  };
  readonly processStats?: { readonly processes: readonly Readonly<Record<string, number>>[] };
  readonly trackEvent?: { readonly name: string; readonly callstackIid?: number; readonly type: number };
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

describe("Perfetto's trace", () => {
  const packets = (): Packet[] => {
    const type = protobuf.parse(PERFETTO).root.lookupType('Trace');
    const options = { longs: Number, bytes: String };
    return (type.toObject(type.decode(Buffer.concat(parts)), options) as { packet: Packet[] }).packet;
  };

  it('has an instant for each fault, with a call stack that it knows by then', () => {
    const names = new Map<number, string>();
    const frames = new Map<number, number>();
    const stacks = new Map<number, readonly number[]>();
    let faults = 0;
    let filled = 0;
    for (const { trackEvent, internedData } of packets()) {
      for (const { iid, str } of internedData?.functionNames ?? [])
        names.set(iid, Buffer.from(str, 'base64').toString());
      for (const { iid, functionNameId } of internedData?.frames ?? []) frames.set(iid, functionNameId);
      for (const { iid, frameIds } of internedData?.callstacks ?? []) stacks.set(iid, frameIds);
      if (trackEvent === undefined) continue;
      expect(trackEvent.type).toBe(3);
      faults++;
      const ids = stacks.get(trackEvent.callstackIid ?? 0);
      const functions = ids?.map((id) => names.get(frames.get(id) ?? 0));
      expect(functions, trackEvent.name).not.toContain(undefined);
      if (functions?.at(-1) === 'fill') filled++;
    }
    expect(faults).toBe(run.tables.by('function').total.faults);
    expect(filled).toBeGreaterThanOrEqual(499);
  });

  it('has the counters of each process, in the order of time', () => {
    const all = packets();
    const times = all.flatMap(({ timestamp }) => (timestamp === undefined ? [] : [timestamp]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const known = new Set(all.flatMap(({ processTree }) => processTree?.processes.map(({ pid }) => pid) ?? []));
    expect(known.size).toBe(4);
    const anon = all.flatMap(({ processStats }) => processStats?.processes ?? []);
    for (const { pid } of anon) expect(known.has(pid)).toBe(true);
    expect(Math.max(...anon.map(({ rssAnonKb = 0 }) => rssAnonKb))).toBeGreaterThan(2000);
  });
});
