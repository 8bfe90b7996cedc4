import { ByteReader } from './byte-reader.ts';
import type { ElfFile } from './elf-file.ts';

/** What the entries of a group of functions have in common (DWARF 5, 6.4.1; LSB 5.0, 10.6). */
export interface CommonInformation {
  readonly codeFactor: number;
  readonly dataFactor: number;
  /** The DWARF register (or column) that holds the return address. */
  readonly returnColumn: number;
  /** 'S': the code that a signal handler returns to. */
  readonly isSignalFrame: boolean;
  readonly addressEncoding: number;
  readonly hasAugmentationData: boolean;
  readonly instructions: Uint8Array;
}

/** How to unwind one function. */
export interface FrameDescription {
  readonly common: CommonInformation;
  /** Addresses of the file's own: [start, end). */
  readonly start: number;
  readonly end: number;
  readonly instructions: Uint8Array;
}

const DW_EH_PE_absptr = 0x00;
const DW_EH_PE_pcrel = 0x10;
const DW_EH_PE_indirect = 0x80;
const DW_EH_PE_omit = 0xff;

/** The frame descriptions of a file by address, from .eh_frame, and where that says nothing from .debug_frame. */
export class CallFrameInfo {
  private readonly descriptions: FrameDescription[] = [];

  constructor(elf: ElfFile) {
    const eh = ehFrameOf(elf);
    if (eh !== null) new FrameSection(eh.bytes, eh.address, 'eh', elf.is64).readInto(this.descriptions);
    const known = this.descriptions.length;
    this.descriptions.sort((a, b) => a.start - b.start);
    const debug = elf.section('.debug_frame');
    if (debug.length === 0) return;
    const more: FrameDescription[] = [];
    new FrameSection(debug, 0, 'debug', elf.is64).readInto(more);
    for (const each of more) if (known === 0 || this.find(each.start) === null) this.descriptions.push(each);
    this.descriptions.sort((a, b) => a.start - b.start);
  }

  get length(): number {
    return this.descriptions.length;
  }

  find(address: number): FrameDescription | null {
    let low = 0;
    let high = this.descriptions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.descriptions[middle].start <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.descriptions[low - 1];
    return found !== undefined && address < found.end ? found : null;
  }
}

/** By its section, or where the section headers are gone by the header that PT_GNU_EH_FRAME points to. */
function ehFrameOf(elf: ElfFile): { bytes: Uint8Array; address: number } | null {
  const section = elf.sections.find(({ name }) => name === '.eh_frame');
  if (section !== undefined) return { bytes: elf.contentsOf(section), address: section.address };
  const header = elf.ehFrameHeader;
  if (header === null) return null;
  const reader = new ByteReader(elf.bytes, header.offset + 1);
  const encoding = reader.u8();
  reader.at += 2;
  const address = readEncoded(reader, encoding, header.address - header.offset, elf.is64 ? 8 : 4);
  const offset = elf.offsetOf(address);
  return offset < 0 ? null : { bytes: elf.bytes.subarray(offset), address };
}

class FrameSection {
  private readonly bytes: Uint8Array;
  private readonly address: number;
  private readonly kind: 'eh' | 'debug';
  private readonly pointerBytes: number;
  private readonly commons = new Map<number, CommonInformation | null>();

  constructor(bytes: Uint8Array, address: number, kind: 'eh' | 'debug', is64: boolean) {
    this.bytes = bytes;
    this.address = address;
    this.kind = kind;
    this.pointerBytes = is64 ? 8 : 4;
  }

  readInto(descriptions: FrameDescription[]): void {
    const reader = new ByteReader(this.bytes);
    while (!reader.isAtEnd) {
      const entry = this.entryAt(reader.at);
      if (entry === null) return;
      reader.at = entry.end;
      if (entry.isCommon) continue;
      const common = this.commonAt(entry.commonAt);
      const description = common === null ? null : this.description(entry, common);
      if (description !== null && description.start > 0 && description.end > description.start)
        descriptions.push(description);
    }
  }

  /** Length and what it is; null at the terminator. */
  private entryAt(offset: number): { isCommon: boolean; commonAt: number; bodyAt: number; end: number } | null {
    const reader = new ByteReader(this.bytes, offset);
    let length = reader.u32();
    const is64 = length === 0xffffffff;
    if (is64) length = reader.u64();
    const end = reader.at + length;
    if (length === 0 || end > this.bytes.length) return null;
    const idAt = reader.at;
    const isWide = is64 && this.kind === 'debug';
    const id = isWide ? reader.u64() : reader.u32();
    const isCommon = this.kind === 'eh' ? id === 0 : id >= (isWide ? 2 ** 64 - 1 : 0xffffffff);
    return { isCommon, commonAt: this.kind === 'eh' ? idAt - id : id, bodyAt: reader.at, end };
  }

  private commonAt(offset: number): CommonInformation | null {
    let common = this.commons.get(offset);
    if (common === undefined) {
      const entry = offset < 0 ? null : this.entryAt(offset);
      common = entry === null || !entry.isCommon ? null : this.readCommon(entry.bodyAt, entry.end);
      this.commons.set(offset, common);
    }
    return common;
  }

  private readCommon(at: number, end: number): CommonInformation {
    const reader = new ByteReader(this.bytes, at);
    const version = reader.u8();
    const augmentation = reader.string();
    if (version >= 4) reader.at += 2; // address size, segment size
    const codeFactor = reader.uleb();
    const dataFactor = reader.sleb();
    const returnColumn = version === 1 ? reader.u8() : reader.uleb();
    let addressEncoding = DW_EH_PE_absptr;
    if (augmentation.startsWith('z')) {
      const length = reader.uleb();
      const next = reader.at + length;
      for (const letter of augmentation.slice(1)) {
        if (letter === 'R') addressEncoding = reader.u8();
        else if (letter === 'L') reader.u8();
        else if (letter === 'P') readEncoded(reader, reader.u8(), this.address, this.pointerBytes);
      }
      reader.at = next;
    }
    return {
      codeFactor,
      dataFactor,
      returnColumn,
      isSignalFrame: augmentation.includes('S'),
      addressEncoding,
      hasAugmentationData: augmentation.startsWith('z'),
      instructions: this.bytes.subarray(reader.at, end),
    };
  }

  private description({ bodyAt, end }: { bodyAt: number; end: number }, common: CommonInformation): FrameDescription {
    const reader = new ByteReader(this.bytes, bodyAt);
    const start = readEncoded(reader, common.addressEncoding, this.address, this.pointerBytes);
    const length = readEncoded(reader, common.addressEncoding & 0x0f, 0, this.pointerBytes);
    if (common.hasAugmentationData) {
      const dataBytes = reader.uleb();
      reader.at += dataBytes;
    }
    return { common, start, end: start + length, instructions: this.bytes.subarray(reader.at, end) };
  }
}

/** A pointer as .eh_frame writes it; `base`: address of the reader's byte 0. Indirect ones are not followed: only personalities are. */
function readEncoded(reader: ByteReader, encoding: number, base: number, pointerBytes: number): number {
  if (encoding === DW_EH_PE_omit) return 0;
  const from = (encoding & 0x70) === DW_EH_PE_pcrel ? base + reader.at : 0;
  const value = readFormat(reader, encoding & 0x0f, pointerBytes);
  return (encoding & DW_EH_PE_indirect) !== 0 || value === 0 ? value : value + from;
}

function readFormat(reader: ByteReader, format: number, pointerBytes: number): number {
  switch (format) {
    case 0x01:
      return reader.uleb();
    case 0x02:
      return reader.u16();
    case 0x03:
      return reader.u32();
    case 0x04:
      return reader.u64();
    case 0x09:
      return reader.sleb();
    case 0x0a:
      return (reader.u16() << 16) >> 16;
    case 0x0b:
      return reader.i32();
    case 0x0c:
      return reader.i64();
    default:
      return reader.unsigned(pointerBytes);
  }
}
