import { AccessFrequency, type AccessSnapshot, type Replay } from '../src/index.ts';
import { requireReferences } from './unobserved-references.ts';
import type { WorkProgress } from './work-progress.ts';

/** DAMON's: so many samples are one snapshot (sample 5 ms, aggregation 100 ms). */
const SAMPLES = 20;
/** Snapshots of a run, where nobody says how long one is. */
const SNAPSHOTS = 50;

interface DamoRecord {
  readonly kdamond_idx: 0;
  readonly context_idx: 0;
  readonly intervals: { readonly sample_us: string; readonly aggr_us: string; readonly ops_update_us: string };
  readonly scheme_idx: null;
  readonly target_id: number;
  readonly snapshots: {
    readonly start_time: string;
    readonly end_time: string;
    readonly regions: readonly DamoRegion[];
    readonly total_bytes: string;
  }[];
}

interface DamoRegion {
  readonly start: string;
  readonly end: string;
  readonly nr_accesses: { readonly samples: number; readonly percent: number };
  readonly age: { readonly usec: string; readonly aggr_intervals: string };
}

export interface DamoRequest {
  /** Virtual time of the run's end. */
  readonly untilNs: number;
  /** Virtual time of a snapshot; null: a part of the run. */
  readonly snapshotNs: number | null;
  readonly progress: WorkProgress;
}

/** A replay from its start as damo's JSON (awslabs/damo, _damo_records.py): one record a process, exact counts of every page. Times are virtual. */
export function damoRecords(replay: Replay, { untilNs, snapshotNs, progress }: DamoRequest): DamoRecord[] {
  requireReferences(replay);
  const sampleNs = Math.max(1, Math.ceil((snapshotNs ?? untilNs / SNAPSHOTS) / SAMPLES));
  const frequency = new AccessFrequency(replay.system.kernel);
  const records = new Map<number, DamoRecord>();
  let startNs = 0;
  for (let sample = 1; startNs < untilNs; sample++) {
    const nowNs = sample * sampleNs;
    const result = replay.forward({ at: 'time', ns: nowNs });
    frequency.nextSample();
    if (sample % SAMPLES === 0 || result === 'ended') {
      for (const snapshot of frequency.takeSnapshots()) note(records, snapshot, { startNs, endNs: nowNs, sampleNs });
      startNs = nowNs;
    }
    if (result === 'ended') break;
    progress.tell(() => `${Math.round((nowNs / untilNs) * 100)} % of the run`);
  }
  frequency.close();
  return [...records.values()];
}

function note(
  records: Map<number, DamoRecord>,
  { pid, regions }: AccessSnapshot,
  { startNs, endNs, sampleNs }: { startNs: number; endNs: number; sampleNs: number },
): void {
  const aggrNs = sampleNs * SAMPLES;
  let record = records.get(pid);
  if (record === undefined) {
    const intervals = { sample_us: us(sampleNs), aggr_us: us(aggrNs), ops_update_us: us(aggrNs) };
    record = { kdamond_idx: 0, context_idx: 0, intervals, scheme_idx: null, target_id: pid, snapshots: [] };
    records.set(pid, record);
  }
  record.snapshots.push({
    start_time: `${startNs} ns`,
    end_time: `${endNs} ns`,
    regions: regions.map(({ start, end, samples, age }) => ({
      start: String(start),
      end: String(end),
      nr_accesses: { samples, percent: (samples / SAMPLES) * 100 },
      age: { usec: us(age * aggrNs), aggr_intervals: String(age) },
    })),
    total_bytes: String(regions.reduce((sum, { start, end }) => sum + (end - start), 0)),
  });
}

/** damo reads times of its intervals with a unit; ours are often less than a microsecond. */
function us(ns: number): string {
  return `${ns} ns`;
}
