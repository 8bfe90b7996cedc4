import type { Ram } from '../../machine/ram.ts';
import { type Pfn, pfn } from '../../machine/units.ts';
import { type Decoded, decode, decodeCompressed, isCompressed, OPERATIONS } from './decode.ts';
import type { Reach } from './interpreter-flow.ts';
import * as at from './layout.ts';
import { fuse, isRelative, OP_PAGE_END, OP_STRADDLE, OP_UNDECODED, opFor } from './op-bytes.ts';

const PAGE = 4096;
/** Instructions decoded in one go; a guess: a call from WebAssembly costs about as much as decoding two. */
const RUN_LENGTH = 32;
const NONE = -1;

/** Behind these nothing follows in the line of execution, or something else may: what is decoded ran (jit/control-flow.ts). */
const RUN_ENDS = ['jal', 'jalr', 'ebreak', 'illegal', 'beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu'];
const ENDS_RUN = Uint8Array.from(OPERATIONS, (operation) => (RUN_ENDS.includes(operation) ? 1 : 0));

/**
 * Decoded code by frame: hands out slots (layout.ts) and fills their entries from the frame's bytes. Slots are reused in
 * the order in which they were taken.
 *
 * Invariants: 2 of layout.ts; `frameOfSlot` and the slot map are inverse; a slot that is free holds no entry.
 */
export class CodeCache {
  private readonly ram: Ram;
  /** Frame of each slot, NONE if free. */
  private readonly frameOfSlot = new Int32Array(at.SLOT_COUNT).fill(NONE);
  private readonly freeSlots: number[] = [];
  private hand = 0;
  private readonly onRelease: (slot: number) => void;

  /** `onRelease` is told the offset of each slot that is about to be emptied. */
  constructor(ram: Ram, onRelease: (slot: number) => void) {
    this.ram = ram;
    this.onRelease = onRelease;
    for (let slot = at.SLOT_COUNT - 1; slot >= 0; slot--) this.freeSlots.push(slot);
    for (let entry = 0; entry < at.SLOT_ENTRIES; entry++)
      ram.u8[at.STRADDLE_SLOT + entry * at.ENTRY_BYTES] = OP_PAGE_END;
    ram.u8[at.STRADDLE_SLOT + at.SLOT_PAGE_END] = OP_PAGE_END;
  }

  /** The slot of a frame about to be executed. Empties the write TLB, which may hold the frame. */
  ensureSlot(frame: number): number {
    const known = this.ram.u32[at.SLOT_MAP / 4 + frame];
    if (known !== 0) return known;
    let slot = this.freeSlots.pop();
    if (slot === undefined) {
      slot = this.hand;
      this.hand = (this.hand + 1) % at.SLOT_COUNT;
      this.release(slot);
      this.freeSlots.pop();
    }
    const offset = at.SLOTS + slot * at.SLOT_STRIDE;
    this.frameOfSlot[slot] = frame;
    this.ram.u32[at.SLOT_MAP / 4 + frame] = offset;
    this.ram.holdsCode[frame] = 1;
    this.ram.u8[offset + at.SLOT_PAGE_END] = OP_PAGE_END;
    this.ram.u8.fill(0, at.WRITE_TLB, at.WRITE_TLB + at.DATA_TLB_ENTRIES * at.TLB_ENTRY_BYTES);
    return offset;
  }

  /** Forgets a frame. Not while `run` is in progress: it may be executing the slot. */
  drop(frame: Pfn): void {
    const offset = this.ram.u32[at.SLOT_MAP / 4 + frame];
    if (offset !== 0) this.release((offset - at.SLOTS) / at.SLOT_STRIDE);
  }

  dropAll(): void {
    for (let slot = 0; slot < at.SLOT_COUNT; slot++) {
      if (this.frameOfSlot[slot] !== NONE) this.drop(pfn(this.frameOfSlot[slot]));
    }
  }

  /** After dropAll, and slots were given to frames again: none of them is decoded. */
  emptySlots(): void {
    for (let slot = 0; slot < at.SLOT_COUNT; slot++)
      if (this.frameOfSlot[slot] !== NONE)
        this.ram.u8[at.SLOTS + slot * at.SLOT_STRIDE + at.SLOT_PAGE_END] = OP_PAGE_END;
  }

  /** The frame whose code stands in the slot at an offset. */
  frameOf(offset: number): number {
    return this.frameOfSlot[(offset - at.SLOTS) / at.SLOT_STRIDE];
  }

  private release(slot: number): void {
    const { u8, u32, holdsCode } = this.ram;
    const offset = at.SLOTS + slot * at.SLOT_STRIDE;
    const frame = this.frameOfSlot[slot];
    this.onRelease(offset);
    u8.fill(0, offset, offset + at.SLOT_STRIDE);
    u32[at.SLOT_MAP / 4 + frame] = 0;
    holdsCode[frame] = 0;
    this.frameOfSlot[slot] = NONE;
    this.freeSlots.push(slot);
    const end = at.FETCH_TLB / 4 + at.FETCH_TLB_ENTRIES * 4;
    for (let word = at.FETCH_TLB / 4 + 3; word < end; word += 4) {
      if (u32[word] === offset) u32[word] = 0;
    }
  }

  /** Decodes from an entry on, along the line of execution, up to what is decoded already. */
  decode(slot: number, entry: number): void {
    const { u8, u16 } = this.ram;
    const code = this.ram.offsetOf(pfn(this.frameOfSlot[(slot - at.SLOTS) / at.SLOT_STRIDE]));
    let position = (entry - slot) / 4;
    let previous = -1;
    for (let done = 0; done < RUN_LENGTH && position < PAGE; done++) {
      const target = slot + position * 4;
      if (u8[target] !== OP_UNDECODED) {
        if (previous >= 0) u8[previous] = fuse(u8[previous], u8[target]);
        return;
      }
      const half = u16[(code + position) / 2];
      let length: 2 | 4 = 2;
      let decoded: Readonly<Decoded>;
      if (isCompressed(half)) decoded = decodeCompressed(half);
      else if (position === PAGE - 2) {
        u8[target] = OP_STRADDLE;
        this.ram.u32[target / 4 + 1] = half;
        return;
      } else {
        length = 4;
        decoded = decode((half | (u16[(code + position) / 2 + 1] << 16)) >>> 0);
      }
      let reach: Reach = 'any';
      if (isRelative(decoded.operation)) {
        const to = position + decoded.imm;
        if (to >= 0 && to < PAGE) reach = decoded.imm > 0 ? 'forward' : 'back';
      }
      this.write(target, decoded, length, reach);
      if (previous >= 0) u8[previous] = fuse(u8[previous], u8[target]);
      previous = target;
      if (ENDS_RUN[decoded.operation] !== 0) return;
      position += length;
    }
  }

  decodeStraddle(slot: number, word: number): void {
    this.ram.u32[(slot + at.SLOT_STRADDLE_WORD) / 4] = word;
    this.write(slot + at.SLOT_STRADDLE_ENTRY, decode(word >>> 0), 4, 'any');
  }

  private write(offset: number, decoded: Readonly<Decoded>, length: 2 | 4, reach: Reach): void {
    const { u8, u32 } = this.ram;
    u8[offset] = opFor(decoded.operation, length, reach);
    u8[offset + 1] = decoded.rd;
    u8[offset + 2] = decoded.rs1;
    u8[offset + 3] = decoded.rs2;
    u32[offset / 4 + 1] = isRelative(decoded.operation) ? decoded.imm * 4 : decoded.imm;
  }
}
