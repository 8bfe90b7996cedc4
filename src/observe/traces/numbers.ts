/** 64-bit numbers in the text of a trace. `high` and `low` hold the last one that was read. */
export class NumberReader {
  high = 0;
  low = 0;

  /** Reads hexadecimal digits from `at`, with or without 0x; the position behind them, -1 if there are none or more than 64 bits of them. */
  hexadecimal(bytes: Uint8Array, at: number, end: number): number {
    const start = bytes[at] === 0x30 && at + 1 < end && (bytes[at + 1] | 0x20) === 0x78 ? at + 2 : at;
    let high = 0;
    let low = 0;
    let next = start;
    for (; next < end; next++) {
      const digit = DIGITS[bytes[next]];
      if (digit > 15) break;
      if (high > 0x0fffffff) return -1;
      high = ((high << 4) | (low >>> 28)) >>> 0;
      low = ((low << 4) | digit) >>> 0;
    }
    this.high = high;
    this.low = low;
    return next === start ? -1 : next;
  }

  /** The same for decimal digits. */
  decimal(bytes: Uint8Array, at: number, end: number): number {
    let value = 0;
    let next = at;
    // Fifteen digits are exact in a double.
    for (; next < end && next < at + 15; next++) {
      const digit = DIGITS[bytes[next]];
      if (digit > 9) break;
      value = value * 10 + digit;
    }
    this.high = Math.floor(value / 2 ** 32);
    this.low = value >>> 0;
    for (; next < end; next++) {
      const digit = DIGITS[bytes[next]];
      if (digit > 9) break;
      const low = this.low * 10 + digit;
      this.high = this.high * 10 + Math.floor(low / 2 ** 32);
      this.low = low >>> 0;
      if (this.high >= 2 ** 32) return -1;
    }
    return next === at ? -1 : next;
  }

  /** Decimal, or hexadecimal with 0x. */
  either(bytes: Uint8Array, at: number, end: number): number {
    const isHex = bytes[at] === 0x30 && at + 1 < end && (bytes[at + 1] | 0x20) === 0x78;
    return isHex ? this.hexadecimal(bytes, at, end) : this.decimal(bytes, at, end);
  }
}

/** Value of a digit by its character; 255: none. */
const DIGITS = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit++) {
  const text = digit.toString(16);
  DIGITS[text.charCodeAt(0)] = digit;
  DIGITS[text.toUpperCase().charCodeAt(0)] = digit;
}
