import { ByteWriter } from './byte-writer.ts';
import type { Checkpoint, Contents, Pieces } from './checkpoint.ts';
import {
  KIND_ARRAY,
  KIND_BUFFER,
  KIND_CLASS,
  KIND_MAP,
  KIND_NO_PROTOTYPE,
  KIND_PLAIN,
  KIND_SET,
  KIND_VIEW,
  VALUE_BIGINT,
  VALUE_FALSE,
  VALUE_FLOAT,
  VALUE_NULL,
  VALUE_TEXT,
  VALUE_THING,
  VALUE_TRUE,
  VALUE_UNDEFINED,
  VALUE_WHOLE,
  VIEWS,
} from './checkpoint-codec.ts';
import type { PieceBlocks, PiecePlace } from './piece-blocks.ts';
import type { StateNames } from './state-names.ts';

interface Run {
  readonly first: number;
  count: number;
  readonly place: PiecePlace;
}

/** The state leads to something that has no name in another process: a closure, or an object of an unknown class. */
export class CheckpointError extends Error {}

export class CheckpointEncoder {
  private readonly names: StateNames;
  private readonly blocks: PieceBlocks;
  /** Things that came after the machine's start. */
  private readonly numbers = new Map<object, number>();
  private readonly texts = new Map<string, number>();
  private readonly shapes = new Map<string, number>();

  /** `blocks` has the pieces of the checkpoint. */
  constructor(names: StateNames, blocks: PieceBlocks) {
    this.names = names;
    this.blocks = blocks;
  }

  /** Once. Throws CheckpointError. */
  encode(checkpoint: Checkpoint): Uint8Array {
    const writer = new ByteWriter();
    this.nameAll(checkpoint, writer);
    writer.whole(0);
    this.writeContents(checkpoint, writer);
    this.writePieces(checkpoint, writer);
    return writer.written;
  }

  /** Gives numbers to what is new, buffers before their views, and writes what it is. */
  private nameAll({ objects, buffers }: Checkpoint, writer: ByteWriter): void {
    const create = (thing: object, write: () => void): void => {
      if (this.names.numberOf(thing) !== undefined || this.numbers.has(thing)) return;
      const number = this.names.things.length + this.numbers.size;
      this.numbers.set(thing, number);
      writer.whole(number);
      write();
    };
    for (const buffer of buffers.keys()) {
      create(buffer, () => {
        writer.byte(KIND_BUFFER);
        writer.whole(buffer.byteLength);
      });
    }
    const visit = (value: unknown): void => {
      if (!ArrayBuffer.isView(value)) return;
      create(value, () => this.writeView(value, writer));
    };
    for (const [object, { keys, values, members }] of objects) {
      if (!(object instanceof ArrayBuffer)) create(object, () => this.writeKind(object, keys, writer));
      for (const value of values) visit(value);
      for (const value of members) visit(value);
    }
  }

  private writeView(view: ArrayBufferView, writer: ByteWriter): void {
    writer.byte(KIND_VIEW);
    writer.byte(VIEWS.findIndex((type) => Object.getPrototypeOf(view) === type.prototype));
    writer.whole(this.numberOf(view.buffer, 'a view'));
    writer.whole(view.byteOffset);
    writer.whole(view.byteLength);
  }

  private writeKind(object: object, keys: readonly string[], writer: ByteWriter): void {
    const prototype = Object.getPrototypeOf(object) as object | null;
    if (Array.isArray(object)) writer.byte(KIND_ARRAY);
    else if (prototype === Map.prototype) writer.byte(KIND_MAP);
    else if (prototype === Set.prototype) writer.byte(KIND_SET);
    else {
      if (prototype === null) writer.byte(KIND_NO_PROTOTYPE);
      else if (prototype === Object.prototype) writer.byte(KIND_PLAIN);
      else {
        writer.byte(KIND_CLASS);
        writer.whole(this.numberOf(prototype, `class ${prototype.constructor.name}`));
      }
      this.writeOnce(this.shapes, keys.join('\n'), writer);
    }
  }

  private writeContents({ objects }: Checkpoint, writer: ByteWriter): void {
    const changed: [object, Contents][] = [];
    for (const [object, contents] of objects) {
      const atStart = this.names.start.get(object);
      if (atStart === undefined || !isSame(atStart, contents)) changed.push([object, contents]);
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

  private writePieces({ buffers }: Checkpoint, writer: ByteWriter): void {
    const kept = [...buffers].filter(([, pieces]) => pieces.some((piece) => piece !== null));
    writer.whole(kept.length);
    for (const [buffer, pieces] of kept) {
      const runs = this.runsOf(pieces);
      writer.whole(this.numberOf(buffer, 'a buffer'));
      writer.whole(runs.length);
      let end = 0;
      for (const { first, count, place } of runs) {
        writer.whole(first - end);
        writer.whole(count);
        writer.whole(place);
        end = first + count;
      }
    }
  }

  /** Pieces in a row that lie in a row. */
  private runsOf(pieces: Pieces): Run[] {
    const runs: Run[] = [];
    let run: Run | null = null;
    let nextPlace = -1;
    for (const [index, piece] of pieces.entries()) {
      if (piece === null) continue;
      const place = this.blocks.placeOf(piece);
      if (run !== null && run.first + run.count === index && place === nextPlace) run.count++;
      else runs.push((run = { first: index, count: 1, place }));
      nextPlace = place + piece.length;
    }
    return runs;
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
