import { ByteReader } from './byte-reader.ts';

export const SHT_SYMTAB = 2;
export const SHT_NOBITS = 8;
export const SHT_DYNSYM = 11;
const SHF_COMPRESSED = 0x800;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_GNU_EH_FRAME = 0x6474e550;
const PF_X = 1;
const ELFCOMPRESS_ZLIB = 1;
const ELFCOMPRESS_ZSTD = 2;

/** Unpacks a compressed section; null where the host cannot (zstd in Node before 22.15), or the bytes are damaged. */
export type Decompress = (format: 'zlib' | 'zstd', bytes: Uint8Array, sizeBytes: number) => Uint8Array | null;

export interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly link: number;
}

export interface ElfSegment {
  readonly type: number;
  readonly isCode: boolean;
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
}

const NOTHING = new Uint8Array(0);

/**
 * Sections and segments of a little-endian ELF file of 32 or 64 bits (System V ABI, chapter 4). Of what is damaged it has less,
 * and it never throws: a file that is none has no sections and no segments.
 */
export class ElfFile {
  readonly bytes: Uint8Array;
  readonly is64: boolean;
  readonly sections: readonly ElfSection[];
  readonly segments: readonly ElfSegment[];
  private readonly decompress: Decompress;

  constructor(bytes: Uint8Array, decompress: Decompress = () => null) {
    this.bytes = bytes;
    this.decompress = decompress;
    const isElf = bytes.length >= 52 && new ByteReader(bytes).u32() === 0x464c457f && bytes[5] === 1;
    this.is64 = bytes[4] === 2;
    this.segments = isElf ? this.readSegments() : [];
    this.sections = isElf ? this.readSections() : [];
  }

  /** The bytes of the section of that name, unpacked where it is compressed; none where it is not there. */
  section(name: string): Uint8Array {
    const found = this.sections.find((each) => each.name === name);
    return found === undefined ? NOTHING : this.contentsOf(found);
  }

  contentsOf({ type, flags, offset, sizeBytes }: ElfSection): Uint8Array {
    if (type === SHT_NOBITS) return NOTHING;
    const raw = this.bytes.subarray(offset, offset + sizeBytes);
    if ((flags & SHF_COMPRESSED) === 0) return raw;
    const head = new ByteReader(raw);
    const kind = head.u32();
    if (this.is64) head.u32(); // reserved
    const unpackedBytes = this.is64 ? head.u64() : head.u32();
    const packed = raw.subarray(this.is64 ? 24 : 12);
    if (kind !== ELFCOMPRESS_ZLIB && kind !== ELFCOMPRESS_ZSTD) return NOTHING;
    return this.decompress(kind === ELFCOMPRESS_ZLIB ? 'zlib' : 'zstd', packed, unpackedBytes) ?? NOTHING;
  }

  /** The file's own virtual address of the byte at `offset`, by its loadable segments, those with code first; -1 where it is in none. */
  addressOf(offset: number): number {
    let found = -1;
    for (const { type, isCode, offset: start, address, fileBytes } of this.segments) {
      // A mapping is of whole pages, so bytes just before the segment in its first page belong to it too.
      if (type !== PT_LOAD || offset < start - (start % 4096) || offset >= start + fileBytes) continue;
      if (isCode) return address - start + offset;
      if (found === -1) found = address - start + offset;
    }
    return found;
  }

  /** Offset in the file of a virtual address of its own; -1 where no segment has it. */
  offsetOf(address: number): number {
    for (const each of this.segments)
      if (each.type === PT_LOAD && address >= each.address && address < each.address + each.fileBytes)
        return address - each.address + each.offset;
    return -1;
  }

  get dynamicSegment(): ElfSegment | null {
    return this.segments.find(({ type }) => type === PT_DYNAMIC) ?? null;
  }

  get ehFrameHeader(): ElfSegment | null {
    return this.segments.find(({ type }) => type === PT_GNU_EH_FRAME) ?? null;
  }

  private readSegments(): ElfSegment[] {
    const { bytes, is64 } = this;
    const tableAt = is64 ? new ByteReader(bytes, 32).u64() : new ByteReader(bytes, 28).u32();
    const counts = new ByteReader(bytes, is64 ? 54 : 42);
    const entryBytes = counts.u16();
    const count = counts.u16();
    const segments: ElfSegment[] = [];
    for (let i = 0; i < count && tableAt + (i + 1) * entryBytes <= bytes.length; i++) {
      const entry = new ByteReader(bytes, tableAt + i * entryBytes);
      const type = entry.u32();
      if (is64) {
        const isCode = (entry.u32() & PF_X) !== 0;
        const [offset, address, , fileBytes, memoryBytes] = Array.from({ length: 5 }, () => entry.u64());
        segments.push({ type, isCode, offset, address, fileBytes, memoryBytes });
      } else {
        const [offset, address, , fileBytes, memoryBytes, flags] = Array.from({ length: 6 }, () => entry.u32());
        segments.push({ type, isCode: (flags & PF_X) !== 0, offset, address, fileBytes, memoryBytes });
      }
    }
    return segments;
  }

  private readSections(): ElfSection[] {
    const { bytes, is64 } = this;
    const tableAt = is64 ? new ByteReader(bytes, 40).u64() : new ByteReader(bytes, 32).u32();
    const counts = new ByteReader(bytes, is64 ? 58 : 46);
    const entryBytes = counts.u16();
    const count = counts.u16();
    const namesIndex = counts.u16();
    const raw: (Omit<ElfSection, 'name'> & { nameAt: number })[] = [];
    if (tableAt === 0) return [];
    for (let i = 0; i < count && tableAt + (i + 1) * entryBytes <= bytes.length; i++) {
      const entry = new ByteReader(bytes, tableAt + i * entryBytes);
      const nameAt = entry.u32();
      const type = entry.u32();
      const word = (): number => (is64 ? entry.u64() : entry.u32());
      const flags = word();
      const address = word();
      const offset = word();
      const sizeBytes = word();
      raw.push({ nameAt, type, flags, address, offset, sizeBytes, link: entry.u32() });
    }
    const names = raw[namesIndex];
    return raw.map(({ nameAt, ...section }) => ({
      ...section,
      name: names === undefined ? '' : new ByteReader(bytes, names.offset + nameAt).string(),
    }));
  }
}
