/** A riscv64 ELF file written by hand, right or wrong as the test wants it: the one writer of all tests that need a small program. */
export interface ElfSegment {
  /** PF_X 1, PF_W 2, PF_R 4. */
  flags: number;
  address: number;
  /** Also the length of the segment's bytes in the file, which stand at the next multiple of 4096. */
  fileBytes: number;
  memoryBytes: number;
  /** What stands at the segment's start. Default `li a7, 93; li a0, 0; ecall`: exit(0). */
  contents?: Uint8Array;
  /** A lie about where in the file it stands. */
  offset?: number;
}

export interface ElfOptions {
  segments: readonly ElfSegment[];
  elfClass?: 1 | 2;
  interpreter?: string;
  /** Lies of the header. */
  headerCount?: number;
  headersAt?: number;
  entry?: number;
}

const EXIT_0 = new Uint8Array(Uint32Array.of(0x05d00893, 0x00000513, 0x00000073).buffer);

export function elfFile(options: ElfOptions): Uint8Array {
  const { segments } = options;
  const headers = segments.length + (options.interpreter === undefined ? 0 : 1);
  const headerBytes = 64 + headers * 56;
  let end = Math.ceil((headerBytes + 256) / 4096) * 4096;
  const offsets = segments.map((segment) => {
    const at = end;
    end += Math.ceil(Math.max(segment.fileBytes, segment.contents?.length ?? 0) / 4096) * 4096;
    return at;
  });
  const bytes = new Uint8Array(end);
  const view = new DataView(bytes.buffer);
  const word = (at: number, value: number) => view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, options.elfClass ?? 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  word(24, options.entry ?? segments[0]?.address ?? 0);
  word(32, options.headersAt ?? 64);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, options.headerCount ?? headers, true);
  let at = 64;
  if (options.interpreter !== undefined) {
    const text = new TextEncoder().encode(`${options.interpreter}\0`);
    bytes.set(text, headerBytes);
    view.setUint32(at, 3, true);
    view.setUint32(at + 4, 4, true);
    word(at + 8, headerBytes);
    word(at + 32, text.length);
    word(at + 40, text.length);
    at += 56;
  }
  segments.forEach((segment, i) => {
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, segment.flags, true);
    word(at + 8, segment.offset ?? offsets[i]);
    word(at + 16, segment.address);
    word(at + 24, segment.address);
    word(at + 32, segment.fileBytes);
    word(at + 40, segment.memoryBytes);
    word(at + 48, 4096);
    bytes.set(segment.contents ?? EXIT_0, offsets[i]);
    at += 56;
  });
  return bytes;
}
