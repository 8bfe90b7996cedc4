const decoder = new TextDecoder();

/** Reads little-endian numbers, LEB128 and strings one after another. Behind the end of the bytes everything is 0. */
export class ByteReader {
  at: number;
  readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  u8(): number {
    return this.bytes[this.at++] ?? 0;
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    const { at } = this;
    this.at += 2;
    return at + 2 <= this.bytes.length ? this.view.getUint16(at, true) : 0;
  }

  u24(): number {
    return this.u16() + this.u8() * 0x1_0000;
  }

  u32(): number {
    const { at } = this;
    this.at += 4;
    return at + 4 <= this.bytes.length ? this.view.getUint32(at, true) : 0;
  }

  i32(): number {
    return this.u32() | 0;
  }

  /** Exact below 2^53, rounded above. */
  u64(): number {
    return this.u32() + this.u32() * 0x1_0000_0000;
  }

  /** Exact between -2^53 and 2^53. */
  i64(): number {
    const low = this.u32();
    return low + this.i32() * 0x1_0000_0000;
  }

  /** A number of so many bytes: 1, 2, 4 or 8. */
  unsigned(sizeBytes: number): number {
    if (sizeBytes === 8) return this.u64();
    if (sizeBytes === 4) return this.u32();
    return sizeBytes === 2 ? this.u16() : this.u8();
  }

  /** ULEB128; exact below 2^53. */
  uleb(): number {
    let byte = this.u8();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let scale = 128; byte >= 0x80 && !this.isAtEnd; scale *= 128) {
      byte = this.u8();
      value += (byte & 0x7f) * scale;
    }
    return value;
  }

  /** SLEB128; exact between -2^53 and 2^53. */
  sleb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      if (byte >= 0x80 && !this.isAtEnd) value += (byte & 0x7f) * scale;
      else return value + ((byte & 0x40) !== 0 ? (byte & 0x7f) - 0x80 : byte & 0x7f) * scale;
    }
  }

  /** Up to a zero byte, which is passed over. */
  string(): string {
    const start = this.at;
    this.skipString();
    return decoder.decode(this.bytes.subarray(start, this.at - 1));
  }

  skipString(): void {
    const end = this.bytes.indexOf(0, this.at);
    this.at = (end < 0 ? this.bytes.length : end) + 1;
  }
}
