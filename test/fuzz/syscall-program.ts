/**
 * A riscv64 program that makes a list of system calls and exits: its code is a loop over a table of (number, six arguments).
 *
 *   0x10000  code                    r-x
 *   0x20000  table of calls          r--
 *   0x30000  two pages of data       rw-   (then nothing)
 */
export const TABLE_AT = 0x20000;
export const DATA_AT = 0x30000;
export const DATA_BYTES = 8192;
const CODE_AT = 0x10000;
const PAGE = 4096;
const ENTRY_BYTES = 56;

export interface Call {
  readonly nr: number;
  /** Six arguments, each taken modulo 2^64. */
  readonly args: readonly bigint[];
}

const S0 = 8;
const T0 = 5;
const A0 = 10;
const A7 = 17;

const lui = (rd: number, page: number): number => (page << 12) | (rd << 7) | 0x37;
const addi = (rd: number, rs: number, value: number): number => ((value & 0xfff) << 20) | (rs << 15) | (rd << 7) | 0x13;
const ld = (rd: number, rs: number, offset: number): number =>
  (offset << 20) | (rs << 15) | (3 << 12) | (rd << 7) | 0x03;
const ecall = 0x73;
/** Forward, by less than 2048 bytes. */
const beq = (rs1: number, rs2: number, bytes: number): number =>
  ((bytes >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | ((bytes & 0x1e) << 7) | 0x63;
/** jal x0 backward. */
const jumpBack = (bytes: number): number => {
  const offset = -bytes;
  const bit = (from: number, width: number): number => (offset >> from) & ((1 << width) - 1);
  return ((bit(20, 1) << 31) | (bit(1, 10) << 21) | (bit(11, 1) << 20) | (bit(12, 8) << 12) | 0x6f) >>> 0;
};

const CODE = [
  lui(S0, TABLE_AT >> 12),
  addi(T0, 0, -1),
  // loop:
  ld(A7, S0, 0),
  beq(T0, A7, 36 + 4),
  ...[0, 1, 2, 3, 4, 5].map((i) => ld(A0 + i, S0, 8 + 8 * i)),
  addi(S0, S0, ENTRY_BYTES),
  ecall,
  jumpBack(4 * 12 - 8),
  // end:
  addi(A0, 0, 0),
  addi(A7, 0, 94),
  ecall,
];

export function syscallProgram(calls: readonly Call[], data: Uint8Array): Uint8Array {
  const tableBytes = Math.ceil(((calls.length + 1) * ENTRY_BYTES) / PAGE) * PAGE;
  const segments = [
    { flags: 5, address: CODE_AT, bytes: PAGE },
    { flags: 4, address: TABLE_AT, bytes: tableBytes },
    { flags: 6, address: DATA_AT, bytes: DATA_BYTES },
  ];
  const file = new Uint8Array(PAGE + segments.reduce((sum, segment) => sum + segment.bytes, 0));
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, CODE_AT, true);
  view.setUint32(32, 64, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  let offset = PAGE;
  for (const [i, segment] of segments.entries()) {
    const at = 64 + i * 56;
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, segment.flags, true);
    view.setUint32(at + 8, offset, true);
    view.setUint32(at + 16, segment.address, true);
    view.setUint32(at + 24, segment.address, true);
    view.setUint32(at + 32, segment.bytes, true);
    view.setUint32(at + 40, segment.bytes, true);
    view.setUint32(at + 48, PAGE, true);
    offset += segment.bytes;
  }
  for (const [i, word] of CODE.entries()) view.setUint32(PAGE + i * 4, word, true);
  const table = PAGE * 2;
  for (const [i, call] of calls.entries()) {
    view.setBigUint64(table + i * ENTRY_BYTES, BigInt(call.nr), true);
    for (let a = 0; a < 6; a++)
      view.setBigUint64(table + i * ENTRY_BYTES + 8 + a * 8, BigInt.asUintN(64, call.args[a] ?? 0n), true);
  }
  view.setBigUint64(table + calls.length * ENTRY_BYTES, 2n ** 64n - 1n, true);
  file.set(data.subarray(0, DATA_BYTES), table + tableBytes);
  return file;
}
