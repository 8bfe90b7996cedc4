import { assert } from '../../base/assert.ts';

/**
 * The state of a machine at one point, kept beside the machine that it was taken of. Kernel state is plain data (decision D4), so all of it
 * can be found from the machine's object, and written back into the same objects: what is code, of the host or of WebAssembly, is no
 * state and stays what it is.
 *
 * Large arrays (RAM, the frame table) are kept in pieces, of which those that are as in the checkpoint before are shared with it.
 */
export class Checkpoint {
  private readonly objects = new Map<object, Contents>();
  private readonly buffers = new Map<ArrayBufferLike, (Int32Array | null)[]>();

  /** Everything that `root` leads to. `before`: an earlier checkpoint of the same machine, or null. */
  constructor(root: object, before: Checkpoint | null) {
    const queue: object[] = [root];
    const visit = (value: unknown): void => {
      if (value === null || typeof value !== 'object' || this.objects.has(value)) return;
      if (ArrayBuffer.isView(value)) {
        // A view never changes; what it shows does.
        this.keepBuffer(value.buffer, before);
        return;
      }
      if (value instanceof ArrayBuffer) this.keepBuffer(value, before);
      if (!isState(value)) return;
      this.objects.set(value, NOTHING_YET);
      queue.push(value);
    };
    visit(root);
    for (const object of queue) {
      const contents = contentsOf(object);
      this.objects.set(object, contents);
      for (const value of contents.values) visit(value);
      for (const value of contents.members) visit(value);
    }
  }

  /** Makes the machine what it was. */
  restore(): void {
    for (const [object, contents] of this.objects) writeBack(object, contents);
    for (const [buffer, pieces] of this.buffers) writePieces(buffer, pieces);
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

  private keepBuffer(buffer: ArrayBufferLike, before: Checkpoint | null): void {
    if (!this.buffers.has(buffer)) this.buffers.set(buffer, piecesOf(buffer, before?.buffers.get(buffer) ?? null));
  }
}

/** What an object holds: own properties, and members of a Map (key, value, key, value ...) or a Set. */
interface Contents {
  readonly keys: readonly PropertyKey[];
  readonly values: readonly unknown[];
  readonly members: readonly unknown[];
}

const NOTHING_YET: Contents = { keys: [], values: [], members: [] };
const NO_MEMBERS: readonly unknown[] = [];

/** Objects of the host, whose state nobody can see, are none of the machine's. */
function isState(object: object): boolean {
  if (object instanceof WeakMap || object instanceof WeakRef || object instanceof Promise) return false;
  return !Object.prototype.toString.call(object).startsWith('[object WebAssembly.');
}

function contentsOf(object: object): Contents {
  if (Array.isArray(object)) return { keys: INDEXED, values: object.slice(), members: NO_MEMBERS };
  const keys = Reflect.ownKeys(object);
  const values = keys.map((key) => (object as Record<PropertyKey, unknown>)[key]);
  if (object instanceof Map) return { keys, values, members: [...object].flat() };
  return { keys, values, members: object instanceof Set ? [...object] : NO_MEMBERS };
}

/** The keys of an array are its indexes. */
const INDEXED: readonly PropertyKey[] = [];

function writeBack(object: object, { keys, values, members }: Contents): void {
  if (Array.isArray(object)) {
    object.length = values.length;
    for (let at = 0; at < values.length; at++) if (object[at] !== values[at]) object[at] = values[at];
    return;
  }
  const holder = object as Record<PropertyKey, unknown>;
  const now = Reflect.ownKeys(object);
  if (now.length > keys.length) for (const key of now) if (!keys.includes(key)) delete holder[key];
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

/** A page: what changes seldom does not lie beside what changes often. */
const PIECE_WORDS = 1024;

function piecesOf(buffer: ArrayBufferLike, before: readonly (Int32Array | null)[] | null): (Int32Array | null)[] {
  const words = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
  const pieces: (Int32Array | null)[] = [];
  for (let from = 0; from < words.length; from += PIECE_WORDS) {
    const to = Math.min(words.length, from + PIECE_WORDS);
    const old = before?.[pieces.length] ?? null;
    if (isSame(words, from, to, old)) pieces.push(old);
    else pieces.push(words.slice(from, to));
  }
  const rest = buffer.byteLength & 3;
  if (rest !== 0) pieces.push(Int32Array.from(new Uint8Array(buffer, buffer.byteLength - rest)));
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

function writePieces(buffer: ArrayBufferLike, pieces: readonly (Int32Array | null)[]): void {
  const words = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
  let at = 0;
  for (let from = 0; from < words.length; from += PIECE_WORDS, at++) {
    const to = Math.min(words.length, from + PIECE_WORDS);
    const piece = pieces[at];
    if (isSame(words, from, to, piece)) continue;
    if (piece === null) words.fill(0, from, to);
    else words.set(piece, from);
  }
  const rest = buffer.byteLength & 3;
  if (rest === 0) return;
  const bytes = pieces[at];
  assert(
    bytes !== null && bytes.length === rest,
    'observe/recording/checkpoint.ts: the last bytes of an array are kept',
  );
  new Uint8Array(buffer, buffer.byteLength - rest).set(bytes as unknown as ArrayLike<number>);
}
