import { assert } from '../../base/assert.ts';
import type { PagingFormat } from '../../machine/paging/format.ts';
import { FunctionBuilder, type Label } from '../wasm/function-builder.ts';
import { ModuleBuilder } from '../wasm/module-builder.ts';
import * as w from '../wasm/opcodes.ts';
import { FP_IMPORTS } from './fp/slow-path.ts';
import { InterpreterEmitter } from './interpreter.ts';
import { EXIT_PAGE_FAULT, type Frame, pushPc } from './interpreter-frame.ts';
import { type ArrivalParts, emitArrival, type LookPace } from './jit/arrival.ts';
import { enterBody } from './jit/enter.ts';
import { ENTER_PARAMS, UNIT_PARAMS } from './jit/unit.ts';
import * as at from './layout.ts';
import { OPS, type Op } from './op-bytes.ts';
import type { Helper } from './semantics/emit.ts';
import { SEMANTICS } from './semantics/table.ts';
import { defineTranslation, type TranslationFunctions } from './translation.ts';
import { userCopyBody } from './user-copy.ts';
import { pushAddress, pushIndex } from './walk.ts';

/** What the module depends on. The size of RAM can be changed later (prebuilt.ts). */
export interface Machine {
  readonly format: PagingFormat;
  readonly memoryPages: number;
  /** Null: nothing is ever translated, and the interpreter does not look for it. */
  readonly translator: TranslatorShape | null;
}

export interface TranslatorShape {
  readonly pace: LookPace;
  readonly tableEntries: number;
}

/**
 * The interpreter as one WebAssembly module. `run(budget)` is one function: a loop over `br_table` on the op byte of a
 * predecoded entry (measured fastest, ahead of tail calls and of decoding every time).
 *
 * Imports `env.ensureSlot(frame) -> slot`, `env.decode(slot, entry)`, `env.decodeStraddle(slot, word)`, `env.noteReference(frame,
 * access, TLB entry, page)`, FP_IMPORTS and `env.memory`; exports `run(budget) -> exit code`, `translate(low, high, access) -> offset or -1`
 * and `userCopy` (user-copy.ts).
 * With a translator also `env.translateCode(slot, entry)`, `env.learnJump(slot, from, to)`, `env.dropTranslated(slot, offset,
 * bytes)` and `env.table`, and exports what units call: `enter`, and each helper under its name.
 */
export function generateInterpreter(machine: Machine): Uint8Array<ArrayBuffer> {
  assert(at.LAYOUT_IS_SOUND, 'riscv64/layout.ts: areas do not overlap');
  assert(OPS.length + 3 <= 256, 'riscv64/generate.ts: ops fit a byte');
  const module = new ModuleBuilder();
  const ensureSlot = module.importFunction('env', 'ensureSlot', [w.I32], [w.I32]);
  const decode = module.importFunction('env', 'decode', [w.I32, w.I32], []);
  const decodeStraddle = module.importFunction('env', 'decodeStraddle', [w.I32, w.I32], []);
  const noteReference = module.importFunction('env', 'noteReference', [w.I32, w.I32, w.I32, w.F64], []);
  const { translator } = machine;
  const translateCode = translator && module.importFunction('env', 'translateCode', [w.I32, w.I32], []);
  const learnJump = translator && module.importFunction('env', 'learnJump', [w.I32, w.I32, w.I32], []);
  const dropTranslated = translator && module.importFunction('env', 'dropTranslated', [w.I32, w.I32, w.I32], []);
  if (translator !== null) module.importTable(translator.tableEntries);
  const helpers = new Map<string, number>();
  for (const entry of FP_IMPORTS)
    helpers.set(entry.name, module.importFunction('env', entry.name, entry.params, entry.results));

  const callHelper = (b: FunctionBuilder, helper: Helper): void => {
    let index = helpers.get(helper.name);
    if (index === undefined) {
      assert(helper.body !== null, 'riscv64/generate.ts: a helper without a body is in FP_IMPORTS');
      index = module.declare(helper.params, helper.results);
      helpers.set(helper.name, index);
      const body = new FunctionBuilder(helper.params, helper.results);
      helper.body(body, (other) => callHelper(body, other));
      module.define(index, body);
    }
    b.call(index);
  };

  const functions = defineTranslation({ ...machine, module, ensureSlot, noteReference, dropTranslated });
  let arrival: Omit<ArrivalParts, 'tick'> | null = null;
  if (translator !== null && translateCode !== null && learnJump !== null) {
    const enter = module.declare(ENTER_PARAMS, [w.I32]);
    module.define(enter, enterBody(module.typeOf(UNIT_PARAMS, [w.I32])));
    module.exportFunction('enter', enter);
    arrival = { pace: translator.pace, translate: translateCode, learnJump, enter };
  }
  const run = module.declare([w.I32], [w.I32]);
  module.define(run, runBody({ functions, decode, decodeStraddle, callHelper, arrival }));
  if (translator !== null) for (const [name, index] of helpers) module.exportFunction(name, index);
  module.exportFunction('run', run);
  const translate = module.declare([w.I32, w.I32, w.I32], [w.I32]);
  module.define(translate, translateExport(functions));
  module.exportFunction('translate', translate);
  const userCopy = module.declare([w.I32, w.I32, w.I32, w.I32, w.I32], [w.I32]);
  module.define(userCopy, userCopyBody(functions.translate));
  module.exportFunction('userCopy', userCopy);
  return module.build(machine.memoryPages);
}

function translateExport(functions: TranslationFunctions): FunctionBuilder {
  const b = new FunctionBuilder([w.I32, w.I32, w.I32], [w.I32]);
  pushAddress(b, 0, 1);
  b.get(2);
  b.call(functions.translate);
  return b;
}

interface RunParts {
  readonly functions: TranslationFunctions;
  readonly decode: number;
  readonly decodeStraddle: number;
  readonly callHelper: (b: FunctionBuilder, helper: Helper) => void;
  readonly arrival: Omit<ArrivalParts, 'tick'> | null;
}

function runBody(parts: RunParts): FunctionBuilder {
  const { functions, arrival } = parts;
  const b = new FunctionBuilder([w.I32], [w.I32]);
  const locals = {
    b,
    budget: 0,
    entry: b.local(w.I32),
    slot: b.local(w.I32),
    left: b.local(w.I32),
    code: b.local(w.I32),
    cell: b.local(w.I32),
    pcBase: b.local(w.I64),
    target: b.local(w.I64),
    asidTag: b.local(w.I64),
    va: b.local(w.I64),
    origin: arrival === null ? null : b.local(w.I32),
  };
  b.get(locals.budget);
  b.set(locals.left);
  const tick = arrival === null ? -1 : b.local(w.I32);
  if (arrival !== null) {
    b.i32(0);
    b.get(locals.budget);
    b.memory(w.I32_STORE, at.MAIL_BUDGET);
    b.i32(arrival.pace.countEvery);
    b.set(tick);
  }
  b.i32(0);
  b.memory(w.I64_LOAD, at.MAIL_ASID_TAG);
  b.set(locals.asidTag);
  b.i32(0);
  b.memory(w.I64_LOAD, at.PC);
  b.set(locals.target);

  const leaveAtTarget = b.block();
  const leaveHere = b.block();
  const jump = b.loop();
  emitFetch(b, locals, functions, leaveAtTarget);
  if (arrival !== null) {
    const arrive = b.loop();
    const interpret = b.block();
    const labels = { jump, arrive, leaveHere, leaveAtTarget };
    const fetch = (): void => emitFetch(b, locals, functions, leaveAtTarget);
    emitArrival({ ...locals, ...labels }, { ...arrival, tick }, { interpret, fetch });
    b.end(); // interpret
    emitInterpret({ ...locals, ...labels }, parts);
    b.end(); // arrive
  } else emitInterpret({ ...locals, jump, leaveHere, leaveAtTarget }, parts);
  b.end(); // jump
  b.end(); // leaveHere
  adjustLeft(locals, 1);
  pushPc(locals);
  b.set(locals.target);
  b.end(); // leaveAtTarget
  b.i32(0);
  b.get(locals.target);
  b.memory(w.I64_STORE, at.PC);
  b.i32(0);
  b.get(locals.left);
  b.memory(w.I32_STORE, at.MAIL_LEFT);
  b.get(locals.code);
  return b;
}

/** The loop over instructions. Without a translator, to arrive is nothing special. */
function emitInterpret(f: Omit<Frame, 'next' | 'arrive'> & { readonly arrive?: Label }, parts: RunParts): void {
  const next = f.b.loop();
  const frame: Frame = { ...f, next, arrive: f.arrive ?? next };
  adjustLeft(frame, -1);
  emitDispatch(frame, parts);
  f.b.end();
}

function adjustLeft(f: { b: FunctionBuilder; left: number }, by: number): void {
  f.b.get(f.left);
  f.b.i32(by);
  f.b.op(w.I32_ADD);
  f.b.set(f.left);
}

/** slot, pcBase and entry of `target`. */
function emitFetch(
  b: FunctionBuilder,
  f: Omit<Frame, 'next' | 'arrive' | 'jump' | 'leaveHere' | 'leaveAtTarget'>,
  functions: TranslationFunctions,
  leaveAtTarget: Label,
): void {
  const found = b.block();
  pushIndex(b, f.target, at.FETCH_TLB_ENTRIES);
  b.tee(f.cell);
  b.memory(w.I64_LOAD, at.FETCH_TLB);
  b.get(f.target);
  b.i64(-4096);
  b.op(w.I64_AND);
  b.get(f.asidTag);
  b.op(w.I64_OR, w.I64_EQ);
  b.if();
  b.get(f.cell);
  b.memory(w.I32_LOAD, at.FETCH_TLB + 12);
  b.tee(f.slot);
  b.brIf(found);
  b.end();
  b.get(f.target);
  b.call(functions.fetchSlow);
  b.tee(f.slot);
  b.brIf(found);
  b.i32(EXIT_PAGE_FAULT);
  b.set(f.code);
  b.br(leaveAtTarget);
  b.end();
  b.get(f.target);
  b.i64(-4096);
  b.op(w.I64_AND);
  b.get(f.slot);
  b.i32(2);
  b.op(w.I32_SHR_U, w.I64_EXTEND_I32_U, w.I64_SUB);
  b.set(f.pcBase);
  b.get(f.target);
  b.op(w.I32_WRAP_I64);
  b.i32(4094);
  b.op(w.I32_AND);
  b.i32(2);
  b.op(w.I32_SHL);
  b.get(f.slot);
  b.op(w.I32_ADD);
  b.set(f.entry);
}

function emitDispatch(f: Frame, parts: RunParts): void {
  const { b } = f;
  const count = OPS.length + 3;
  const blocks: Label[] = [];
  for (let op = count - 1; op >= 0; op--) blocks[op] = b.block();
  b.get(f.entry);
  b.memory(w.I32_LOAD8_U, 0);
  b.brTable(blocks.slice(0, -1), blocks[count - 1]);

  b.end();
  adjustLeft(f, 1);
  b.get(f.slot);
  b.get(f.entry);
  b.call(parts.decode);
  b.br(f.next);

  b.end();
  adjustLeft(f, 1);
  pushPc(f);
  b.set(f.target);
  b.br(f.jump);

  b.end();
  adjustLeft(f, 1);
  emitStraddle(f, parts);

  for (const op of OPS) {
    b.end();
    let left = emitOne(f, parts, op);
    if (op.second !== null) {
      adjustLeft(f, -1);
      left = emitOne(f, parts, op.second);
    }
    if (!left) b.br(f.next);
  }
}

/** The semantics, and the step to the next entry; whether it went elsewhere itself. */
function emitOne(f: Frame, parts: RunParts, { operation, length, reach }: Op): boolean {
  const { b } = f;
  const emitter = new InterpreterEmitter(f, parts.functions, parts.callHelper, length, reach);
  SEMANTICS.get(operation)!(emitter);
  if (emitter.left) return true;
  b.get(f.entry);
  b.i32((length / 2) * at.ENTRY_BYTES);
  b.op(w.I32_ADD);
  b.set(f.entry);
  return false;
}

/**
 * An instruction in the last half-word of a page: its first half is in the entry's immediate, its second half is fetched
 * from wherever the next page is now. The decoded form is kept for as long as the word stays the same, and is executed in
 * the straddle slot, where going on means a fetch.
 */
function emitStraddle(f: Frame, { functions, decodeStraddle }: RunParts): void {
  const { b } = f;
  pushPc(f);
  b.tee(f.target);
  b.i64(2);
  b.op(w.I64_ADD);
  b.tee(f.va);
  b.i32(4);
  b.call(functions.translate);
  b.tee(f.cell);
  b.i32(-1);
  b.op(w.I32_EQ);
  b.if();
  b.i32(0);
  b.get(f.va);
  b.memory(w.I64_STORE, at.MAIL_TRAP_ADDRESS);
  b.i32(0);
  b.i32(4);
  b.memory(w.I32_STORE, at.MAIL_TRAP_ACCESS);
  b.i32(EXIT_PAGE_FAULT);
  b.set(f.code);
  b.br(f.leaveAtTarget);
  b.end();
  b.get(f.cell);
  b.memory(w.I32_LOAD16_U);
  b.i32(16);
  b.op(w.I32_SHL);
  b.get(f.entry);
  b.memory(w.I32_LOAD, 4);
  b.op(w.I32_OR);
  b.tee(f.cell);
  b.get(f.slot);
  b.memory(w.I32_LOAD, at.SLOT_STRADDLE_WORD);
  b.op(w.I32_NE);
  b.if();
  b.get(f.slot);
  b.get(f.cell);
  b.call(decodeStraddle);
  b.end();
  b.i32(at.STRADDLE_ENTRY);
  b.get(f.slot);
  b.memory(w.I64_LOAD, at.SLOT_STRADDLE_ENTRY);
  b.memory(w.I64_STORE);
  b.get(f.target);
  b.i64(at.STRADDLE_ENTRY / 4);
  b.op(w.I64_SUB);
  b.set(f.pcBase);
  b.i32(at.STRADDLE_SLOT);
  b.set(f.slot);
  b.i32(at.STRADDLE_ENTRY);
  b.set(f.entry);
  b.br(f.next);
}
