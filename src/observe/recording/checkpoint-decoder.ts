import { assert, panic } from '../../base/assert.ts';
import { ByteReader } from './byte-writer.ts';
import { Checkpoint, type Contents, type Pieces, pieceCount, pieceWords } from './checkpoint.ts';
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
import { BLOCK_WORDS } from './piece-blocks.ts';
import type { StateNames } from './state-names.ts';

/** Words of a block by its number; null: it is not there. */
export type FindBlock = (number: number) => Int32Array | null;

/** Makes a checkpoint of this process's machine from what an encoder wrote, once. */
export class CheckpointDecoder {
  private readonly known: StateNames['known'];
  private readonly findBlock: FindBlock;
  private readonly blocks = new Map<number, Int32Array>();
  private readonly things: object[];
  private readonly objects: Map<object, Contents>;
  private readonly buffers: Map<ArrayBufferLike, Pieces>;
  private readonly texts: string[] = [];
  private readonly shapes: (readonly string[])[] = [];

  constructor(names: StateNames, findBlock: FindBlock) {
    this.known = names.known;
    this.findBlock = findBlock;
    this.things = [...names.things];
    this.objects = new Map(names.start);
    this.buffers = new Map();
    for (const thing of names.things) if (thing instanceof ArrayBuffer) this.buffers.set(thing, noPieces(thing));
  }

  /** null: a block of it is not there. */
  decode(bytes: Uint8Array): Checkpoint | null {
    const reader = new ByteReader(bytes);
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
    for (let left = reader.whole(); left > 0; left--) if (!this.readPieces(reader)) return null;
    return new Checkpoint({ objects: this.objects, buffers: this.buffers, known: this.known });
  }

  private make(reader: ByteReader): object {
    const kind = reader.byte();
    switch (kind) {
      case KIND_CLASS:
        return makeObject(this.thingAt(reader), this.readShape(reader));
      case KIND_PLAIN:
        return makeObject(Object.prototype, this.readShape(reader));
      case KIND_NO_PROTOTYPE:
        return makeObject(null, this.readShape(reader));
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
        return panic(`observe/recording/checkpoint-decoder.ts: kind ${kind}`);
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
        return panic(`observe/recording/checkpoint-decoder.ts: value ${tag}`);
    }
  }

  private readPieces(reader: ByteReader): boolean {
    const buffer = this.thingAt(reader) as ArrayBuffer;
    const pieces = [...(this.buffers.get(buffer) ?? noPieces(buffer))];
    let index = 0;
    for (let left = reader.whole(); left > 0; left--) {
      index += reader.whole();
      const end = index + reader.whole();
      for (let place = reader.whole(); index < end; index++) {
        // Blocks that are full lie in a row, too.
        const block = this.blockOf(Math.floor(place / BLOCK_WORDS));
        if (block === null) return false;
        const length = pieceWords(buffer, index);
        const word = place % BLOCK_WORDS;
        pieces[index] = block.subarray(word, word + length);
        place += length;
      }
    }
    this.buffers.set(buffer, pieces);
    return true;
  }

  private blockOf(number: number): Int32Array | null {
    const known = this.blocks.get(number);
    if (known !== undefined) return known;
    const found = this.findBlock(number);
    if (found !== null) this.blocks.set(number, found);
    return found;
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
    assert(thing !== undefined, `observe/recording/checkpoint-decoder.ts: there is something of number ${number}`);
    return thing;
  }
}

/**
 * With all its properties, which are null. V8 keeps an object as a hash table that got its properties one by one from a list of names, and the
 * kernel would be two or three times as slow on such; what it parsed is as quick as what a constructor made.
 */
function makeObject(prototype: object | null, keys: readonly string[]): object {
  const members = keys.map((key) => `${JSON.stringify(key)}:null`);
  return Object.setPrototypeOf(JSON.parse(`{${members.join()}}`), prototype) as object;
}

function noPieces(buffer: ArrayBufferLike): Pieces {
  return new Array<null>(pieceCount(buffer)).fill(null);
}
