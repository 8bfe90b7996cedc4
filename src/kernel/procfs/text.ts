/** Decimal of an unsigned long: Infinity (RLIM_INFINITY) is the greatest. */
export function ulong(value: number): string {
  return value === Number.POSITIVE_INFINITY ? '18446744073709551615' : String(value);
}

/** USER_HZ clock ticks of a time (nsec_to_clock_t). */
export function ticks(ns: number): number {
  return Math.floor(ns / 10_000_000);
}

/** Hexadecimal of a set held as two 32-bit words, low first: 16 digits (render_sigset_t, render_cap_t). */
export function hexWords(low: number, high: number): string {
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0');
}

/** A name in a table of /proc: blanks, newlines and backslashes as octal (mangle_path, seq_escape). */
export function mangle(text: string, escaped: string): string {
  let out = '';
  for (const char of text) {
    out += escaped.includes(char) ? `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}` : char;
  }
  return out;
}
