const encoder = new TextEncoder();

/** Writes protobuf messages field by field (protobuf.dev, "Encoding"). Numbers are whole, 0 to 2^53. */
export class ProtobufWriter {
  private bytes = new Uint8Array(256);
  private length = 0;

  /** A varint field: int64, uint64, bool. What is 0 is left out. */
  number(field: number, value: number): this {
    if (value === 0) return this;
    this.varint(field * 8);
    this.varint(value);
    return this;
  }

  /** Of a oneof, or of what has another default: 0 is written too. */
  numberAlways(field: number, value: number): this {
    this.varint(field * 8);
    this.varint(value);
    return this;
  }

  /** Eight bytes, little-endian. */
  fixed64(field: number, value: number): this {
    this.varint(field * 8 + 1);
    this.reserve(8);
    const view = new DataView(this.bytes.buffer, this.length, 8);
    view.setUint32(0, value >>> 0, true);
    view.setUint32(4, Math.floor(value / 2 ** 32), true);
    this.length += 8;
    return this;
  }

  text(field: number, value: string): this {
    return this.raw(field, encoder.encode(value));
  }

  message(field: number, value: ProtobufWriter): this {
    return this.raw(field, value.finish());
  }

  /** A packed repeated field of varints. */
  packed(field: number, values: readonly number[]): this {
    const packed = new ProtobufWriter();
    for (const value of values) packed.varint(value);
    return this.raw(field, packed.finish());
  }

  raw(field: number, value: Uint8Array): this {
    this.varint(field * 8 + 2);
    this.varint(value.length);
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
    return this;
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private varint(value: number): void {
    this.reserve(10);
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.length++] = rest;
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}
