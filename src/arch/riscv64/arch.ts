import { EM_RISCV } from '../../abi/elf.ts';
import type { LayoutConstants } from '../../machine/address-layout.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { Arch } from '../arch.ts';
import { RISCV64_PAGING } from './address-layout.ts';
import { cpuinfo } from './cpuinfo.ts';
import { RISCV64_STRUCTS } from './file-structs.ts';
import { riscv64Calls } from './own-calls.ts';
import { REG_PC, REG_X, REGISTER_WORDS } from './registers.ts';
import { readRegset, writeRegset } from './regset.ts';
import { FRAME_BYTES, popSignalFrame, pushSignalFrame } from './signal-frame.ts';
import { decodeSigAction, decodeSiginfo, encodeSigAction, encodeSiginfo, SIGACTION_BYTES } from './structs.ts';
import { SYSCALL_NUMBERS } from './syscall-numbers.ts';
import { RISCV64_UNWINDING } from './unwinding.ts';
import { buildVdsoImage } from './vdso.ts';
import { highWord, signed64, unsigned64 } from './words.ts';

const X_SP = REG_X + 2 * 2;
const X_TP = REG_X + 2 * 4;
const X_A0 = REG_X + 2 * 10;
const X_A7 = REG_X + 2 * 17;
const ECALL_BYTES = 4;

/** COMPAT_HWCAP_ISA_{I,M,A,F,D,C}: one bit a letter. */
const HWCAP = [...'imafdc'].reduce((bits, letter) => bits | (1 << (letter.charCodeAt(0) - 97)), 0);

/** RV64GC Linux (with Sv39's calls: riscv64Arch gives those of another format): registers by the calling convention of arch/riscv/include/asm/syscall.h and ptrace.h. */
export const RISCV64_ARCH: Arch = {
  machine: 'riscv64',
  platform: null,
  elfMachine: EM_RISCV,
  elfClass: 2,
  wordBytes: 8,
  registerWords: REGISTER_WORDS,
  hwcap: HWCAP,
  minSigStackBytes: FRAME_BYTES,
  // ARCH_DLINFO: cache geometry, all zero where the device tree tells none.
  extraAuxv: [40, 41, 42, 43, 44, 45, 46, 47].map((type) => [type, 0] as const),
  cpuinfo,
  syscallNumbers: SYSCALL_NUMBERS,
  vdso: buildVdsoImage(RISCV64_PAGING.sv39.layout.taskSize * PAGE_SIZE),
  ownCalls: riscv64Calls(RISCV64_PAGING.sv39.layout.taskSize * PAGE_SIZE),
  structs: RISCV64_STRUCTS,
  unwinding: RISCV64_UNWINDING,

  pc: (registers) => unsigned64(registers[REG_PC], registers[REG_PC + 1]),
  setPc: (registers, pc) => setPair(registers, REG_PC, pc),
  sp: (registers) => unsigned64(registers[X_SP], registers[X_SP + 1]),
  setSp: (registers, sp) => setPair(registers, X_SP, sp),
  // The system-call table is indexed with all 64 bits: a set high word is no call.
  syscallNumber: (registers) => (registers[X_A7 + 1] === 0 ? registers[X_A7] : -1),
  argument(registers, index, width) {
    const low = registers[X_A0 + 2 * index];
    const high = registers[X_A0 + 2 * index + 1];
    switch (width) {
      case 'i32':
        return low | 0;
      case 'u32':
        return low;
      case 'i64':
        return signed64(low, high);
      default:
        return unsigned64(low, high);
    }
  },
  decodeArguments(registers, widths, into) {
    for (let i = 0; i < 6; i++) {
      const low = registers[X_A0 + 2 * i];
      const high = registers[X_A0 + 2 * i + 1];
      // Most are the same number in every width.
      if ((high | (low >> 31)) === 0) {
        into[i] = low;
        continue;
      }
      const width = widths[i];
      if (width === 'u64') into[i] = high === 0 ? low : unsigned64(low, high);
      else if (width === 'i32') into[i] = low | 0;
      else into[i] = width === 'u32' ? low : signed64(low, high);
    }
  },
  argumentBytes: (registers, index) => {
    const at = X_A0 + 2 * index;
    return new Uint8Array(Uint32Array.of(registers[at], registers[at + 1]).buffer);
  },
  auditArch: 0xc000_00f3,
  readRegset,
  writeRegset,
  firstArgumentLow: (registers) => registers[X_A0],
  firstArgumentHigh: (registers) => registers[X_A0 + 1],
  setResult: (registers, value) => setPair(registers, X_A0, value),
  stepOverSyscall(registers) {
    const low = registers[REG_PC] + ECALL_BYTES;
    registers[REG_PC] = low;
    if (low >= 2 ** 32) registers[REG_PC + 1]++;
  },
  rewindSyscall(registers, firstLow, firstHigh, number) {
    registers[X_A0] = firstLow;
    registers[X_A0 + 1] = firstHigh;
    if (number !== null) setPair(registers, X_A7, number);
    setPair(registers, REG_PC, RISCV64_ARCH.pc(registers) - ECALL_BYTES);
  },
  startThread(registers, entry, sp) {
    registers.fill(0);
    setPair(registers, REG_PC, entry);
    setPair(registers, X_SP, sp);
  },
  startChild(registers, stack, tls) {
    setPair(registers, X_A0, 0);
    if (stack !== 0) setPair(registers, X_SP, stack);
    if (tls !== null) setPair(registers, X_TP, tls);
  },
  cloneOrder: ['flags', 'stack', 'parentTid', 'tls', 'childTid'],

  encodeSiginfo,
  decodeSiginfo,
  sigActionBytes: SIGACTION_BYTES,
  encodeSigAction,
  decodeSigAction,
  pushSignalFrame,
  popSignalFrame,
};

/** The same for a machine with another page-table format. */
export function riscv64Arch(layout: LayoutConstants): Arch {
  const taskBytes = layout.taskSize * PAGE_SIZE;
  return { ...RISCV64_ARCH, ownCalls: riscv64Calls(taskBytes), vdso: buildVdsoImage(taskBytes) };
}

function setPair(registers: Uint32Array, at: number, value: number): void {
  const small = value | 0;
  registers[at] = small;
  if (small === value) registers[at + 1] = small >> 31;
  else registers[at + 1] = highWord(value);
}
