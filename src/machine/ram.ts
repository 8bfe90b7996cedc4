import { assert } from '../base/assert.ts';
import { NOT_STATE, TOUCHED_PAGES, type TouchedPages } from '../base/checkpointed.ts';
import { PAGE_SIZE, type Pfn } from './units.ts';

/**
 * Guest RAM: one WebAssembly.Memory (decision D1). Memory layout:
 *
 *   0 ............ ramBase ............................ ramBase + frameCount * 4096
 *   | machine area |  frame 0 | frame 1 | ...          |
 *
 * The machine area belongs to the CPU (register file, TLB, predecoded code); no guest address reaches it.
 *
 * Invariants:
 *  1 The memory never grows, so views stay valid for the machine's life.
 *  2 Every write to a frame by anyone but the CPU's own stores goes through `zeroFrame`, `copyFrame`, `writeFrame` or
 *    follows `beforeWrite`, so that code decoded from the frame is dropped.
 *  3 A frame whose byte of `touched` is 0 was never allocated, and holds zeroes.
 */
export class Ram {
  static readonly [NOT_STATE] = ['touched'];
  readonly memory: RamMemory;
  readonly ramBase: number;
  readonly frameCount: number;
  readonly u8: Uint8Array<ArrayBuffer>;
  readonly u16: Uint16Array<ArrayBuffer>;
  readonly u32: Uint32Array<ArrayBuffer>;
  readonly i32: Int32Array<ArrayBuffer>;
  /** One byte a frame, non-zero while the CPU keeps code decoded from it. Written by the CPU only. */
  readonly holdsCode: Uint8Array;
  /** One byte a frame. Written by the allocator, and by who puts a state back. */
  readonly touched: Uint8Array;
  readonly [TOUCHED_PAGES]: TouchedPages;
  private codeListener: CodeListener | null = null;

  /** Throws RangeError with a one-line reason if the host cannot give so much memory. */
  constructor(options: { ramBytes: number; machineAreaBytes: number }) {
    const { ramBytes, machineAreaBytes } = options;
    assert(ramBytes % 65536 === 0 && machineAreaBytes % 65536 === 0, 'machine/ram.ts: sizes are multiples of 64 KiB');
    const pages = (ramBytes + machineAreaBytes) / 65536;
    // The last 64 KiB stay unused: no byte of a machine has the offset -1, which is how 32-bit code says that there is none.
    if (pages > 65535)
      throw new RangeError(`memory of ${ramBytes} bytes is more than the 4 GiB that a machine can have`);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.ramBase = machineAreaBytes;
    this.frameCount = ramBytes / PAGE_SIZE;
    this.u8 = new Uint8Array(this.memory.buffer);
    this.u16 = new Uint16Array(this.memory.buffer);
    this.u32 = new Uint32Array(this.memory.buffer);
    this.i32 = new Int32Array(this.memory.buffer);
    this.holdsCode = new Uint8Array(this.frameCount);
    this.touched = new Uint8Array(this.frameCount);
    this[TOUCHED_PAGES] = { buffer: this.memory.buffer, from: this.ramBase, touched: this.touched };
  }

  setCodeListener(listener: CodeListener): void {
    this.codeListener = listener;
  }

  /** Byte offset of the frame's first byte in `memory`. */
  offsetOf(frame: Pfn): number {
    return this.ramBase + frame * PAGE_SIZE;
  }

  /** A view of the frame's bytes [from, to), for reading; before writing through it call `beforeWrite`. */
  bytesOf(frame: Pfn, from = 0, to = PAGE_SIZE): Uint8Array<ArrayBuffer> {
    const offset = this.offsetOf(frame);
    return this.u8.subarray(offset + from, offset + to);
  }

  beforeWrite(frame: Pfn): void {
    if (this.holdsCode[frame] !== 0) this.codeListener?.dropCode(frame);
  }

  zeroFrame(frame: Pfn): void {
    this.beforeWrite(frame);
    const offset = this.offsetOf(frame);
    this.u8.fill(0, offset, offset + PAGE_SIZE);
  }

  copyFrame(to: Pfn, from: Pfn): void {
    this.beforeWrite(to);
    const source = this.offsetOf(from);
    this.u8.copyWithin(this.offsetOf(to), source, source + PAGE_SIZE);
  }

  /** Writes `bytes` into the frame at `offset`; must fit. */
  writeFrame(frame: Pfn, offset: number, bytes: Uint8Array): void {
    assert(offset + bytes.length <= PAGE_SIZE, 'machine/ram.ts: a frame write stays inside the frame');
    this.beforeWrite(frame);
    this.u8.set(bytes, this.offsetOf(frame) + offset);
  }
}

/**
 * A WebAssembly.Memory by its shape. The name itself stands in no declaration of the library: TypeScript knows it with the DOM or
 * Node's types alone, and a program that uses the library may have neither.
 */
export interface RamMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The CPU, told before a frame that holds decoded code changes or is freed. */
export interface CodeListener {
  dropCode(frame: Pfn): void;
}
