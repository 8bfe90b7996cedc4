import {
  AFTER_RESTORE,
  BEFORE_RESTORE,
  NOT_STATE,
  type Restorable,
  TOUCHED_PAGES,
  type TouchedPages,
  UNKEPT_BYTES,
  type UnkeptBytes,
} from '../../base/checkpointed.ts';

/**
 * The state of a machine at one point, kept beside the machine that it was taken of. Kernel state is plain data (decision D4), so all of it
 * can be found from the machine's object, and written back into the same objects: what is code, of the host or of WebAssembly, is no
 * state and stays what it is; classes name their fields that are none (base/checkpointed.ts).
 *
 * Large arrays (RAM, the frame table) are kept in pieces, of which those that are as in the checkpoint before are shared with it.
 */
export class Checkpoint {
  readonly objects: ReadonlyMap<object, Contents>;
  readonly buffers: ReadonlyMap<ArrayBufferLike, Pieces>;
  private readonly known: KnownOfBuffers;

  constructor(parts: CheckpointParts) {
    this.objects = parts.objects;
    this.buffers = parts.buffers;
    this.known = parts.known;
  }

  /**
   * Everything that `root` leads to, but the leaves and what is behind them. `before`: an earlier checkpoint of the same machine, or
   * null.
   */
  static of(root: object, leaves: ReadonlySet<object>, before: Checkpoint | null): Checkpoint {
    const objects = new Map<object, Contents>();
    const found = new Set<ArrayBufferLike>();
    const known = new KnownOfBuffers();
    const queue: object[] = [root];
    const visit = (value: unknown): void => {
      if (value === null || typeof value !== 'object' || objects.has(value) || leaves.has(value)) return;
      if (ArrayBuffer.isView(value)) {
        // A view never changes; what it shows does.
        found.add(value.buffer);
        return;
      }
      if (value instanceof ArrayBuffer) found.add(value);
      if (!isState(value)) return;
      objects.set(value, NOTHING_YET);
      queue.push(value);
      known.learnFrom(value);
    };
    visit(root);
    for (const object of queue) {
      const contents = contentsOf(object);
      objects.set(object, contents);
      for (const value of contents.values) visit(value);
      for (const value of contents.members) visit(value);
    }
    const buffers = new Map<ArrayBufferLike, Pieces>();
    for (const buffer of found) buffers.set(buffer, piecesOf(buffer, known.of(buffer), before?.buffers.get(buffer)));
    return new Checkpoint({ objects, buffers, known });
  }

  /** Makes the machine what it was. */
  restore(): void {
    for (const object of this.objects.keys()) if (BEFORE_RESTORE in object) (object as Restorable)[BEFORE_RESTORE]();
    for (const [object, contents] of this.objects) writeBack(object, contents);
    for (const [buffer, pieces] of this.buffers) writePieces(buffer, this.known.of(buffer), pieces);
    for (const object of this.objects.keys()) if (AFTER_RESTORE in object) (object as Restorable)[AFTER_RESTORE]();
  }

  /** Bytes of arrays that this checkpoint alone keeps, if `before` is kept too. */
  ownBytes(before: Checkpoint | null): number {
    let sum = 0;
    for (const [buffer, pieces] of this.buffers) {
      const others = before?.buffers.get(buffer);
      pieces.forEach((piece, at) => {
        if (piece !== null && piece !== others?.[at]) sum += piece.byteLength;
      });
    }
    return sum;
  }
}

interface CheckpointParts {
  readonly objects: ReadonlyMap<object, Contents>;
  readonly buffers: ReadonlyMap<ArrayBufferLike, Pieces>;
  readonly known: KnownOfBuffers;
}

/** What an object holds: own properties, and members of a Map (key, value, key, value ...) or a Set. */
export interface Contents {
  readonly keys: readonly string[];
  readonly values: readonly unknown[];
  readonly members: readonly unknown[];
}

const NOTHING_YET: Contents = { keys: [], values: [], members: [] };
const NO_MEMBERS: readonly unknown[] = [];

/** A buffer in pages of 32-bit words; null: zeroes, or not kept. Bytes that are left over are a piece of their own, one a word. */
export type Pieces = readonly (Int32Array | null)[];

/** Objects of the host, whose state nobody can see, are none of the machine's. */
export function isState(object: object): boolean {
  if (object instanceof WeakMap || object instanceof WeakRef || object instanceof Promise) return false;
  return !Object.prototype.toString.call(object).startsWith('[object WebAssembly.');
}

export function contentsOf(object: object): Contents {
  if (Array.isArray(object)) return { keys: INDEXED, values: object.slice(), members: NO_MEMBERS };
  const skipped = (object.constructor as { [NOT_STATE]?: readonly string[] } | undefined)?.[NOT_STATE];
  const all = Object.keys(object);
  const keys = skipped === undefined ? all : all.filter((key) => !skipped.includes(key));
  const values = keys.map((key) => (object as Record<string, unknown>)[key]);
  if (object instanceof Map) return { keys, values, members: [...object].flat() };
  return { keys, values, members: object instanceof Set ? [...object] : NO_MEMBERS };
}

/** The keys of an array are its indexes. */
const INDEXED: readonly string[] = [];

function writeBack(object: object, { keys, values, members }: Contents): void {
  if (Array.isArray(object)) {
    if (object.length > values.length) object.length = values.length;
    for (let at = 0; at < object.length; at++) if (object[at] !== values[at]) object[at] = values[at];
    // One by one: an array that is given a length has holes from then on, for V8.
    while (object.length < values.length) object.push(values[object.length]);
    return;
  }
  const holder = object as Record<string, unknown>;
  const skipped = (object.constructor as { [NOT_STATE]?: readonly string[] } | undefined)?.[NOT_STATE] ?? [];
  const now = Object.keys(object);
  if (now.length > keys.length + skipped.length)
    for (const key of now) if (!keys.includes(key) && !skipped.includes(key)) delete holder[key];
  keys.forEach((key, at) => {
    if (!Object.is(holder[key], values[at])) holder[key] = values[at];
  });
  if (object instanceof Map) {
    object.clear();
    for (let at = 0; at < members.length; at += 2) object.set(members[at], members[at + 1]);
  } else if (object instanceof Set) {
    object.clear();
    for (const member of members) object.add(member);
  }
}

/** What classes say of their buffers. */
export class KnownOfBuffers {
  private readonly unkept: UnkeptBytes[] = [];
  private readonly touched: TouchedPages[] = [];

  learnFrom(object: object): void {
    if (UNKEPT_BYTES in object) this.unkept.push(object[UNKEPT_BYTES] as UnkeptBytes);
    if (TOUCHED_PAGES in object) this.touched.push(object[TOUCHED_PAGES] as TouchedPages);
  }

  of(buffer: ArrayBufferLike): KnownOfBuffer {
    const unkept = this.unkept.find((each) => each.buffer === buffer);
    const touched = this.touched.find((each) => each.buffer === buffer);
    return {
      unkeptFrom: (unkept?.from ?? 0) / PIECE_BYTES,
      unkeptTo: (unkept?.to ?? 0) / PIECE_BYTES,
      touchedFrom: (touched?.from ?? 0) / PIECE_BYTES,
      touched: touched?.touched ?? null,
    };
  }
}

/** By indexes of pieces. */
interface KnownOfBuffer {
  readonly unkeptFrom: number;
  readonly unkeptTo: number;
  readonly touchedFrom: number;
  readonly touched: Uint8Array | null;
}

/** A page: what changes seldom does not lie beside what changes often. */
const PIECE_WORDS = 1024;
const PIECE_BYTES = PIECE_WORDS * 4;

/** How many pieces a buffer has, the bytes that are left over included. */
export function pieceCount(buffer: ArrayBufferLike): number {
  return Math.ceil((buffer.byteLength >>> 2) / PIECE_WORDS) + ((buffer.byteLength & 3) === 0 ? 0 : 1);
}

/** Of the piece of an index. */
export function pieceWords(buffer: ArrayBufferLike, index: number): number {
  const words = buffer.byteLength >>> 2;
  const left = words - index * PIECE_WORDS;
  return left > 0 ? Math.min(PIECE_WORDS, left) : buffer.byteLength & 3;
}

function piecesOf(buffer: ArrayBufferLike, known: KnownOfBuffer, before: Pieces | undefined): Pieces {
  const { unkeptFrom, unkeptTo, touchedFrom, touched } = known;
  const words = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
  const pieces: (Int32Array | null)[] = [];
  for (let from = 0, at = 0; from < words.length; from += PIECE_WORDS, at++) {
    const to = Math.min(words.length, from + PIECE_WORDS);
    const old = before?.[at] ?? null;
    const isZero = touched !== null && at >= touchedFrom && touched[at - touchedFrom] === 0;
    if (isZero || (at >= unkeptFrom && at < unkeptTo)) pieces.push(null);
    else if (isSame(words, from, to, old)) pieces.push(old);
    else pieces.push(words.slice(from, to));
  }
  const rest = buffer.byteLength & 3;
  if (rest !== 0) {
    const last = Int32Array.from(new Uint8Array(buffer, buffer.byteLength - rest));
    const old = before?.[pieces.length] ?? null;
    pieces.push(isSame(last, 0, rest, old) ? old : last);
  }
  return pieces;
}

/** null stands for zeroes. */
function isSame(words: Int32Array, from: number, to: number, old: Int32Array | null): boolean {
  if (old === null) {
    for (let at = from; at < to; at++) if (words[at] !== 0) return false;
  } else {
    for (let at = from; at < to; at++) if (words[at] !== old[at - from]) return false;
  }
  return true;
}

function writePieces(buffer: ArrayBufferLike, known: KnownOfBuffer, pieces: Pieces): void {
  const { unkeptFrom, unkeptTo, touchedFrom, touched } = known;
  const words = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
  let at = 0;
  for (let from = 0; from < words.length; from += PIECE_WORDS, at++) {
    const to = Math.min(words.length, from + PIECE_WORDS);
    const piece = pieces[at];
    if (at >= unkeptFrom && at < unkeptTo) continue;
    if (touched !== null && at >= touchedFrom && touched[at - touchedFrom] === 0) {
      if (piece === null) continue;
      touched[at - touchedFrom] = 1;
    } else if (isSame(words, from, to, piece)) continue;
    if (piece === null) words.fill(0, from, to);
    else words.set(piece, from);
  }
  const rest = buffer.byteLength & 3;
  if (rest === 0) return;
  const bytes = pieces[at] ?? new Int32Array(rest);
  new Uint8Array(buffer, buffer.byteLength - rest).set(bytes as unknown as ArrayLike<number>);
}
