import { elfFile } from '../setup/elf-file.ts';

/**
 * A riscv64 program that makes a list of system calls and exits. It keeps its place in s0 and uses no stack, so that a forked
 * child and a thread go on behind the call that made them.
 *
 *   0x10000  code                    r-x
 *   0x20000  table of calls          r--
 *   0x30000  data, four pages        rw-   (then nothing)
 */
export const CODE_AT = 0x10000;
export const TABLE_AT = 0x20000;
export const DATA_AT = 0x30000;
export const DATA_BYTES = 16384;
const PAGE = 4096;
const ENTRY_BYTES = 56;

export interface Call {
  readonly nr: number;
  /** Six arguments, each taken modulo 2^64. */
  readonly args: readonly bigint[];
}

const RA = 1;
const SP = 2;
const T0 = 5;
const S0 = 8;
const A0 = 10;
const A7 = 17;
const ECALL = 0x73;

const lui = (rd: number, page: number): number => ((page << 12) | (rd << 7) | 0x37) >>> 0;
const addi = (rd: number, rs: number, value: number): number =>
  (((value & 0xfff) << 20) | (rs << 15) | (rd << 7) | 0x13) >>> 0;
const ld = (rd: number, rs: number, offset: number): number =>
  ((offset << 20) | (rs << 15) | (3 << 12) | (rd << 7) | 0x03) >>> 0;
const beq = (rs1: number, rs2: number, bytes: number): number =>
  (((bytes >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | ((bytes & 0x1e) << 7) | 0x63) >>> 0;
/** jal x0, offset. */
const jump = (offset: number): number => {
  const bit = (from: number, width: number): number => (offset >> from) & ((1 << width) - 1);
  return ((bit(20, 1) << 31) | (bit(1, 10) << 21) | (bit(11, 1) << 20) | (bit(12, 8) << 12) | 0x6f) >>> 0;
};
const jr = (rs: number): number => ((rs << 15) | 0x67) >>> 0;

const LOOP = [
  lui(S0, TABLE_AT >> 12),
  addi(T0, 0, -1),
  // loop:
  ld(A7, S0, 0),
  beq(T0, A7, 40),
  ...[0, 1, 2, 3, 4, 5].map((i) => ld(A0 + i, S0, 8 + 8 * i)),
  addi(S0, S0, ENTRY_BYTES),
  ECALL,
  jump(-40),
  // end:
  addi(A0, 0, 0),
  addi(A7, 0, 94),
  ECALL,
];
/** Where signal handlers start: one that returns, one whose frame is not where sp says, one that goes on with the table. */
export const HANDLERS_AT = [
  CODE_AT + LOOP.length * 4,
  CODE_AT + LOOP.length * 4 + 4,
  CODE_AT + LOOP.length * 4 + 16,
  CODE_AT + LOOP.length * 4 + 18,
] as const;
const CODE = [...LOOP, jr(RA), addi(SP, SP, 8), addi(A7, 0, 139), ECALL, jump(8 - (LOOP.length + 4) * 4)];

/** The program as an ELF file. */
export function tableProgram(calls: readonly Call[], data: Uint8Array): Uint8Array {
  const code = new Uint8Array(Uint32Array.from(CODE).buffer);
  const table = new Uint8Array((calls.length + 1) * ENTRY_BYTES);
  const view = new DataView(table.buffer);
  for (const [i, call] of calls.entries()) {
    view.setBigUint64(i * ENTRY_BYTES, BigInt(call.nr), true);
    for (let a = 0; a < 6; a++)
      view.setBigUint64(i * ENTRY_BYTES + 8 + a * 8, BigInt.asUintN(64, call.args[a] ?? 0n), true);
  }
  view.setBigUint64(calls.length * ENTRY_BYTES, 2n ** 64n - 1n, true);
  const segment = (flags: number, address: number, lengthBytes: number, contents: Uint8Array) => ({
    flags,
    address,
    contents,
    fileBytes: lengthBytes,
    memoryBytes: lengthBytes,
  });
  return elfFile({
    segments: [
      segment(5, CODE_AT, PAGE, code),
      segment(4, TABLE_AT, Math.ceil(table.length / PAGE) * PAGE, table),
      segment(6, DATA_AT, DATA_BYTES, data.subarray(0, DATA_BYTES)),
    ],
  });
}
