import { ByteSink } from './byte-sink.ts';
import type { ValueType } from './opcodes.ts';

/** Where a branch goes: an open block, loop or if. */
export interface Label {
  readonly depth: number;
}

/** The type of a block's result; `null` is none. */
export type BlockType = ValueType | null;

/**
 * The body of one WebAssembly function, written op by op in the order of the stack machine.
 *
 * Labels are absolute nesting depths, turned into relative ones where a branch is written, so code that is emitted by a
 * callee may open blocks of its own and still branch to labels of its caller.
 * Scratch locals are counted per type and given back with `release`; a body that forgets to only uses more locals.
 */
export class FunctionBuilder {
  readonly bytes = new ByteSink(256);
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly locals: ValueType[] = [];
  private readonly free = new Map<ValueType, number[]>();
  private depth = 0;

  constructor(params: readonly ValueType[], results: readonly ValueType[]) {
    this.params = params;
    this.results = results;
  }

  /** A local, its value undefined (not zero: it may have been used before). */
  local(type: ValueType): number {
    const reused = this.free.get(type)?.pop();
    if (reused !== undefined) return reused;
    this.locals.push(type);
    return this.params.length + this.locals.length - 1;
  }

  release(...locals: number[]): void {
    for (const local of locals) {
      const type = this.locals[local - this.params.length];
      const list = this.free.get(type);
      if (list === undefined) this.free.set(type, [local]);
      else list.push(local);
    }
  }

  /** Instructions without immediates. */
  op(...opcodes: number[]): void {
    for (const opcode of opcodes) {
      if (opcode > 0xff) {
        this.bytes.byte(0xfc);
        this.bytes.unsigned(opcode & 0xff);
      } else this.bytes.byte(opcode);
    }
  }

  i32(value: number): void {
    this.bytes.byte(0x41);
    this.bytes.signed32(value | 0);
  }

  /** A constant that is a JavaScript number: -2^53 to 2^53. */
  i64(value: number): void {
    this.bytes.byte(0x42);
    // A value of 32 bits has the same encoding in both widths.
    if (value === (value | 0)) this.bytes.signed32(value);
    else this.bytes.signed64(BigInt(value));
  }

  /** Any constant; emission is not a hot path. */
  i64big(value: bigint): void {
    this.bytes.byte(0x42);
    this.bytes.signed64(BigInt.asIntN(64, value));
  }

  f32(value: number): void {
    this.bytes.byte(0x43);
    this.bytes.float32(value);
  }

  f64(value: number): void {
    this.bytes.byte(0x44);
    this.bytes.float64(value);
  }

  get(local: number): void {
    this.bytes.byte(0x20);
    this.bytes.unsigned(local);
  }

  set(local: number): void {
    this.bytes.byte(0x21);
    this.bytes.unsigned(local);
  }

  tee(local: number): void {
    this.bytes.byte(0x22);
    this.bytes.unsigned(local);
  }

  /** A load or store; the alignment hint is 1 byte, which is always true. */
  memory(opcode: number, offset = 0): void {
    this.bytes.byte(opcode);
    this.bytes.byte(0);
    this.bytes.unsigned(offset);
  }

  /** Stack: destination, value, length. */
  memoryFill(): void {
    this.bytes.byte(0xfc);
    this.bytes.byte(11);
    this.bytes.byte(0);
  }

  /** Stack: destination, source, length. */
  memoryCopy(): void {
    this.bytes.byte(0xfc);
    this.bytes.byte(10);
    this.bytes.byte(0);
    this.bytes.byte(0);
  }

  block(type: BlockType = null): Label {
    return this.open(0x02, type);
  }

  loop(type: BlockType = null): Label {
    return this.open(0x03, type);
  }

  if(type: BlockType = null): Label {
    return this.open(0x04, type);
  }

  else(): void {
    this.bytes.byte(0x05);
  }

  end(): void {
    this.bytes.byte(0x0b);
    this.depth--;
  }

  br(label: Label): void {
    this.bytes.byte(0x0c);
    this.bytes.unsigned(this.depth - label.depth);
  }

  brIf(label: Label): void {
    this.bytes.byte(0x0d);
    this.bytes.unsigned(this.depth - label.depth);
  }

  /** Stack: index. Labels in order of the index; beyond them the default. */
  brTable(labels: readonly Label[], otherwise: Label): void {
    this.bytes.byte(0x0e);
    this.bytes.unsigned(labels.length);
    for (const label of labels) this.bytes.unsigned(this.depth - label.depth);
    this.bytes.unsigned(this.depth - otherwise.depth);
  }

  call(functionIndex: number): void {
    this.bytes.byte(0x10);
    this.bytes.unsigned(functionIndex);
  }

  /** Stack: arguments, index in the module's table. The type is one of ModuleBuilder.typeOf. */
  callIndirect(type: number): void {
    this.bytes.byte(0x11);
    this.bytes.unsigned(type);
    this.bytes.byte(0);
  }

  /** Open blocks. */
  get nesting(): number {
    return this.depth;
  }

  private open(opcode: number, type: BlockType): Label {
    this.bytes.byte(opcode);
    this.bytes.byte(type ?? 0x40);
    this.depth++;
    return { depth: this.depth };
  }
}
