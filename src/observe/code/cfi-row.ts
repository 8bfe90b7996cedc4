import { ByteReader } from './byte-reader.ts';
import type { FrameDescription } from './call-frame-info.ts';

/** Where a caller's register is to be found. */
export type RegisterRule =
  | { readonly rule: 'undefined' }
  | { readonly rule: 'same' }
  /** In memory at CFA + offset. */
  | { readonly rule: 'offset'; readonly offset: number }
  /** CFA + offset itself. */
  | { readonly rule: 'value'; readonly offset: number }
  | { readonly rule: 'register'; readonly register: number }
  /** In memory at what the expression, given the CFA, computes. */
  | { readonly rule: 'expression'; readonly expression: Uint8Array }
  | { readonly rule: 'valueExpression'; readonly expression: Uint8Array };

/** The canonical frame address: the stack pointer at the call. */
export type CfaRule =
  | { readonly by: 'register'; readonly register: number; readonly offset: number }
  | { readonly by: 'expression'; readonly expression: Uint8Array };

export interface CfiRow {
  readonly cfa: CfaRule | null;
  /** By DWARF register; what is not there is the same as in the callee. */
  readonly registers: ReadonlyMap<number, RegisterRule>;
}

interface State {
  cfa: CfaRule | null;
  registers: Map<number, RegisterRule>;
}

/** The rules at an address of a function: its programs run up to there (DWARF 5, 6.4.2 and 6.4.3). */
export function rowAt({ common, start, instructions }: FrameDescription, address: number): CfiRow {
  const state: State = { cfa: null, registers: new Map() };
  const run = new RowProgram(common.codeFactor, common.dataFactor, state);
  run.execute(common.instructions, start, Number.POSITIVE_INFINITY);
  run.keepInitial();
  run.execute(instructions, start, address);
  return { cfa: state.cfa, registers: state.registers };
}

class RowProgram {
  private readonly codeFactor: number;
  private readonly dataFactor: number;
  private readonly state: State;
  private initial = new Map<number, RegisterRule>();
  private readonly remembered: State[] = [];

  constructor(codeFactor: number, dataFactor: number, state: State) {
    this.codeFactor = codeFactor;
    this.dataFactor = dataFactor;
    this.state = state;
  }

  keepInitial(): void {
    this.initial = new Map(this.state.registers);
  }

  /** From `location` on, up to the row that holds `address`. */
  execute(instructions: Uint8Array, location: number, address: number): void {
    const reader = new ByteReader(instructions);
    let at = location;
    while (!reader.isAtEnd) {
      const opcode = reader.u8();
      const delta = this.advance(opcode, reader);
      if (delta >= 0) {
        at += delta * this.codeFactor;
        if (at > address) return;
      } else if (opcode === 0x01) {
        at = reader.u64(); // DW_CFA_set_loc
        if (at > address) return;
      } else this.instruction(opcode, reader);
    }
  }

  /** How far the location moves on; -1: the opcode does not move it. */
  private advance(opcode: number, reader: ByteReader): number {
    if (opcode >>> 6 === 1) return opcode & 0x3f; // DW_CFA_advance_loc
    if (opcode === 0x02) return reader.u8(); // DW_CFA_advance_loc1, 2, 4
    if (opcode === 0x03) return reader.u16();
    return opcode === 0x04 ? reader.u32() : -1;
  }

  private instruction(opcode: number, reader: ByteReader): void {
    const { state, dataFactor } = this;
    const { registers } = state;
    const set = (register: number, rule: RegisterRule): void => {
      registers.set(register, rule);
    };
    if (opcode >>> 6 === 2) {
      set(opcode & 0x3f, { rule: 'offset', offset: reader.uleb() * dataFactor });
      return;
    }
    if (opcode >>> 6 === 3) {
      this.restore(opcode & 0x3f);
      return;
    }
    const block = (): Uint8Array => {
      const length = reader.uleb();
      reader.at += length;
      return reader.bytes.subarray(reader.at - length, reader.at);
    };
    switch (opcode) {
      case 0x00: // DW_CFA_nop
        break;
      case 0x05: // DW_CFA_offset_extended
        set(reader.uleb(), { rule: 'offset', offset: reader.uleb() * dataFactor });
        break;
      case 0x06: // DW_CFA_restore_extended
        this.restore(reader.uleb());
        break;
      case 0x07: // DW_CFA_undefined
        set(reader.uleb(), { rule: 'undefined' });
        break;
      case 0x08: // DW_CFA_same_value
        set(reader.uleb(), { rule: 'same' });
        break;
      case 0x09: // DW_CFA_register
        set(reader.uleb(), { rule: 'register', register: reader.uleb() });
        break;
      case 0x0a: // DW_CFA_remember_state
        this.remembered.push({ cfa: state.cfa, registers: new Map(registers) });
        break;
      case 0x0b: // DW_CFA_restore_state
        Object.assign(state, this.remembered.pop());
        break;
      case 0x0c: // DW_CFA_def_cfa
        state.cfa = { by: 'register', register: reader.uleb(), offset: reader.uleb() };
        break;
      case 0x0d: // DW_CFA_def_cfa_register
        state.cfa = { by: 'register', register: reader.uleb(), offset: this.cfaOffset() };
        break;
      case 0x0e: // DW_CFA_def_cfa_offset
        this.setCfaOffset(reader.uleb());
        break;
      case 0x0f: // DW_CFA_def_cfa_expression
        state.cfa = { by: 'expression', expression: block() };
        break;
      case 0x10: // DW_CFA_expression
        set(reader.uleb(), { rule: 'expression', expression: block() });
        break;
      case 0x11: // DW_CFA_offset_extended_sf
        set(reader.uleb(), { rule: 'offset', offset: reader.sleb() * dataFactor });
        break;
      case 0x12: // DW_CFA_def_cfa_sf
        state.cfa = { by: 'register', register: reader.uleb(), offset: reader.sleb() * dataFactor };
        break;
      case 0x13: // DW_CFA_def_cfa_offset_sf
        this.setCfaOffset(reader.sleb() * dataFactor);
        break;
      case 0x14: // DW_CFA_val_offset
        set(reader.uleb(), { rule: 'value', offset: reader.uleb() * dataFactor });
        break;
      case 0x15: // DW_CFA_val_offset_sf
        set(reader.uleb(), { rule: 'value', offset: reader.sleb() * dataFactor });
        break;
      case 0x16: // DW_CFA_val_expression
        set(reader.uleb(), { rule: 'valueExpression', expression: block() });
        break;
      case 0x2e: // DW_CFA_GNU_args_size
        reader.uleb();
        break;
      case 0x2f: // DW_CFA_GNU_negative_offset_extended
        set(reader.uleb(), { rule: 'offset', offset: -reader.uleb() * dataFactor });
        break;
      default:
        // Not known, and so is its length.
        reader.at = reader.bytes.length;
    }
  }

  private restore(register: number): void {
    const rule = this.initial.get(register);
    if (rule === undefined) this.state.registers.delete(register);
    else this.state.registers.set(register, rule);
  }

  private cfaOffset(): number {
    return this.state.cfa?.by === 'register' ? this.state.cfa.offset : 0;
  }

  private setCfaOffset(offset: number): void {
    const { cfa } = this.state;
    if (cfa?.by === 'register') this.state.cfa = { ...cfa, offset };
  }
}
