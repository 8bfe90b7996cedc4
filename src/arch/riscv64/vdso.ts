import { EM_RISCV, ET_DYN, PF_R, PF_X, PT_DYNAMIC, PT_LOAD } from '../../abi/elf.ts';
import type { VdsoImage } from '../arch.ts';
import { SYSCALL_NUMBERS } from './syscall-numbers.ts';
import { setU64 } from './words.ts';

/**
 * The vdso: a shared object of one page with a dynamic symbol table (System V ABI, chapter 5). Its functions are those of
 * Linux's for riscv64; the clock functions make the system call, as Linux's do when the clock cannot be read from user mode
 * (virtual time is no counter that user mode may read). No symbol versions: glibc and musl then match by name.
 */
const PAGE = 4096;
const TEXT = 0x800;
const ECALL = 0x0000_0073;
const RET = 0x0000_8067;
/** addi a7, zero, n */
const loadA7 = (n: number): number => ((n << 20) | 0x893) >>> 0;

const FUNCTIONS = [
  ['__vdso_rt_sigreturn', 'rt_sigreturn'],
  ['__vdso_gettimeofday', 'gettimeofday'],
  ['__vdso_clock_gettime', 'clock_gettime'],
  ['__vdso_clock_getres', 'clock_getres'],
  ['__vdso_getcpu', 'getcpu'],
  ['__vdso_flush_icache', 'riscv_flush_icache'],
] as const;
const FUNCTION_BYTES = 16;
const SONAME = 'linux-vdso.so.1';
const STT_FUNC_GLOBAL = 0x12;
const TEXT_SECTION = 1;

export function buildVdsoImage(): VdsoImage {
  const bytes = new Uint8Array(PAGE);
  const view = new DataView(bytes.buffer);
  const symbols = 64 + 2 * 56;
  const symbolCount = FUNCTIONS.length + 1;
  const strings = symbols + symbolCount * 24;

  let stringEnd = strings + 1;
  const addString = (text: string): number => {
    const at = stringEnd - strings;
    for (let i = 0; i < text.length; i++) bytes[stringEnd + i] = text.charCodeAt(i);
    stringEnd += text.length + 1;
    return at;
  };
  FUNCTIONS.forEach(([symbol, call], i) => {
    const code = TEXT + i * FUNCTION_BYTES;
    view.setUint32(code, loadA7(SYSCALL_NUMBERS.get(call) as number), true);
    view.setUint32(code + 4, ECALL, true);
    view.setUint32(code + 8, RET, true);
    const entry = symbols + (i + 1) * 24;
    view.setUint32(entry, addString(symbol), true);
    bytes[entry + 4] = STT_FUNC_GLOBAL;
    view.setUint16(entry + 6, TEXT_SECTION, true);
    setU64(view, entry + 8, code);
    setU64(view, entry + 16, FUNCTION_BYTES);
  });
  const soname = addString(SONAME);

  // DT_HASH with one bucket: a chain of all symbols.
  const hash = Math.ceil(stringEnd / 8) * 8;
  view.setUint32(hash, 1, true);
  view.setUint32(hash + 4, symbolCount, true);
  view.setUint32(hash + 8, 1, true);
  for (let i = 1; i < symbolCount; i++) view.setUint32(hash + 12 + 4 * i, i + 1 < symbolCount ? i + 1 : 0, true);

  const dynamic = Math.ceil((hash + 12 + 4 * symbolCount) / 8) * 8;
  const entries = [
    [14, soname], // DT_SONAME
    [4, hash],
    [5, strings],
    [6, symbols],
    [10, stringEnd - strings],
    [11, 24],
    [0, 0],
  ];
  entries.forEach(([tag, value], i) => {
    setU64(view, dynamic + i * 16, tag);
    setU64(view, dynamic + i * 16 + 8, value);
  });

  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  view.setUint16(16, ET_DYN, true);
  view.setUint16(18, EM_RISCV, true);
  view.setUint32(20, 1, true);
  setU64(view, 24, TEXT);
  setU64(view, 32, 64);
  view.setUint32(48, 5, true); // EF_RISCV_RVC | EF_RISCV_FLOAT_ABI_DOUBLE
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  view.setUint16(58, 64, true);
  programHeader(view, 64, PT_LOAD, PF_R | PF_X, 0, PAGE, PAGE);
  programHeader(view, 120, PT_DYNAMIC, PF_R, dynamic, entries.length * 16, 8);
  return { bytes, sigreturnOffset: TEXT };
}

function programHeader(
  view: DataView,
  at: number,
  type: number,
  flags: number,
  offset: number,
  size: number,
  align: number,
): void {
  view.setUint32(at, type, true);
  view.setUint32(at + 4, flags, true);
  for (const field of [8, 16, 24]) setU64(view, at + field, offset);
  setU64(view, at + 32, size);
  setU64(view, at + 40, size);
  setU64(view, at + 48, align);
}
