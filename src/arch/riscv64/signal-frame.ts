import type { PoppedFrame, SignalFrame, UserMemory } from '../arch.ts';
import { REG_F, REG_FCSR, REG_PC, REG_X } from './registers.ts';
import { encodeSiginfoInto, SIGINFO_BYTES } from './structs.ts';
import { getU64, highWord, lowWord, setU64, unsigned64 } from './words.ts';

/**
 * struct rt_sigframe of riscv64 (6.18, arch/riscv/kernel/signal.c and uapi/asm/{ucontext,sigcontext}.h), without the vector
 * extension:
 *
 *      0 siginfo_t                     128
 *    128 uc_flags, uc_link             16
 *    144 uc_stack (ss_sp, flags, size) 24
 *    168 uc_sigmask                    8, and 120 bytes reserved, 8 of padding
 *    304 sc_regs: pc, ra, sp ... t6    256
 *    560 f0..f31                       256
 *    816 fcsr                          4; the union goes on to 1088
 *   1076 reserved, END header          12
 */
export const FRAME_BYTES = 1088;
const UC = SIGINFO_BYTES;
const UC_STACK = UC + 16;
const UC_SIGMASK = UC + 40;
export const SC_REGS = 304;
const SC_FP = 560;
const SC_FCSR = 816;
const SC_EXTRA = 1076;

/** Parts of a frame on their way; no state. */
const head = new Uint8Array(UC_SIGMASK + 8);
const headView = new DataView(head.buffer);
const context = new Uint8Array(FRAME_BYTES - SC_REGS);
const contextWords = new Uint32Array(context.buffer);
/** What is written of it: behind fcsr the union keeps what the stack held. */
const writtenContext = context.subarray(0, SC_FCSR + 4 - SC_REGS);
const ZEROES = new Uint8Array(FRAME_BYTES - SC_EXTRA);

const X_RA = 1;
const X_SP = 2;
const X_A0 = 10;

/** setup_rt_frame: reserved bytes of the frame keep what the stack held. */
export function pushSignalFrame(registers: Uint32Array, memory: UserMemory, frame: SignalFrame): boolean {
  const address = Math.floor((frame.top - FRAME_BYTES) / 16) * 16;
  if (address < 0 || (frame.floor !== 0 && address < frame.floor)) return false;
  head.fill(0);
  encodeSiginfoInto(headView, frame.info);
  const view = headView;
  setU64(view, UC_STACK, frame.stack.address);
  view.setUint32(UC_STACK + 8, frame.stack.flags >>> 0, true);
  setU64(view, UC_STACK + 16, frame.stack.sizeBytes);
  view.setUint32(UC_SIGMASK, frame.maskLow, true);
  view.setUint32(UC_SIGMASK + 4, frame.maskHigh, true);

  const words = contextWords;
  words[0] = registers[REG_PC];
  words[1] = registers[REG_PC + 1];
  for (let i = 2; i < 64; i++) words[i] = registers[REG_X + i];
  for (let i = 0; i < 64; i++) words[(SC_FP - SC_REGS) / 4 + i] = registers[REG_F + i];
  words[(SC_FCSR - SC_REGS) / 4] = registers[REG_FCSR] & 0xff;

  if (!memory.write(address, head)) return false;
  if (!memory.write(address + SC_REGS, writtenContext)) return false;
  if (!memory.write(address + SC_EXTRA, ZEROES)) return false;

  setX(registers, X_RA, frame.sigreturn);
  setX(registers, X_SP, address);
  setX(registers, X_A0, frame.info.signo);
  setX(registers, X_A0 + 1, address);
  setX(registers, X_A0 + 2, address + UC);
  registers[REG_PC] = lowWord(frame.action.handler);
  registers[REG_PC + 1] = highWord(frame.action.handler);
  return true;
}

/** sys_rt_sigreturn: the registers change only if the whole frame can be read and its reserved word is zero. */
export function popSignalFrame(registers: Uint32Array, memory: UserMemory): PoppedFrame | null {
  const address = unsigned64(registers[REG_X + 2 * X_SP], registers[REG_X + 2 * X_SP + 1]);
  if (!memory.read(address, head) || !memory.read(address + SC_REGS, context)) return null;
  const words = contextWords;
  const extra = (SC_EXTRA - SC_REGS) / 4;
  if (words[extra] !== 0 || words[extra + 1] !== 0 || words[extra + 2] !== 0) return null;
  registers[REG_PC] = words[0] & ~1;
  registers[REG_PC + 1] = words[1];
  for (let i = 2; i < 64; i++) registers[REG_X + i] = words[i];
  for (let i = 0; i < 64; i++) registers[REG_F + i] = words[(SC_FP - SC_REGS) / 4 + i];
  registers[REG_FCSR] = words[(SC_FCSR - SC_REGS) / 4] & 0xff;
  const view = headView;
  return {
    maskLow: view.getUint32(UC_SIGMASK, true),
    maskHigh: view.getUint32(UC_SIGMASK + 4, true),
    stack: {
      address: getU64(view, UC_STACK),
      flags: view.getUint32(UC_STACK + 8, true),
      sizeBytes: getU64(view, UC_STACK + 16),
    },
  };
}

function setX(registers: Uint32Array, index: number, value: number): void {
  registers[REG_X + 2 * index] = lowWord(value);
  registers[REG_X + 2 * index + 1] = highWord(value);
}
