import { writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { RecordingCut, Timeline } from '../src/index.ts';
import type { OpenRecording } from './open-recording.ts';
import type { ReplayCommandOptions } from './replay.ts';
import { damoRecords } from './replay-damo.ts';
import { writeReferences } from './replay-references.ts';
import { smemTar } from './replay-smem.ts';
import { parseWhere, type ReplayWhere } from './replay-stop.ts';
import { UsageError } from './usage-error.ts';
import { WorkProgress } from './work-progress.ts';

interface ExportRequest {
  readonly file: string;
  readonly where: Exclude<ReplayWhere, { at: 'change' }>;
  readonly options: ReplayCommandOptions;
  readonly progress: WorkProgress;
}

/** What a replay writes to a file for other programs to read. */
interface Export {
  readonly name: string;
  readonly usage: string;
  readonly about: string;
  /** What was written, for --json. */
  readonly write: (recording: OpenRecording, request: ExportRequest) => unknown;
}

export const EXPORTS: readonly Export[] = [
  {
    name: 'references',
    usage: 'references -o FILE',
    about:
      'the page references up to there, as a trace: .oracleGeneral, .lcs or .csv (libCacheSim), .txt (a page a line), .lackey; .gz or .zst behind it',
    write: (recording, { file, where, options, progress }) =>
      writeReferences(recording.makeReplay(), { file, until: where, ids: options.ids, progress }),
  },
  {
    name: 'smem',
    usage: 'smem -o FILE.tar',
    about: '/proc there, packed as smemcap does, for smem --source',
    write: writeSmem,
  },
  {
    name: 'damo',
    usage: 'damo -o FILE',
    about:
      "how often each page is accessed, snapshot by snapshot up to there, as damo's JSON (compressed unless FILE ends in .json)",
    write: writeDamo,
  },
];

export function exportNamed(name: string | undefined): Export | null {
  return EXPORTS.find((each) => each.name === name) ?? null;
}

/** The exit status. */
export function writeExport(
  recording: OpenRecording,
  exported: Export,
  { where, options }: { readonly where: ReplayWhere; readonly options: ReplayCommandOptions },
): number {
  const { name, usage, write } = exported;
  if (options.output === undefined) throw new UsageError(`${name}: say where it goes: ${usage}`);
  if (where.at === 'change') throw new UsageError(`${name}: --to takes a time, an event, @N or end here`);
  const progress = new WorkProgress();
  try {
    const written = write(recording, { file: options.output, where, options, progress });
    progress.close();
    if (options.json === true && options.output !== '-') process.stdout.write(`${JSON.stringify(written, null, 2)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof RecordingCut)) throw error;
    throw new UsageError(`${name}: ${error.message}; say up to where: --to @N`);
  } finally {
    progress.close();
  }
}

function writeSmem(recording: OpenRecording, { file, where }: ExportRequest): unknown {
  const timeline = new Timeline(recording.makeReplay(), recording.checkpoints);
  timeline.goTo(where);
  const bytes = smemTar(timeline);
  writeBytes(file, bytes);
  return { file, bytes: bytes.length, nowNs: timeline.nowNs };
}

function writeDamo(recording: OpenRecording, { file, where, options, progress }: ExportRequest): unknown {
  const untilNs = where.at === 'time' ? where.ns : where.at === 'end' ? (recording.end?.stats.virtualNs ?? null) : null;
  if (untilNs === null) throw new UsageError('damo: say up to when: --to 2ms');
  const interval = options.interval === undefined ? null : parseWhere(options.interval);
  if (interval !== null && interval.at !== 'time')
    throw new UsageError(`--interval ${options.interval}: write a time such as 100us`);
  const records = damoRecords(recording.makeReplay(), { untilNs, snapshotNs: interval?.ns ?? null, progress });
  const text = JSON.stringify(records, null, file.endsWith('.json') || file === '-' ? 2 : 0);
  writeBytes(file, file.endsWith('.json') || file === '-' ? Buffer.from(`${text}\n`) : deflateSync(text));
  return { file, processes: records.length, snapshots: records.reduce((sum, each) => sum + each.snapshots.length, 0) };
}

function writeBytes(file: string, bytes: Uint8Array): void {
  if (file === '-') {
    process.stdout.write(bytes);
    return;
  }
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw new UsageError(`-o ${file}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}
