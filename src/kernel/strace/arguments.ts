import { ACCESS_MODES, type AT_FLAGS, OPEN_FLAGS } from './file-flags.ts';
import { MAP_FLAGS, MAP_TYPES } from './memory-flags.ts';
import { signalName } from './signal-flags.ts';
import { modeText, type StructFormat } from './structs.ts';
import { type FlagTable, flagNames, hex, octal, pointer, quoteBytes, quoteLimited, valueName } from './text.ts';
import type { CallView } from './view.ts';

/**
 * How one argument is printed. `at: 'exit'` arguments are what the call fills in: strace prints them when it has returned.
 * A text of null leaves the argument out (a mode that openat does not read).
 */
export interface Argument {
  readonly at: 'enter' | 'exit';
  readonly print: (view: CallView, index: number) => string | null;
}

const enter = (print: Argument['print']): Argument => ({ at: 'enter', print });
const exit = (print: Argument['print']): Argument => ({ at: 'exit', print });

export const int = enter((view, i) => String(view.args[i]));
export const hexadecimal = enter((view, i) => hex(view.args[i]));
export const address = enter((view, i) => pointer(view.args[i]));
export const mode = enter((view, i) => octal(view.args[i]));
export const typedMode = enter((view, i) => modeText(view.args[i]));
export const signal = enter((view, i) => signalName(view.args[i]));
export const dirfd = enter((view, i) => (view.args[i] === -100 ? 'AT_FDCWD' : String(view.args[i])));

export const path = enter((view, i) => {
  const text = view.cstring(view.args[i], 4096);
  return text === null ? pointer(view.args[i]) : quoteBytes(text.bytes) + (text.more ? '...' : '');
});

/** A string that is no path is cut like data. */
export const text = enter((view, i) => {
  const got = view.cstring(view.args[i], 32);
  return got === null ? pointer(view.args[i]) : quoteBytes(got.bytes) + (got.more ? '...' : '');
});

export const flags = (table: FlagTable, zero = '0', unknown = ''): Argument =>
  enter((view, i) => flagNames(view.args[i] < 0 ? view.args[i] + 2 ** 32 : view.args[i], table, zero, unknown));

export const choice = (table: FlagTable, unknown: string): Argument =>
  enter((view, i) => valueName(view.args[i], table, unknown));

export const openFlagsText = (value: number): string => {
  const access = ACCESS_MODES[value & 3];
  const rest = value - (value & 3);
  return rest === 0 ? access : `${access}|${flagNames(rest, OPEN_FLAGS)}`;
};

export const openFlags = enter((view, i) => openFlagsText(view.args[i]));
export const openMode = enter((view, i) => {
  const creates = (view.args[i - 1] & 0o100) !== 0 || (view.args[i - 1] & 0o20200000) === 0o20200000;
  return creates ? octal(view.args[i]) : null;
});

export const mapFlags = enter((view, i) => {
  const value = view.args[i];
  const type = MAP_TYPES.find(([bits]) => bits === (value & 15))?.[1] ?? hex(value & 15);
  const rest = value - (value & 15);
  const order: FlagTable = [[0x20, 'MAP_ANONYMOUS'], ...MAP_FLAGS.filter(([bits]) => bits !== 0x20 && bits !== 0x10)];
  const names = rest === 0 ? '' : `|${flagNames(rest, [[0x10, 'MAP_FIXED'], ...order] as typeof AT_FLAGS)}`;
  return `${type}${names}`;
});

export const mapOffset = enter((view, i) => hex(view.args[i]));

/** Data that goes in: `lengthIndex` says which argument is its length. */
export const dataIn = (lengthIndex: number): Argument =>
  enter((view, i) => {
    const length = view.args[lengthIndex];
    const bytes = view.buffer(view.args[i], length);
    return bytes === null ? pointer(view.args[i]) : quoteLimited(bytes, length);
  });

/** Data that comes out: as much as the result says. */
export const dataOut = exit((view, i) => {
  if (view.failed) return pointer(view.args[i]);
  const bytes = view.buffer(view.args[i], view.result);
  return bytes === null ? pointer(view.args[i]) : quoteLimited(bytes, view.result);
});

export const structIn = (format: StructFormat): Argument => enter((view, i) => format(view, view.args[i]));
export const structOut = (format: StructFormat): Argument =>
  exit((view, i) => (view.failed ? pointer(view.args[i]) : format(view, view.args[i])));

export const printIn = enter;
export const printOut = exit;
