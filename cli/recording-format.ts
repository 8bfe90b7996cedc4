import { crc32 } from 'node:zlib';
import type { CheckpointPoint, RecordedMachine, RunStats } from '../src/index.ts';

/**
 * A recording (run.flt): a signature, then chunks.
 *
 *   signature   89 46 4c 54 0d 0a 1a 0a   as PNG's: what treats it as text damages it in the first bytes
 *   chunk       type (4 letters), length (u32, little-endian), payload, CRC-32 of type and payload (u32)
 *   HEAD        JSON, RecordingHeader       once, first
 *   JRNL        raw deflate of a piece of the journal: whole entries as encodeEntry makes them
 *   PAGE        number (u32) of a block of pages, its bytes (u32), 1 if they are in raw deflate or 0 (u32); these bytes
 *   CKPT        length of a JSON text (u32), which is a CheckpointPoint; TakenCheckpoint.bytes in raw deflate. Its blocks come before it
 *   ENDS        JSON, RecordingEnd          once; not there if Faultline was killed
 *   INDX        raw deflate of JSON, RecordingIndex: where all the others are
 *   TAIL        offset of INDX (f64)        once, last
 *
 * Every chunk is written when it is full, or after a second, so that what is lost with a crash is little. Who asks for a point near the end
 * of a long run reads the index, a checkpoint, its pages and the journal from there on; what is read is checked. Without the index, as
 * after a crash, a look at all chunks makes it again.
 */
export const SIGNATURE: Uint8Array = Uint8Array.of(0x89, 0x46, 0x4c, 0x54, 0x0d, 0x0a, 0x1a, 0x0a);
export const RECORDING_FORMAT = 2;
/** Type and length before a payload, and a sum behind it. */
export const CHUNK_HEAD_BYTES = 8;
export const CHUNK_SUM_BYTES = 4;
export const TAIL_BYTES: number = CHUNK_HEAD_BYTES + 8 + CHUNK_SUM_BYTES;
/** Before the bytes of a PAGE. */
export const PAGE_HEAD_BYTES = 12;

export type ChunkType = 'HEAD' | 'JRNL' | 'PAGE' | 'CKPT' | 'ENDS' | 'INDX' | 'TAIL';

export interface RecordingHeader {
  readonly format: number;
  /** Version of Faultline: what a machine does differs between versions, so another one replays with a warning. */
  readonly faultline: string;
  readonly command: readonly string[];
  readonly machine: RecordedMachine;
  /** The policy that --reclaim loaded from a file, as it was. */
  readonly policy: { readonly name: string; readonly text: string } | null;
}

export interface RecordingEnd {
  readonly exitStatus: number;
  /** Without wallMs, which differs. */
  readonly stats: Omit<RunStats, 'wallMs'>;
}

/** Offsets in the file. */
export interface RecordingIndex {
  /** Of each JRNL, and where its piece begins in the journal. */
  readonly journal: (readonly [offset: number, start: number])[];
  /** Where entries with files begin in the journal; null: not known. */
  readonly files: number[] | null;
  /** Of each PAGE, by number of the block. */
  readonly pages: number[];
  readonly checkpoints: { readonly offset: number; readonly point: CheckpointPoint }[];
  /** Of ENDS. */
  end: number | null;
}

export function chunkSum(type: Uint8Array, payload: Uint8Array): number {
  return crc32(payload, crc32(type));
}
