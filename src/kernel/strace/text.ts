/** How strace 6.1 writes strings, flag words and numbers (its string_quote, printflags and PRINT_VAL_X). Pure functions. */

/** Bytes of a string that are shown before "..." (strace -s, default 32). */
export const STRING_LIMIT = 32;

/** A C string literal of `bytes`; octal escapes are as short as the next character allows. */
export function quoteBytes(bytes: Uint8Array): string {
  let out = '"';
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    const plain = escapeOf(byte);
    if (plain !== null) {
      out += plain;
      continue;
    }
    const next = i + 1 < bytes.length ? bytes[i + 1] : 0;
    const digitFollows = next >= 0x30 && next <= 0x39;
    out += `\\${byte.toString(8).padStart(digitFollows ? 3 : 1, '0')}`;
  }
  return `${out}"`;
}

function escapeOf(byte: number): string | null {
  switch (byte) {
    case 0x22:
      return '\\"';
    case 0x5c:
      return '\\\\';
    case 0x0c:
      return '\\f';
    case 0x0a:
      return '\\n';
    case 0x0d:
      return '\\r';
    case 0x09:
      return '\\t';
    case 0x0b:
      return '\\v';
    default:
      return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : null;
  }
}

/** The first STRING_LIMIT bytes of a buffer of `total` bytes, with strace's mark where it goes on. */
export function quoteLimited(shown: Uint8Array, total: number): string {
  return quoteBytes(shown) + (total > shown.length ? '...' : '');
}

export function hexBytes(bytes: Uint8Array): string {
  let out = '"';
  for (const byte of bytes) out += `\\x${byte.toString(16).padStart(2, '0')}`;
  return `${out}"`;
}

export function hex(value: number): string {
  if (value < 0) return hex(value + 2 ** 64);
  if (value >= 2 ** 64) return '0xffffffffffffffff';
  return value === 0 ? '0' : `0x${value.toString(16)}`;
}

export const pointer = (value: number): string => (value === 0 ? 'NULL' : hex(value));

/** %#03o. */
export const octal = (value: number): string => `0${(value & 0o7777).toString(8).padStart(2, '0')}`;

export type FlagTable = readonly (readonly [value: number, name: string])[];

/** Names of the set bits joined by "|"; what has no name is added as hexadecimal; `zero` stands for no bit at all. */
export function flagNames(value: number, table: FlagTable, zero = '0', unknown = ''): string {
  if (value === 0) return table.find(([bits]) => bits === 0)?.[1] ?? zero;
  const names: string[] = [];
  let rest = value;
  for (const [bits, name] of table) {
    if (bits !== 0 && hasBits(rest, bits)) {
      names.push(name);
      rest -= bits;
    }
  }
  if (rest !== 0) {
    names.push(hex(rest));
    if (names.length === 1 && unknown !== '') return `${hex(rest)} /* ${unknown} */`;
  }
  return names.join('|');
}

function hasBits(value: number, bits: number): boolean {
  const low = bits % 2 ** 32;
  const high = Math.floor(bits / 2 ** 32);
  const valueLow = (value % 2 ** 32) >>> 0;
  const valueHigh = Math.floor(value / 2 ** 32) >>> 0;
  return (valueLow & low) >>> 0 === low >>> 0 && (valueHigh & high) >>> 0 === high >>> 0;
}

/** The one name of a value of a closed set, or the value in hexadecimal with strace's remark. */
export function valueName(value: number, table: FlagTable, unknown: string): string {
  for (const [bits, name] of table) if (bits === value) return name;
  return `${hex(value)} /* ${unknown} */`;
}
