import type { AttributedRun } from '../attribution/attributed-run.ts';
import { type AttributionRow, minorFaultsOf } from '../attribution/attribution.ts';
import type { CodeFrame } from '../code/call-stacks.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** What each sample has, in order: type, unit. */
export const PPROF_VALUES = [
  { type: 'minor_faults', unit: 'count', of: minorFaultsOf },
  { type: 'major_faults', unit: 'count', of: (row: AttributionRow) => row.majorFaults },
  { type: 'cow_copies', unit: 'count', of: (row: AttributionRow) => row.cowCopies },
  { type: 'resident', unit: 'bytes', of: (row: AttributionRow) => (row.resident - row.sincePeak) * PAGE_BYTES },
  { type: 'refaults', unit: 'count', of: (row: AttributionRow) => row.refaults },
  { type: 'tlb_misses', unit: 'count', of: (row: AttributionRow) => row.tlbMisses },
] as const;

const PAGE_BYTES = 4096;

/**
 * A run as pprof's profile.proto (github.com/google/pprof, proto/profile.proto), not compressed. A sample is a call stack of a process
 * in a mapping, which are its labels; 'resident' is at the moment at which most was. Times are virtual.
 */
export function encodePprof(run: AttributedRun, durationNs: number): Uint8Array {
  return new PprofEncoder(run).encode(durationNs);
}

class PprofEncoder {
  private readonly run: AttributedRun;
  private readonly profile = new ProtobufWriter();
  private readonly strings = new Map<string, number>([['', 0]]);
  private readonly locations = new Map<CodeFrame, number>();
  private readonly functions = new Map<string, number>();
  private readonly mappings = new Map<string, number>();

  constructor(run: AttributedRun) {
    this.run = run;
  }

  encode(durationNs: number): Uint8Array {
    const { profile } = this;
    for (const { type, unit } of PPROF_VALUES)
      profile.message(1, new ProtobufWriter().number(1, this.string(type)).number(2, this.string(unit)));
    this.mapping(this.mainModule());
    for (const row of this.run.attribution.rows) this.sample(row);
    profile.number(10, Math.round(durationNs));
    profile.number(14, this.string('minor_faults'));
    // Last, when all of them are known; the order of fields means nothing.
    for (const text of this.strings.keys()) profile.text(6, text);
    return profile.finish();
  }

  /** The program that most samples are of: readers take the first mapping for it. */
  private mainModule(): string {
    const counts = new Map<string, number>();
    for (const { space, stack } of this.run.attribution.rows) {
      const { comm } = this.run.attribution.processes.of(space);
      for (const frame of this.run.stacks.framesOf(stack)) {
        const { module } = this.run.sources.of(frame)[0];
        // A name of a task is cut off after fifteen bytes.
        const isProgram = comm !== '' && module.slice(module.lastIndexOf('/') + 1).startsWith(comm);
        if (isProgram) counts.set(module, (counts.get(module) ?? 0) + 1);
      }
    }
    const [most] = [...counts].sort(([, a], [, b]) => b - a);
    return most?.[0] ?? '[kernel]';
  }

  private sample(row: AttributionRow): void {
    const values = PPROF_VALUES.map(({ of }) => of(row));
    if (values.every((value) => value === 0)) return;
    const locations = this.run.stacks.framesOf(row.stack).map((frame) => this.location(frame));
    const { pid, comm } = this.run.attribution.processes.of(row.space);
    const label = (key: string, text: string): ProtobufWriter =>
      new ProtobufWriter().number(1, this.string(key)).number(2, this.string(text));
    const sample = new ProtobufWriter().packed(1, locations).packed(2, values);
    sample.message(3, label('process', `${comm}/${pid}`));
    sample.message(3, label('mapping', this.run.tables.mappingOf(row.mapping)));
    this.profile.message(2, sample);
  }

  private location(frame: CodeFrame): number {
    let id = this.locations.get(frame);
    if (id !== undefined) return id;
    id = this.locations.size + 1;
    this.locations.set(frame, id);
    const places = this.run.sources.of(frame);
    const location = new ProtobufWriter().number(1, id);
    location.number(2, this.mapping(places[0].module)).number(3, frame.address);
    for (const { symbol, file, line } of places)
      location.message(4, new ProtobufWriter().number(1, this.function(symbol, file)).number(2, line));
    this.profile.message(4, location);
    return id;
  }

  private function(name: string, file: string): number {
    const key = `${name}\0${file}`;
    let id = this.functions.get(key);
    if (id !== undefined) return id;
    id = this.functions.size + 1;
    this.functions.set(key, id);
    const text = this.string(name);
    const message = new ProtobufWriter().number(1, id).number(2, text).number(3, text).number(4, this.string(file));
    this.profile.message(5, message);
    return id;
  }

  private mapping(path: string): number {
    let id = this.mappings.get(path);
    if (id !== undefined) return id;
    id = this.mappings.size + 1;
    this.mappings.set(path, id);
    // Addresses are the file's own. Everything is named already: the reader need not look for the file.
    const message = new ProtobufWriter().number(1, id).number(5, this.string(path));
    for (const has of [7, 8, 9, 10]) message.number(has, 1);
    this.profile.message(3, message);
    return id;
  }

  private string(text: string): number {
    let id = this.strings.get(text);
    if (id === undefined) {
      id = this.strings.size;
      this.strings.set(text, id);
    }
    return id;
  }
}
