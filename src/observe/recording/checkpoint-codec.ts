import { assert, panic } from '../../base/assert.ts';
import { ByteReader, ByteWriter } from './byte-writer.ts';
import { Checkpoint, type Contents, type Pieces } from './checkpoint.ts';
import type { StateNames } from './state-names.ts';

/**
 * Checkpoints of one machine as bytes, each as what is different from the one before; the first, from the machine's start, with all
 * buffers empty:
 *
 *   gone       count, then the numbers of objects that are no more
 *   new        count, then for each its number and what it is: a kind, and what the kind asks for
 *   contents   count, then for each object that changed: number, keys, values, members
 *   pages      count of buffers, then for each: number, count of pieces; a piece: its index behind the last one, its length, its bytes
 *
 * Objects have the numbers of StateNames, new ones those behind. Texts and lists of keys are written once and have numbers of their own
 * from then on, so checkpoints are read in the order in which they were written.
 */
const KIND_CLASS = 0;
const KIND_PLAIN = 1;
const KIND_NO_PROTOTYPE = 2;
const KIND_ARRAY = 3;
const KIND_MAP = 4;
const KIND_SET = 5;
const KIND_BUFFER = 6;
const KIND_VIEW = 7;

const VALUE_UNDEFINED = 0;
const VALUE_NULL = 1;
const VALUE_FALSE = 2;
const VALUE_TRUE = 3;
const VALUE_WHOLE = 4;
const VALUE_FLOAT = 5;
const VALUE_TEXT = 6;
const VALUE_THING = 7;
const VALUE_BIGINT = 8;

/** The order is part of the format. */
const VIEWS: readonly ViewType[] = [
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  Uint8ClampedArray,
  BigInt64Array,
  BigUint64Array,
  DataView,
];
interface ViewType {
  readonly prototype: object;
  readonly BYTES_PER_ELEMENT?: number;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ArrayBufferView;
}

/** The state leads to something that has no name in another process: a closure, or an object of an unknown class. */
export class CheckpointError extends Error {}

export class CheckpointEncoder {
  private readonly names: StateNames;
  private before: Pick<Checkpoint, 'objects' | 'buffers'>;
  /** Things that came after the machine's start. */
  private numbers = new Map<object, number>();
  private nextNumber: number;
  private readonly texts = new Map<string, number>();
  private readonly shapes = new Map<string, number>();

  constructor(names: StateNames) {
    this.names = names;
    this.before = { objects: names.start, buffers: new Map() };
    this.nextNumber = names.things.length;
  }

  /** Throws CheckpointError; then no further one can be made. */
  encode(next: Checkpoint): Uint8Array {
    const created = new ByteWriter();
    const alive = this.nameAll(next, created);
    const writer = new ByteWriter();
    const gone = [...this.numbers.keys()].filter((thing) => !alive.has(thing));
    writer.whole(gone.length);
    for (const thing of gone) {
      writer.whole(this.numbers.get(thing)!);
      this.numbers.delete(thing);
    }
    writer.raw(created.written);
    writer.whole(0);
    this.writeContents(next, writer);
    this.writePages(next, writer);
    this.before = next;
    return writer.written;
  }

  /** Gives numbers to what is new, buffers before their views, and writes what it is; a number of 0 ends the list. */
  private nameAll(next: Checkpoint, writer: ByteWriter): Set<object> {
    const alive = new Set<object>();
    const create = (thing: object, write: () => void): void => {
      if (this.names.numberOf(thing) !== undefined) return;
      alive.add(thing);
      if (this.numbers.has(thing)) return;
      const number = this.nextNumber++;
      this.numbers.set(thing, number);
      writer.whole(number);
      write();
    };
    for (const buffer of next.buffers.keys()) {
      create(buffer, () => {
        writer.byte(KIND_BUFFER);
        writer.whole(buffer.byteLength);
      });
    }
    const visit = (value: unknown): void => {
      if (!ArrayBuffer.isView(value)) return;
      create(value, () => this.writeView(value, writer));
    };
    for (const [object, { values, members }] of next.objects) {
      if (!(object instanceof ArrayBuffer)) create(object, () => this.writeKind(object, writer));
      for (const value of values) visit(value);
      for (const value of members) visit(value);
    }
    return alive;
  }

  private writeView(view: ArrayBufferView, writer: ByteWriter): void {
    writer.byte(KIND_VIEW);
    writer.byte(VIEWS.findIndex((type) => Object.getPrototypeOf(view) === type.prototype));
    writer.whole(this.numberOf(view.buffer, 'a view'));
    writer.whole(view.byteOffset);
    writer.whole(view.byteLength);
  }

  private writeKind(object: object, writer: ByteWriter): void {
    const prototype = Object.getPrototypeOf(object) as object | null;
    if (Array.isArray(object)) writer.byte(KIND_ARRAY);
    else if (prototype === null) writer.byte(KIND_NO_PROTOTYPE);
    else if (prototype === Object.prototype) writer.byte(KIND_PLAIN);
    else if (prototype === Map.prototype) writer.byte(KIND_MAP);
    else if (prototype === Set.prototype) writer.byte(KIND_SET);
    else {
      writer.byte(KIND_CLASS);
      writer.whole(this.numberOf(prototype, `class ${prototype.constructor.name}`));
    }
  }

  private writeContents(next: Checkpoint, writer: ByteWriter): void {
    const changed: [object, Contents][] = [];
    for (const [object, contents] of next.objects) {
      const before = this.before.objects.get(object);
      if (before === undefined || !isSame(before, contents)) changed.push([object, contents]);
    }
    writer.whole(changed.length);
    for (const [object, { keys, values, members }] of changed) {
      writer.whole(this.numberOf(object, 'an object'));
      this.writeOnce(this.shapes, keys.join('\n'), writer);
      writer.whole(values.length);
      for (const [at, value] of values.entries()) this.writeValue(value, writer, object, keys[at] ?? at);
      writer.whole(members.length);
      for (const value of members) this.writeValue(value, writer, object, 'a member');
    }
  }

  private writeValue(value: unknown, writer: ByteWriter, holder: object, key: string | number): void {
    if (value === undefined) writer.byte(VALUE_UNDEFINED);
    else if (value === null) writer.byte(VALUE_NULL);
    else if (typeof value === 'boolean') writer.byte(value ? VALUE_TRUE : VALUE_FALSE);
    else if (typeof value === 'number') {
      const isWhole = Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
      writer.byte(isWhole ? VALUE_WHOLE : VALUE_FLOAT);
      if (isWhole) writer.whole(value);
      else writer.float(value);
    } else if (typeof value === 'string') {
      writer.byte(VALUE_TEXT);
      this.writeOnce(this.texts, value, writer);
    } else if (typeof value === 'bigint') {
      writer.byte(VALUE_BIGINT);
      writer.text(String(value));
    } else {
      writer.byte(VALUE_THING);
      writer.whole(this.numberOf(value as object, `${holder.constructor?.name ?? 'an object'}.${key}`));
    }
  }

  private writePages(next: Checkpoint, writer: ByteWriter): void {
    const changed: [ArrayBufferLike, number[]][] = [];
    for (const [buffer, pieces] of next.buffers) {
      const before = this.before.buffers.get(buffer);
      const indexes = [...pieces.keys()].filter((at) => pieces[at] !== (before?.[at] ?? null));
      if (indexes.length > 0) changed.push([buffer, indexes]);
    }
    writer.whole(changed.length);
    for (const [buffer, indexes] of changed) {
      const pieces = next.buffers.get(buffer)!;
      writer.whole(this.numberOf(buffer, 'a buffer'));
      writer.whole(indexes.length);
      let last = -1;
      for (const at of indexes) {
        const piece = pieces[at];
        writer.whole(at - last - 1);
        last = at;
        writer.whole(piece?.length ?? 0);
        if (piece !== null) writer.raw(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
      }
    }
  }

  /** The first time with what it is, later by its number. */
  private writeOnce(known: Map<string, number>, text: string, writer: ByteWriter): void {
    const number = known.get(text);
    writer.whole(number ?? known.size);
    if (number !== undefined) return;
    known.set(text, known.size);
    writer.text(text);
  }

  private numberOf(thing: object, what: string): number {
    const number = this.names.numberOf(thing) ?? this.numbers.get(thing);
    if (number === undefined) throw new CheckpointError(`a checkpoint has no name for ${what} (${nameOf(thing)})`);
    return number;
  }
}

function nameOf(thing: object): string {
  return typeof thing === 'function' ? `function ${thing.name}` : (thing.constructor?.name ?? 'object');
}

function isSame(a: Contents, b: Contents): boolean {
  return isSameList(a.values, b.values) && isSameList(a.members, b.members) && isSameList(a.keys, b.keys);
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (!Object.is(a[at], b[at])) return false;
  return true;
}

/** Makes checkpoints of this process's machine from what an encoder wrote, in the same order. */
export class CheckpointDecoder {
  private readonly unkept: StateNames['unkept'];
  private readonly things: object[];
  private readonly objects: Map<object, Contents>;
  private readonly buffers: Map<ArrayBufferLike, Pieces>;
  private readonly texts: string[] = [];
  private readonly shapes: (readonly string[])[] = [];

  constructor(names: StateNames) {
    this.unkept = names.unkept;
    this.things = [...names.things];
    this.objects = new Map(names.start);
    this.buffers = new Map();
    for (const thing of names.things) if (thing instanceof ArrayBuffer) this.buffers.set(thing, noPieces(thing));
  }

  decode(bytes: Uint8Array): Checkpoint {
    const reader = new ByteReader(bytes);
    for (let left = reader.whole(); left > 0; left--) this.drop(reader.whole());
    for (let number = reader.whole(); number !== 0; number = reader.whole()) {
      const thing = this.make(reader);
      this.things[number] = thing;
      if (thing instanceof ArrayBuffer) this.buffers.set(thing, noPieces(thing));
    }
    for (let left = reader.whole(); left > 0; left--) {
      const object = this.thingAt(reader);
      const keys = this.readShape(reader);
      const values = Array.from({ length: reader.whole() }, () => this.readValue(reader));
      const members = Array.from({ length: reader.whole() }, () => this.readValue(reader));
      this.objects.set(object, { keys, values, members });
    }
    for (let left = reader.whole(); left > 0; left--) this.readPages(reader);
    return new Checkpoint({ objects: new Map(this.objects), buffers: new Map(this.buffers), unkept: this.unkept });
  }

  private drop(number: number): void {
    const thing = this.things[number];
    this.objects.delete(thing);
    if (thing instanceof ArrayBuffer) this.buffers.delete(thing);
    delete this.things[number];
  }

  private make(reader: ByteReader): object {
    const kind = reader.byte();
    switch (kind) {
      case KIND_CLASS:
        return Object.create(this.thingAt(reader)) as object;
      case KIND_PLAIN:
        return {};
      case KIND_NO_PROTOTYPE:
        return Object.create(null) as object;
      case KIND_ARRAY:
        return [];
      case KIND_MAP:
        return new Map();
      case KIND_SET:
        return new Set();
      case KIND_BUFFER:
        return new ArrayBuffer(reader.whole());
      case KIND_VIEW: {
        const type = VIEWS[reader.byte()];
        const buffer = this.thingAt(reader) as ArrayBuffer;
        const offset = reader.whole();
        return new type(buffer, offset, reader.whole() / (type.BYTES_PER_ELEMENT ?? 1));
      }
      default:
        return panic(`observe/recording/checkpoint-codec.ts: kind ${kind}`);
    }
  }

  private readValue(reader: ByteReader): unknown {
    const tag = reader.byte();
    switch (tag) {
      case VALUE_UNDEFINED:
        return undefined;
      case VALUE_NULL:
        return null;
      case VALUE_FALSE:
        return false;
      case VALUE_TRUE:
        return true;
      case VALUE_WHOLE:
        return reader.whole();
      case VALUE_FLOAT:
        return reader.float();
      case VALUE_TEXT:
        return this.readText(reader);
      case VALUE_THING:
        return this.thingAt(reader);
      case VALUE_BIGINT:
        return BigInt(reader.text());
      default:
        return panic(`observe/recording/checkpoint-codec.ts: value ${tag}`);
    }
  }

  private readPages(reader: ByteReader): void {
    const buffer = this.thingAt(reader) as ArrayBuffer;
    const pieces = [...(this.buffers.get(buffer) ?? noPieces(buffer))];
    let at = -1;
    for (let left = reader.whole(); left > 0; left--) {
      at += reader.whole() + 1;
      const words = reader.whole();
      // In memory of its own: the bytes need not stand at a multiple of 4.
      pieces[at] = words === 0 ? null : new Int32Array(new Uint8Array(reader.raw(words * 4)).buffer);
    }
    this.buffers.set(buffer, pieces);
  }

  private readText(reader: ByteReader): string {
    const number = reader.whole();
    if (number === this.texts.length) this.texts.push(reader.text());
    return this.texts[number];
  }

  private readShape(reader: ByteReader): readonly string[] {
    const number = reader.whole();
    if (number === this.shapes.length) {
      const text = reader.text();
      this.shapes.push(text === '' ? [] : text.split('\n'));
    }
    return this.shapes[number];
  }

  private thingAt(reader: ByteReader): object {
    const number = reader.whole();
    const thing = this.things[number];
    assert(thing !== undefined, `observe/recording/checkpoint-codec.ts: there is something of number ${number}`);
    return thing;
  }
}

const PIECE_BYTES = 4096;

function noPieces(buffer: ArrayBufferLike): Pieces {
  return new Array<null>(
    Math.ceil((buffer.byteLength >>> 2) / (PIECE_BYTES / 4)) + ((buffer.byteLength & 3) === 0 ? 0 : 1),
  ).fill(null);
}
