import type { Unwinding } from '../../arch/unwinding.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Task } from '../../kernel/task.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { evaluate } from './cfi-expression.ts';
import { type CfiRow, type RegisterRule, rowAt } from './cfi-row.ts';
import type { CodeMap } from './code-map.ts';
import { MemoryReader } from './memory-reader.ts';
import type { Module } from './module.ts';

/** Takes the frames of a stack, innermost first. */
export interface FrameSink {
  /** `address` is of the file's own; behind a call it is the call's last byte, so that it is in the caller's line. */
  frame(module: Module, address: number): void;
}

/** How the frame of an address is unwound; kept by address. */
type Step =
  | { readonly by: 'offsets'; readonly rules: OffsetRules; readonly isSignalFrame: boolean }
  | { readonly by: 'row'; readonly row: CfiRow; readonly returnColumn: number; readonly isSignalFrame: boolean }
  | { readonly by: 'prologue'; readonly prologue: ReturnType<Unwinding['scanPrologue']> }
  | { readonly by: 'sigreturn' }
  | { readonly by: 'frame pointer' };

/** A row as nearly all of them are: registers at offsets from a register. */
interface OffsetRules {
  readonly cfaRegister: number;
  readonly cfaOffset: number;
  readonly registers: Int32Array;
  readonly offsets: Int32Array;
  readonly returnColumn: number;
}

/** As perf's kernel.perf_event_max_stack. */
const MAX_FRAMES = 127;
/** Two instructions: the number, and the call. */
const TRAMPOLINE_BYTES = 8;
/** Of a function without frame descriptions: its prologue is no longer. */
const MAX_PROLOGUE_BYTES = 4096;

/**
 * Call stacks of tasks as they are now. For each frame the first of these that is there says where its caller is:
 *
 *   .eh_frame or .debug_frame  ->  the sigreturn trampoline: registers from the signal frame  ->  the function's prologue, where a
 *   symbol says where it begins  ->  the frame pointer; of the innermost frame without all that, the return-address register
 *
 * A caller's registers are where its callees saved them: `places` has the address, or -1 and the value in `values`.
 * Ends where a return address is undefined or 0 (_start, clone), where the stack does not go up, is not resident, or no code is.
 */
export class Unwinder {
  private readonly kernel: Kernel;
  private readonly code: CodeMap;
  private readonly abi: Unwinding;
  private readonly memory: MemoryReader;
  private readonly steps = new Map<Module, Map<number, Step>>();
  private readonly places: Float64Array;
  private readonly values: Float64Array;
  private readonly context = {
    register: (number: number): number | null => this.register(number),
    memory: (address: number, sizeBytes: number): number | null => this.memory.read(address, sizeBytes),
  };

  constructor(kernel: Kernel, code: CodeMap) {
    this.kernel = kernel;
    this.code = code;
    this.abi = kernel.arch.unwinding;
    this.memory = new MemoryReader(kernel.mm);
    this.places = new Float64Array(this.abi.registerCount);
    this.values = new Float64Array(this.abi.registerCount);
  }

  /** Tells `sink` the user stack of a task. */
  unwind(task: Task, sink: FrameSink): void {
    const { space } = task;
    if (space === null) return;
    const registers = this.kernel.registersOf(task);
    for (let n = 0; n < this.abi.registerCount; n++) this.values[n] = this.abi.register(registers, n);
    this.places.fill(-1);
    this.memory.start(space);
    this.walk(space, this.kernel.arch.pc(registers), sink);
  }

  private walk(space: AddressSpace, start: number, sink: FrameSink): void {
    let pc = start;
    let isExact = true;
    for (let depth = 0; depth < MAX_FRAMES; depth++) {
      const place = this.code.find(space, isExact ? pc : pc - 1);
      if (place === null) return;
      const { module } = place;
      // Nobody called the trampoline: the instruction before it is no call.
      const isTrampoline = this.isTrampoline(module, isExact ? place.address : place.address + 1);
      const address = isTrampoline && !isExact ? place.address + 1 : place.address;
      sink.frame(module, address);
      const sp = this.register(this.abi.stackPointer);
      const step = this.stepAt(module, isExact ? address : address + 1, address);
      const next = sp === null ? null : this.toCaller(step, sp, depth === 0);
      if (next === null || next === 0) return;
      isExact = step.by === 'sigreturn' || ((step.by === 'row' || step.by === 'offsets') && step.isSignalFrame);
      const nextSp = this.register(this.abi.stackPointer);
      // A leaf function may have no frame at all; a signal may run on a stack of its own, anywhere.
      if (nextSp === null || (!isExact && (nextSp < sp! || (nextSp === sp && depth > 0 && next === pc)))) return;
      pc = next;
    }
  }

  /** The caller's pc, with its registers in place; null: unknown. */
  private toCaller(step: Step, sp: number, isInnermost: boolean): number | null {
    switch (step.by) {
      case 'offsets':
        return this.byOffsets(step.rules);
      case 'row':
        return this.byRow(step.row, step.returnColumn);
      case 'sigreturn':
        return this.bySignalFrame(sp);
      case 'prologue':
        return this.byPrologue(step.prologue, sp, isInnermost);
      case 'frame pointer':
        return this.byFramePointer(sp, isInnermost);
    }
  }

  private stepAt(module: Module, address: number, lookup: number): Step {
    let known = this.steps.get(module);
    if (known === undefined) {
      known = new Map();
      this.steps.set(module, known);
    }
    let step = known.get(lookup);
    if (step === undefined) {
      step = this.makeStep(module, address, lookup);
      known.set(lookup, step);
    }
    return step;
  }

  private isTrampoline(module: Module, address: number): boolean {
    const { sigreturnOffset } = this.kernel.arch.vdso;
    return module.path === '[vdso]' && address >= sigreturnOffset && address < sigreturnOffset + TRAMPOLINE_BYTES;
  }

  private makeStep(module: Module, address: number, lookup: number): Step {
    const description = module.frames.find(lookup);
    if (description !== null) {
      const { returnColumn, isSignalFrame } = description.common;
      // The row of the call: what stands behind a call that does not return may be of other code.
      const row = rowAt(description, lookup);
      const rules = this.offsetRules(row, returnColumn);
      return rules === null ? { by: 'row', row, returnColumn, isSignalFrame } : { by: 'offsets', rules, isSignalFrame };
    }
    if (this.isTrampoline(module, lookup)) return { by: 'sigreturn' };
    const symbol = module.symbols.find(lookup);
    const offset = symbol === null ? -1 : module.elf.offsetOf(symbol.start);
    if (symbol === null || offset < 0) return { by: 'frame pointer' };
    const length = Math.min(MAX_PROLOGUE_BYTES, address - symbol.start);
    return { by: 'prologue', prologue: this.abi.scanPrologue(module.elf.bytes.subarray(offset, offset + length)) };
  }

  /** null: the row has other rules too. */
  private offsetRules({ cfa, registers }: CfiRow, returnColumn: number): OffsetRules | null {
    if (cfa?.by !== 'register' || registers.has(this.abi.stackPointer)) return null;
    const known = [...registers].filter(([number, { rule }]) => number < this.abi.registerCount && rule !== 'same');
    const offsets = known.flatMap(([, each]) => (each.rule === 'offset' ? [each.offset] : []));
    if (offsets.length < known.length) return null;
    return {
      cfaRegister: cfa.register,
      cfaOffset: cfa.offset,
      registers: Int32Array.from(known, ([number]) => number),
      offsets: Int32Array.from(offsets),
      returnColumn,
    };
  }

  private byOffsets({ cfaRegister, cfaOffset, registers, offsets, returnColumn }: OffsetRules): number | null {
    const base = this.register(cfaRegister);
    if (base === null) return null;
    const cfa = base + cfaOffset;
    for (let at = 0; at < registers.length; at++) this.places[registers[at]] = cfa + offsets[at];
    this.places[this.abi.stackPointer] = -1;
    this.values[this.abi.stackPointer] = cfa;
    return this.register(returnColumn);
  }

  private byRow({ cfa: rule, registers }: CfiRow, returnColumn: number): number | null {
    if (rule === null) return null;
    const base = rule.by === 'register' ? this.register(rule.register) : evaluate(rule.expression, this.context, null);
    if (base === null) return null;
    const cfa = rule.by === 'register' ? base + rule.offset : base;
    // All from the callee's registers, before any of them is the caller's.
    const changes: { number: number; place: number; value: number }[] = [];
    for (const [number, each] of registers) {
      if (number >= this.abi.registerCount) continue;
      const change = this.callerRegister(each, cfa);
      if (change === 'undefined') {
        if (number === returnColumn) return null;
      } else if (change !== null) changes.push({ number, ...change });
    }
    for (const { number, place, value } of changes) this.set(number, place, value);
    if (!registers.has(this.abi.stackPointer)) this.set(this.abi.stackPointer, -1, cfa);
    return this.register(returnColumn);
  }

  private callerRegister(rule: RegisterRule, cfa: number): { place: number; value: number } | 'undefined' | null {
    switch (rule.rule) {
      case 'undefined':
        return 'undefined';
      case 'same':
        return null;
      case 'offset':
        return { place: cfa + rule.offset, value: 0 };
      case 'value':
        return { place: -1, value: cfa + rule.offset };
      case 'register':
        return rule.register < this.abi.registerCount
          ? { place: this.places[rule.register], value: this.values[rule.register] }
          : 'undefined';
      case 'expression': {
        const place = evaluate(rule.expression, this.context, cfa);
        return place === null ? 'undefined' : { place, value: 0 };
      }
      case 'valueExpression': {
        const value = evaluate(rule.expression, this.context, cfa);
        return value === null ? 'undefined' : { place: -1, value };
      }
    }
  }

  private bySignalFrame(sp: number): number | null {
    const { pcOffset, registerOffset } = this.abi.signalFrame;
    for (let n = 1; n < this.abi.registerCount; n++) this.set(n, sp + registerOffset(n), 0);
    return this.memory.word64(sp + pcOffset);
  }

  private byPrologue(
    { frameBytes, framePointerBelow, returnAddressOffset, framePointerOffset }: ReturnType<Unwinding['scanPrologue']>,
    sp: number,
    isInnermost: boolean,
  ): number | null {
    const { framePointer, stackPointer, returnAddress } = this.abi;
    const frame = framePointerBelow === null ? null : this.register(framePointer);
    let cfa: number;
    if (frame !== null && framePointerBelow !== null) cfa = frame + framePointerBelow;
    else if (frameBytes !== null) cfa = sp + frameBytes;
    else return this.byFramePointer(sp, isInnermost);
    // Who calls another function has put its return address away.
    if (returnAddressOffset === null && !isInnermost) return this.byFramePointer(sp, isInnermost);
    const caller =
      returnAddressOffset === null ? this.register(returnAddress) : this.memory.word64(cfa + returnAddressOffset);
    if (framePointerOffset !== null) this.set(framePointer, cfa + framePointerOffset, 0);
    if (returnAddressOffset !== null) this.set(returnAddress, cfa + returnAddressOffset, 0);
    this.set(stackPointer, -1, cfa);
    return caller;
  }

  private byFramePointer(sp: number, isInnermost: boolean): number | null {
    const { framePointer, stackPointer, returnAddress, frameRecord } = this.abi;
    // A function that has no frame yet, or needs none.
    if (isInnermost) return this.register(returnAddress);
    const frame = this.register(framePointer);
    if (frame === null || frame < sp || frame % 8 !== 0) return null;
    const caller = this.memory.word64(frame + frameRecord.returnAddressOffset);
    this.set(framePointer, frame + frameRecord.framePointerOffset, 0);
    this.set(stackPointer, -1, frame);
    return caller;
  }

  private set(number: number, place: number, value: number): void {
    this.places[number] = place;
    this.values[number] = value;
  }

  private register(number: number): number | null {
    if (number >= this.abi.registerCount) return null;
    const place = this.places[number];
    return place < 0 ? this.values[number] : this.memory.word64(place);
  }
}
