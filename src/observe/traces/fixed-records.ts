/** Records of one length, in pieces of any length: keeps nothing but a record that goes on in the next piece. */
export class FixedRecords {
  readonly recordBytes: number;
  /** Whole ones so far. */
  count = 0;
  /** Bytes that are there of the next one. */
  begun = 0;
  private readonly kept: Uint8Array<ArrayBuffer>;

  constructor(recordBytes: number) {
    this.recordBytes = recordBytes;
    this.kept = new Uint8Array(recordBytes);
  }

  /** What of a record is there where the last piece ended; null: it ended with a whole one. */
  get cutOff(): string | null {
    const { count, begun, recordBytes } = this;
    return begun === 0 ? null : `record ${count + 1} is cut off: ${begun} of its ${recordBytes} bytes are there`;
  }

  /** `take` gets where each record stands. */
  push(bytes: Uint8Array, take: (view: DataView, at: number) => void): void {
    const { recordBytes } = this;
    let at = 0;
    if (this.begun > 0) {
      at = Math.min(recordBytes - this.begun, bytes.length);
      this.kept.set(bytes.subarray(0, at), this.begun);
      this.begun += at;
      if (this.begun < recordBytes) return;
      this.count++;
      this.begun = 0;
      take(new DataView(this.kept.buffer), 0);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; at + recordBytes <= bytes.length; at += recordBytes) {
      this.count++;
      take(view, at);
    }
    this.kept.set(bytes.subarray(at));
    this.begun = bytes.length - at;
  }
}
