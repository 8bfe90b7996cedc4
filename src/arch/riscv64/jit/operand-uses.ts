import { FunctionBuilder } from '../../wasm/function-builder.ts';
import { OPERATIONS } from '../decode.ts';
import { SEMANTICS } from '../semantics/table.ts';
import type { PlacedInstruction } from './control-flow.ts';
import { FCSR_NUMBER, RegisterLocals } from './register-locals.ts';
import { UnitEmitter, type UnitFlow, type UnitFrame } from './unit-emitter.ts';

/** Stand-ins for an instruction's registers. */
const RS1 = 4;
const RS2 = 5;
const RS3 = 6;
const RD = 7;

/** What an operation's semantics reads and writes, seen once by running it with registers of its own. */
export interface OperandUses {
  readonly rs1: boolean;
  readonly rs2: boolean;
  readonly rs3: boolean;
  readonly rd: boolean;
  readonly readsFcsr: boolean;
  readonly writesFcsr: boolean;
  /** x[rd] becomes 32 bits, sign-extended, whatever the operands are. */
  readonly makesWord: boolean;
}

const known = new Map<string, OperandUses>();

export function operandUses(operation: string): OperandUses {
  let uses = known.get(operation);
  if (uses === undefined) known.set(operation, (uses = watch(operation)));
  return uses;
}

class Watch extends RegisterLocals {
  readonly seen = new Set<string>();

  override local(register: number, access: 'read' | 'write'): number {
    this.seen.add(`${access} ${register}`);
    return super.local(register, access);
  }
}

class WatchingEmitter extends UnitEmitter {
  makesWord = false;

  override setXw(value: () => void): void {
    this.makesWord = true;
    super.setXw(value);
  }
}

const FLOW: UnitFlow = { branch: (condition) => condition(), jump: () => {}, jumpToTarget: () => {} };

function watch(operation: string): OperandUses {
  const b = new FunctionBuilder([], []);
  const registers = new Watch(b);
  const interpret = b.block();
  const frame: UnitFrame = {
    b,
    registers,
    base: 0,
    left: 0,
    depth: 0,
    asidTag: 0,
    target: 0,
    code: 0,
    info: 0,
    va: 0,
    cell: 0,
    interpret,
    call: () => {},
  };
  const instruction: PlacedInstruction = {
    position: 0,
    length: 4,
    operation,
    operands: { operation: OPERATIONS.indexOf(operation), rd: RD, rs1: RS1, rs2: RS2, imm: RS3 << 8 },
  };
  const emitter = new WatchingEmitter(frame, FLOW, instruction, { before: 0, access: undefined, hosts: new Map() });
  SEMANTICS.get(operation)!(emitter);
  const { seen } = registers;
  return {
    rs1: seen.has(`read ${RS1}`),
    rs2: seen.has(`read ${RS2}`),
    rs3: seen.has(`read ${RS3}`),
    rd: seen.has(`write ${RD}`),
    readsFcsr: seen.has(`read ${FCSR_NUMBER}`),
    writesFcsr: seen.has(`write ${FCSR_NUMBER}`),
    makesWord: emitter.makesWord,
  };
}
