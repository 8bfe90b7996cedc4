import type { RunLimits, RunStatus } from '../../kernel/run-loop.ts';
import type { HostStat } from '../../machine/environment.ts';

/**
 * What a run got from outside, in its order: with the machine's options it is all that the run depends on (decision D3). A call is what the
 * owner of the machine asked of it; the answers of its Environment that a call led to follow it.
 */
export type JournalEntry =
  | { readonly op: 'call'; readonly call: MachineCall; readonly bytes: Uint8Array }
  | { readonly op: 'ran'; readonly ran: RanTo }
  | { readonly op: 'answer'; readonly to: string; readonly answer: Answer; readonly bytes: Uint8Array }
  /** A program's or library's file, whole: for the names in it, which the run itself does not ask for. */
  | { readonly op: 'file'; readonly path: string; readonly bytes: Uint8Array };

/** A call of System that changes the machine. */
export type MachineCall =
  | { readonly name: 'mount'; readonly host: string; readonly guest: string; readonly mode: 'ro' | 'rw' | 'overlay' }
  | { readonly name: 'addSwap'; readonly source: object }
  /** The bytes are the entry's. */
  | { readonly name: 'writeFile'; readonly path: string; readonly mode: number }
  | { readonly name: 'readFile'; readonly path: string }
  | { readonly name: 'symlink'; readonly target: string; readonly path: string }
  | { readonly name: 'access'; readonly path: string }
  | {
      readonly name: 'spawn';
      readonly program: string;
      readonly argv: readonly string[];
      readonly env: readonly string[];
      readonly cwd: string;
    }
  | { readonly name: 'run'; readonly limits: RunLimits }
  | { readonly name: 'skipIdle'; readonly ns: number }
  | { readonly name: 'sendSignal'; readonly pid: number; readonly signo: number }
  | { readonly name: 'shutdown' };

/** Where a call of run came to: a replay must come to the same. */
export interface RanTo {
  readonly status: RunStatus;
  /** Instructions retired and traps so far. */
  readonly issued: number;
  readonly nowNs: number;
}

/** What the Environment said, but for bytes that it gave. */
export type Answer = number | string | null | HostStat | readonly string[] | readonly number[];

/** Takes entries while a run goes on. The bytes of an entry are good during the call alone. */
export interface Journal {
  add(entry: JournalEntry): void;
}

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * An entry as bytes: two lengths as 32-bit little-endian numbers, of the entry as JSON (without its bytes) and of its bytes; then both.
 */
export function encodeEntry(entry: JournalEntry): Uint8Array {
  const { bytes, ...rest } = entry.op === 'ran' ? { ...entry, bytes: NOTHING } : entry;
  const text = encoder.encode(JSON.stringify(rest));
  const encoded = new Uint8Array(8 + text.length + bytes.length);
  const view = new DataView(encoded.buffer);
  view.setUint32(0, text.length, true);
  view.setUint32(4, bytes.length, true);
  encoded.set(text, 8);
  encoded.set(bytes, 8 + text.length);
  return encoded;
}

/** A journal where it is kept: in pieces, each of which is read when a replay comes to it. */
export interface JournalSource {
  /** The piece that begins at or before a position and ends behind it; null: there is none any more. No entry reaches into another piece. */
  pieceAt(position: number): JournalPiece | null;
  /** Positions of its files; null: only reading all of it tells. */
  readonly filesAt: readonly number[] | null;
}

export interface JournalPiece {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** A journal in memory. */
export function journalOf(bytes: Uint8Array): JournalSource {
  const piece = { start: 0, bytes };
  return { pieceAt: (position) => (position < bytes.length ? piece : null), filesAt: null };
}

/** The files that a journal has besides the run, by path. */
export function filesOf(journal: JournalSource): ReadonlyMap<string, Uint8Array> {
  const reader = new JournalReader(journal);
  const files = new Map<string, Uint8Array>();
  const keep = (entry: JournalEntry | null): void => {
    if (entry?.op === 'file') files.set(entry.path, entry.bytes);
  };
  if (journal.filesAt === null) for (let entry = reader.read(); entry !== null; entry = reader.read()) keep(entry);
  for (const position of journal.filesAt ?? []) {
    reader.position = position;
    keep(reader.read());
  }
  return files;
}

/** Reads the entries of a journal one by one. */
export class JournalReader {
  /** Where the next entry begins. */
  position = 0;
  readonly source: JournalSource;
  private piece: JournalPiece = { start: 0, bytes: NOTHING };

  constructor(source: JournalSource) {
    this.source = source;
  }

  /** The next entry of the run: files are passed over. */
  next(): Exclude<JournalEntry, { op: 'file' }> | null {
    for (let entry = this.read(); ; entry = this.read()) if (entry === null || entry.op !== 'file') return entry;
  }

  /** The next entry; null at the end. What is left of an entry that was cut off counts as the end. */
  read(): JournalEntry | null {
    const { position } = this;
    if (position < this.piece.start || position >= this.piece.start + this.piece.bytes.length) {
      const piece = this.source.pieceAt(position);
      if (piece === null) return null;
      this.piece = piece;
    }
    const { start, bytes } = this.piece;
    const at = position - start;
    if (at + 8 > bytes.length) return null;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const textAt = at + 8;
    const bytesAt = textAt + view.getUint32(at, true);
    const end = bytesAt + view.getUint32(at + 4, true);
    if (end > bytes.length) return null;
    this.position = start + end;
    const rest = JSON.parse(decoder.decode(bytes.subarray(textAt, bytesAt))) as JournalEntry;
    return rest.op === 'ran' ? rest : { ...rest, bytes: bytes.subarray(bytesAt, end) };
  }

  /** The next entry of the run, which stays the next. */
  peek(): Exclude<JournalEntry, { op: 'file' }> | null {
    const { position } = this;
    const entry = this.next();
    this.position = position;
    return entry;
  }
}
