import { inflateRawSync } from 'node:zlib';
import type { CheckpointSource, JournalPiece, JournalSource } from '../src/index.ts';
import { ChunkReader } from './chunk-reader.ts';
import {
  PAGE_HEAD_BYTES,
  RECORDING_FORMAT,
  type RecordingEnd,
  type RecordingHeader,
  type RecordingIndex,
  SIGNATURE,
  TAIL_BYTES,
} from './recording-format.ts';
import { UsageError } from './usage-error.ts';

export interface Recording {
  readonly header: RecordingHeader;
  readonly journal: JournalSource;
  readonly checkpoints: CheckpointSource;
  readonly end: RecordingEnd | null;
  /** Has a part been missed so far? */
  readonly isDamaged: () => boolean;
}

/**
 * Opens a recording. Throws UsageError if there is nothing in the file to replay. `onDamage` is told, once, why there is less of it than there
 * was: now, or when a damaged chunk is read.
 */
export function readRecording(file: string, onDamage: (why: string) => void): Recording {
  const chunks = new ChunkReader(file, onDamage);
  const first = chunks.peek(SIGNATURE.length);
  if (first?.type !== 'HEAD') throw new UsageError(`${file}: its header is damaged, so nothing of it can be replayed`);
  const header = JSON.parse(first.payload.toString()) as RecordingHeader;
  if (header.format !== RECORDING_FORMAT)
    throw new UsageError(
      `${file}: was recorded by Faultline ${header.faultline}, in format ${header.format}; this one reads format ${RECORDING_FORMAT}: record the run again`,
    );
  const index = readIndex(chunks) ?? scan(chunks, first.next);
  const end = index.end === null ? null : (chunks.readAs('ENDS', index.end)?.toString() ?? null);
  return {
    header,
    journal: journalIn(chunks, index),
    checkpoints: checkpointsIn(chunks, index),
    end: end === null ? null : (JSON.parse(end) as RecordingEnd),
    isDamaged: () => chunks.isDamaged,
  };
}

function journalIn(chunks: ChunkReader, { journal, files }: RecordingIndex): JournalSource {
  let last: JournalPiece | null = null;
  return {
    filesAt: files,
    pieceAt: (position) => {
      const at = journal.findLastIndex(([, start]) => start <= position);
      if (at < 0) return null;
      const [offset, start] = journal[at];
      if (last?.start !== start) {
        const payload = chunks.readAs('JRNL', offset);
        if (payload === null) return null;
        last = { start, bytes: inflateRawSync(payload) };
      }
      return position < start + last.bytes.length ? last : null;
    },
  };
}

function checkpointsIn(chunks: ChunkReader, { checkpoints, pages }: RecordingIndex): CheckpointSource {
  return {
    points: checkpoints.map(({ point }) => point),
    bytesOf: (index) => {
      const payload = chunks.readAs('CKPT', checkpoints[index].offset);
      return payload === null ? null : inflateRawSync(payload.subarray(4 + payload.readUInt32LE(0)));
    },
    findBlock: (number) => {
      const payload = number < pages.length ? chunks.readAs('PAGE', pages[number]) : null;
      return payload === null ? null : wordsOf(payload);
    },
  };
}

/** Of a PAGE. */
function wordsOf(payload: Buffer): Int32Array {
  const lengthBytes = payload.readUInt32LE(4);
  const isDeflated = payload.readUInt32LE(8) === 1;
  const rest = payload.subarray(PAGE_HEAD_BYTES);
  const bytes = isDeflated ? inflateRawSync(rest, { chunkSize: Math.max(64, lengthBytes) }) : rest;
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Int32Array(aligned.buffer, aligned.byteOffset, lengthBytes / 4);
}

/** null: it is not there, or damaged. */
function readIndex(chunks: ChunkReader): RecordingIndex | null {
  const tail = chunks.peek(chunks.size - TAIL_BYTES);
  if (tail?.type !== 'TAIL' || tail.next !== chunks.size) return null;
  const found = chunks.peek(tail.payload.readDoubleLE(0));
  return found?.type !== 'INDX' ? null : (JSON.parse(inflateRawSync(found.payload).toString()) as RecordingIndex);
}

/** Makes the index of a file that has none: from all chunks up to the first that is not as it was written. */
function scan(chunks: ChunkReader, start: number): RecordingIndex {
  const index: RecordingIndex = { journal: [], files: null, pages: [], checkpoints: [], end: null };
  let position = 0;
  let at = start;
  let hasTail = false;
  while (at < chunks.size) {
    const chunk = chunks.read(at);
    if (chunk === null) return index;
    const { type, payload } = chunk;
    if (type === 'JRNL') {
      index.journal.push([at, position]);
      position += inflateRawSync(payload).length;
    } else if (type === 'PAGE') index.pages[payload.readUInt32LE(0)] = at;
    else if (type === 'CKPT') {
      const text = payload.toString('utf8', 4, 4 + payload.readUInt32LE(0));
      index.checkpoints.push({ offset: at, point: JSON.parse(text) });
    } else if (type === 'ENDS') index.end = at;
    hasTail = type === 'TAIL';
    at = chunk.next;
  }
  if (index.end === null) chunks.tell('the run was cut off');
  else if (!hasTail) chunks.tell(`the file ends in the middle, at byte ${chunks.size}`);
  return index;
}
