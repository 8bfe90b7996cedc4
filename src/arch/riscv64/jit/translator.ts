import { assert } from '../../../base/assert.ts';
import type { Ram } from '../../../machine/ram.ts';
import { pfn } from '../../../machine/units.ts';
import type { FunctionBuilder } from '../../wasm/function-builder.ts';
import { ModuleBuilder } from '../../wasm/module-builder.ts';
import * as w from '../../wasm/opcodes.ts';
import * as at from '../layout.ts';
import type { Helper } from '../semantics/emit.ts';
import { type ControlFlow, isLink, readControlFlow } from './control-flow.ts';
import type { JitPace } from './pace.ts';
import { ENTER_PARAMS, UNIT_PARAMS, writeUnit } from './unit.ts';

/** Units that can live at once, and modules: V8 keeps some 100 KiB for each of these (`npm run bench -- --memory`). */
export const MAX_UNITS = 4096;
const MAX_MODULES = 320;
/** A module of so many takes 5 ms, and 15 on a busy host: nobody should see a pause (`npm run bench -- --pauses`). */
const BATCH_INSTRUCTIONS = 400;
/** A page that was written so often under its units is data with some code in it. */
const MAX_DROPS = 64;
const MAX_TARGETS = 128;

interface Flow {
  readonly slot: number;
  readonly flow: ControlFlow;
}
interface Unit {
  readonly slot: number;
  readonly entry: number;
  /** The bytes of its page that it was made of lie between these. */
  readonly first: number;
  readonly last: number;
  /** Units of its module that are there. */
  readonly module: Set<number>;
}
interface Place {
  readonly slot: number;
  readonly position: number;
}

/**
 * Units of translated code: makes them, and takes them away where their bytes change, their slot goes, or there are too many.
 *
 * Invariants
 *  1 SLOT_JIT of a place is JIT_UNIT + n if and only if unit n starts there; then entry n of the table is its function.
 *  2 Units are taken away only while none runs: between runs, or where the interpreter calls out.
 */
export class Translator {
  readonly table: WebAssembly.Table;
  readonly pace: JitPace;
  private readonly ram: Ram;
  private readonly frameOf: (slot: number) => number;
  private exports: Record<string, WebAssembly.ExportValue> = {};
  private readonly units: (Unit | null)[] = [];
  private readonly freeNumbers: number[] = [];
  private readonly bySlot = new Map<number, Set<number>>();
  /** Where indirect jumps lead, by slot and position of the jump. */
  private readonly jumps = new Map<number, Map<number, Set<number>>>();
  private readonly drops = new Map<number, number>();
  /** Unit numbers by module, oldest first. V8 keeps a module for as long as one of its units is in the table. */
  private readonly modules = new Set<Set<number>>();
  /** By slot and position: instructions of the unit that would begin there, when somebody last looked. */
  private readonly seen = new Map<number, Map<number, number>>();
  private queue: Place[] = [];
  private queuedSince = 0;
  /** Instructions of the queue, about. */
  private queued = 0;
  /** All instructions that retired before this run, and those that were translated. */
  private retired = 0;
  private translated = 0;
  /** What a program that begins here and not at its start may leave out of account: nothing is translated yet. */
  private retiredBefore = 0;

  /** `frameOf` gives the frame whose code a slot holds. */
  constructor(ram: Ram, pace: JitPace, frameOf: (slot: number) => number) {
    this.ram = ram;
    this.pace = pace;
    this.frameOf = frameOf;
    this.table = new WebAssembly.Table({ element: 'anyfunc', initial: MAX_UNITS, maximum: MAX_UNITS });
    for (let number = MAX_UNITS - 1; number >= 0; number--) this.freeNumbers.push(number);
  }

  /** The interpreter's exports: units call them. */
  connect(exports: Record<string, WebAssembly.ExportValue>): void {
    this.exports = exports;
  }

  /** Called by the interpreter where control came often: `pace` says how often. */
  translateCode(slot: number, entry: number): void {
    const position = (entry - slot) / 4;
    const instructions = this.instructionsDue(slot, position);
    if (instructions === 0) return;
    this.setWord(slot, position, at.JIT_IGNORE);
    this.ram.u32[(slot + at.SLOT_TRANSLATED) / 4] = 1;
    if ((this.drops.get(slot) ?? 0) > MAX_DROPS) return;
    this.queue.push({ slot, position });
    this.queued += instructions;
    if (this.queued >= this.pace.batchInstructions && this.hasRoom()) this.flush();
  }

  /** How many would be translated, if so many arrivals pay for it. The last look is at the highest power of two that is counted to. */
  private instructionsDue(slot: number, position: number): number {
    const { countsPerInstruction } = this.pace;
    if (countsPerInstruction === 0) return 1;
    const counts = this.wordAt(slot, position);
    const isLastLook = counts > at.JIT_IGNORE / 2;
    let seen = this.seen.get(slot);
    // What was too much for so many arrivals still is: a unit grows while more of its page runs.
    if (!isLastLook && (seen?.get(position) ?? 0) * countsPerInstruction > counts) return 0;
    const instructions = this.readFlow(slot, position, [])?.instructionCount ?? 1;
    if (seen === undefined) this.seen.set(slot, (seen = new Map()));
    seen.set(position, instructions);
    return isLastLook || instructions * countsPerInstruction <= counts ? instructions : 0;
  }

  private hasRoom(): boolean {
    return this.translated < this.pace.advance + this.retired / this.pace.retiredPerInstruction;
  }

  /** Called by the interpreter: an indirect jump led to a place. Returns are no switches. */
  learnJump(slot: number, from: number, to: number): void {
    if (from < slot || from >= slot + at.SLOT_CODE_BYTES) return;
    const { u8 } = this.ram;
    if (u8[from + 1] !== at.DISCARD_REGISTER || isLink(u8[from + 2])) return;
    let jumps = this.jumps.get(slot);
    if (jumps === undefined) this.jumps.set(slot, (jumps = new Map()));
    const position = (from - slot) / 4;
    const known = jumps.get(position);
    if (known === undefined) jumps.set(position, new Set([(to - slot) / 4]));
    else if (known.size < MAX_TARGETS) known.add((to - slot) / 4);
  }

  /** The machine is at another point of its run, and nothing is translated. */
  restart(retired: number): void {
    this.retired = retired;
    this.retiredBefore = Math.max(0, retired - this.pace.startAfter);
    this.queuedSince = retired;
    this.translated = 0;
    this.drops.clear();
    this.seen.clear();
  }

  /** Before each run: `retired` is all that has been. */
  beforeRun(retired: number): void {
    this.retired = retired;
    const { batchInstructions, batchWait, batchWaitShare } = this.pace;
    if (this.queue.length === 0) this.queuedSince = retired;
    else if (
      (this.queued >= batchInstructions ||
        retired - this.queuedSince > Math.max(batchWait, (retired - this.retiredBefore) * batchWaitShare)) &&
      this.hasRoom()
    )
      this.flush();
  }

  /** Bytes of a page are about to change. */
  dropTranslated(slot: number, offset: number, bytes: number): void {
    this.drops.set(slot, (this.drops.get(slot) ?? 0) + 1);
    this.seen.delete(slot);
    for (const number of this.bySlot.get(slot) ?? []) {
      const { first, last } = this.units[number]!;
      if (first < offset + bytes && last >= offset) this.free(number);
    }
  }

  /** The slot goes, and with it its words. */
  dropSlot(slot: number): void {
    for (const number of this.bySlot.get(slot) ?? []) this.free(number);
    this.bySlot.delete(slot);
    this.drops.delete(slot);
    this.jumps.delete(slot);
    this.seen.delete(slot);
    this.queue = this.queue.filter((place) => place.slot !== slot);
  }

  /** Translates one module's worth; what is too much for it waits for the next run. */
  private flush(): void {
    const units: Flow[] = [];
    let instructions = 0;
    // What stands first in a function mostly leads to the rest of it.
    this.queue.sort((a, b) => a.slot - b.slot || a.position - b.position);
    for (let place = this.queue.shift(); place !== undefined; place = this.queue.shift()) {
      const { slot, position } = place;
      if (units.some((unit) => unit.slot === slot && unit.flow.blocks.has(position))) {
        // Counted anew: most of what came here comes through that unit from now on.
        this.setWord(slot, position, 0);
        continue;
      }
      const flow = this.readFlow(slot, position, units);
      if (flow === null) continue;
      if (instructions + flow.instructionCount > BATCH_INSTRUCTIONS && units.length > 0) {
        this.queue.unshift(place);
        break;
      }
      instructions += flow.instructionCount;
      units.push({ slot, flow });
    }
    this.translated += instructions;
    this.queued = Math.max(0, this.queued - instructions);
    if (this.queue.length === 0) this.queued = 0;
    this.queuedSince = this.retired;
    if (units.length > 0) this.compile(units);
  }

  /** `others` are about to be units. */
  private readFlow(slot: number, position: number, others: readonly Flow[]): ControlFlow | null {
    const { u8 } = this.ram;
    return readControlFlow(this.ram, pfn(this.frameOf(slot)), position, {
      jumpTargets: (jump) => [...(this.jumps.get(slot)?.get(jump) ?? [])],
      hasUnit: (other) =>
        this.wordAt(slot, other) >= at.JIT_UNIT ||
        others.some((unit) => unit.slot === slot && unit.flow.entry === other),
      isWorth: (other) => this.pace.reach === 'all' || u8[slot + other * 4] !== at.OP_UNDECODED,
    });
  }

  private compile(units: readonly Flow[]): void {
    while (this.freeNumbers.length < units.length || this.modules.size >= MAX_MODULES) this.dropOldest();
    const helpers: Helper[] = [];
    const call = (b: FunctionBuilder, helper: Helper): void => {
      let index = helpers.findIndex(({ name }) => name === helper.name);
      if (index < 0) index = helpers.push(helper) - 1;
      b.call(1 + index);
    };
    const bodies = units.map(({ flow }) => writeUnit(flow, { enter: 0, call }));
    const builder = new ModuleBuilder();
    builder.importFunction('env', 'enter', ENTER_PARAMS, [w.I32]);
    for (const { name, params, results } of helpers) builder.importFunction('env', name, params, results);
    bodies.forEach((body, index) => {
      const declared = builder.declare(UNIT_PARAMS, [w.I32]);
      builder.define(declared, body);
      builder.exportFunction(String(index), declared);
    });
    const module = new WebAssembly.Module(builder.build(this.ram.u8.length / 65536));
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.ram.memory, ...this.exports } });
    const numbers = new Set<number>();
    this.modules.add(numbers);
    for (const [index, { slot, flow }] of units.entries()) {
      const { entry, first, last } = flow;
      numbers.add(this.install({ slot, entry, first, last, module: numbers }, exports[String(index)]));
    }
  }

  private install(unit: Unit, code: WebAssembly.ExportValue): number {
    const number = this.freeNumbers.pop();
    assert(number !== undefined, 'riscv64/jit/translator.ts: there is room for a batch');
    this.units[number] = unit;
    this.table.set(number, code);
    this.setWord(unit.slot, unit.entry, at.JIT_UNIT + number);
    const others = this.bySlot.get(unit.slot);
    if (others === undefined) this.bySlot.set(unit.slot, new Set([number]));
    else others.add(number);
    return number;
  }

  /** Each unit of the oldest module: what still runs often comes back. */
  private dropOldest(): void {
    for (const oldest of this.modules) {
      for (const number of oldest) this.free(number);
      return;
    }
  }

  private free(number: number): void {
    const { slot, entry, module } = this.units[number]!;
    module.delete(number);
    if (module.size === 0) this.modules.delete(module);
    this.units[number] = null;
    this.table.set(number, null);
    this.setWord(slot, entry, 0);
    this.bySlot.get(slot)?.delete(number);
    this.freeNumbers.push(number);
  }

  private wordAt(slot: number, position: number): number {
    return this.ram.u16[(slot + at.SLOT_JIT + position) / 2];
  }

  private setWord(slot: number, position: number, word: number): void {
    this.ram.u16[(slot + at.SLOT_JIT + position) / 2] = word;
  }
}
