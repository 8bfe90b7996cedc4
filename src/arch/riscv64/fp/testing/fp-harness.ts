import { panic } from '../../../../base/assert.ts';
import { FunctionBuilder } from '../../../wasm/function-builder.ts';
import { ModuleBuilder } from '../../../wasm/module-builder.ts';
import * as w from '../../../wasm/opcodes.ts';
import { I32 } from '../../../wasm/opcodes.ts';
import type { Emitter, Helper, Semantics } from '../../semantics/emit.ts';
import { RM_DYN } from '../format.ts';
import { FP_MNEMONICS } from '../reference.ts';
import { FP_SEMANTICS } from '../semantics.ts';
import { createFpSlowPath, FP_IMPORTS, type FpSlowPath } from '../slow-path.ts';

/**
 * Runs single F and D instructions through their emitters, without a CPU around them: one exported function an instruction.
 * Registers lie in a small memory of its own: rs1 at 0, rs2 at 8, rs3 at 16, rd at 24, fcsr at 32, rm field at 36.
 * Integer and floating-point registers are the same cells, as an instruction reads each operand from one file only.
 */
const RD = 24;
const FCSR = 32;
const RM = 36;

export interface FpHarness {
  readonly cells: BigUint64Array;
  readonly slowPath: FpSlowPath;
  /** Runs FP_MNEMONICS[operation]; `rm` as the field holds it. */
  run(operation: number, rm: number, fcsr: number, a: bigint, b: bigint, c: bigint): 'done' | 'illegal';
  readonly result: bigint;
  readonly fcsr: number;
}

/** The verbs that F and D semantics use, over the cells. */
function cellEmitter(b: FunctionBuilder, call: (helper: Helper) => void): Emitter {
  const load = (opcode: number, offset: number) => () => {
    b.i32(0);
    b.memory(opcode, offset);
  };
  const store =
    (opcode: number, offset: number, ...before: number[]) =>
    (value: () => void) => {
      b.i32(0);
      value();
      b.op(...before);
      b.memory(opcode, offset);
    };
  const verbs: Partial<Emitter> = {
    b,
    call,
    x1: load(w.I64_LOAD, 0),
    x1w: load(w.I32_LOAD, 0),
    f1: load(w.I64_LOAD, 0),
    f2: load(w.I64_LOAD, 8),
    f3: load(w.I64_LOAD, 16),
    f1d: load(w.F64_LOAD, 0),
    f2d: load(w.F64_LOAD, 8),
    f3d: load(w.F64_LOAD, 16),
    f1w: load(w.I32_LOAD, 0),
    f2w: load(w.I32_LOAD, 8),
    f3w: load(w.I32_LOAD, 16),
    setX: store(w.I64_STORE, RD),
    setXw: store(w.I64_STORE, RD, w.I64_EXTEND_I32_S),
    setF: store(w.I64_STORE, RD),
    setFd: store(w.F64_STORE, RD),
    setFs(value) {
      store(w.I32_STORE, RD)(value);
      store(w.I32_STORE, RD + 4)(() => b.i32(-1));
    },
    fcsr: load(w.I32_LOAD, FCSR),
    raiseFlags(flags) {
      store(
        w.I32_STORE,
        FCSR,
      )(() => {
        load(w.I32_LOAD, FCSR)();
        flags();
        b.op(w.I32_OR);
      });
    },
    rmField() {
      load(w.I32_LOAD, RM)();
      b.i32(RM_DYN);
      b.op(w.I32_XOR);
    },
    roundingMode() {
      const mode = b.local(I32);
      load(w.I32_LOAD, FCSR)();
      b.i32(5);
      b.op(w.I32_SHR_U);
      load(w.I32_LOAD, RM)();
      load(w.I32_LOAD, RM)();
      b.i32(RM_DYN);
      b.op(w.I32_EQ, w.SELECT);
      b.tee(mode);
      b.i32(4);
      b.op(w.I32_GT_U);
      b.if();
      b.i32(1);
      b.op(w.RETURN);
      b.end();
      b.get(mode);
    },
  };
  return verbs as Emitter;
}

function helperCaller(
  module: ModuleBuilder,
  indices: Map<string, number>,
): (b: FunctionBuilder, helper: Helper) => void {
  const callHelper = (b: FunctionBuilder, helper: Helper): void => {
    let index = indices.get(helper.name);
    if (index === undefined) {
      if (helper.body === null) panic(`fp-harness: import ${helper.name} is not in FP_IMPORTS`);
      index = module.declare(helper.params, helper.results);
      indices.set(helper.name, index);
      const body = new FunctionBuilder(helper.params, helper.results);
      helper.body(body, (other) => callHelper(body, other));
      module.define(index, body);
    }
    b.call(index);
  };
  return callHelper;
}

function emitFunction(
  module: ModuleBuilder,
  name: string,
  semantics: Semantics,
  callHelper: (b: FunctionBuilder, helper: Helper) => void,
): void {
  const index = module.declare([], [I32]);
  const b = new FunctionBuilder([], [I32]);
  semantics(cellEmitter(b, (helper) => callHelper(b, helper)));
  b.i32(0);
  module.define(index, b);
  module.exportFunction(name, index);
}

export function createFpHarness(): FpHarness {
  const module = new ModuleBuilder();
  const indices = new Map<string, number>();
  for (const entry of FP_IMPORTS) {
    indices.set(entry.name, module.importFunction('env', entry.name, entry.params, entry.results));
  }
  const callHelper = helperCaller(module, indices);
  for (const name of FP_MNEMONICS) {
    emitFunction(module, name, FP_SEMANTICS.get(name) ?? panic(`fp-harness: no emitter for ${name}`), callHelper);
  }
  const slowPath = createFpSlowPath();
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const bytes = module.build(1);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory, ...slowPath.imports } });
  const functions = FP_MNEMONICS.map((name) => instance.exports[name] as () => number);
  const cells = new BigUint64Array(memory.buffer);
  const words = new Int32Array(memory.buffer);
  return {
    cells,
    slowPath,
    run(operation, rm, fcsr, a, b, c) {
      cells[0] = a;
      cells[1] = b;
      cells[2] = c;
      words[FCSR / 4] = fcsr;
      words[RM / 4] = rm;
      return functions[operation]() === 0 ? 'done' : 'illegal';
    },
    get result() {
      return cells[RD / 8];
    },
    get fcsr() {
      return words[FCSR / 4];
    },
  };
}
