/**
 * Function symbols of an ELF file, for names in traces. Reads the file's bytes only; a damaged table gives fewer symbols, never
 * an error. Source: System V ABI, "Symbol Table". Both 32-bit and 64-bit little-endian files.
 */
export class SymbolTable {
  private readonly starts: number[] = [];
  private readonly sizes: number[] = [];
  private readonly names: string[] = [];
  private readonly segments: readonly Segment[];

  constructor(file: Uint8Array) {
    const elf = new ElfReader(file);
    this.segments = elf.segments();
    const found: { start: number; size: number; name: string }[] = [];
    for (const section of elf.sections()) {
      if (section.type === SHT_SYMTAB || (section.type === SHT_DYNSYM && found.length === 0))
        elf.readFunctions(section, found);
    }
    found.sort((a, b) => a.start - b.start || b.size - a.size || (a.name < b.name ? -1 : 1));
    for (const symbol of found) {
      if (this.starts.at(-1) === symbol.start) continue;
      this.starts.push(symbol.start);
      this.sizes.push(symbol.size);
      this.names.push(symbol.name);
    }
  }

  /** The file's own virtual address of the byte at `offset`, by its loadable segments; -1 where it is in none. */
  toFileAddress(offset: number): number {
    for (const segment of this.segments) {
      // A mapping is of whole pages, so bytes just before the segment in its first page belong to it too.
      const start = segment.offset - (segment.offset % 4096);
      if (offset >= start && offset < segment.offset + segment.size) return segment.address - segment.offset + offset;
    }
    return -1;
  }

  /** `name+0xoffset` of the function that holds the address (a file's own virtual address), or null. */
  find(address: number): string | null {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.starts[middle] <= address) low = middle + 1;
      else high = middle;
    }
    const at = low - 1;
    if (at < 0) return null;
    const offset = address - this.starts[at];
    // Assembly routines often carry no size; they reach to the next symbol.
    if (this.sizes[at] !== 0 && offset >= this.sizes[at]) return null;
    return `${this.names[at]}+0x${offset.toString(16)}`;
  }
}

const PT_LOAD = 1;
const PF_X = 1;
const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const STT_NOTYPE = 0;
const STT_FUNC = 2;

interface Segment {
  offset: number;
  size: number;
  address: number;
}

interface Section {
  type: number;
  offset: number;
  size: number;
  link: number;
}

class ElfReader {
  readonly type: number = 0;
  private readonly view: DataView;
  private readonly bytes: Uint8Array;
  private readonly is64: boolean = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isElf = bytes.length >= 52 && this.view.getUint32(0, false) === 0x7f454c46 && bytes[5] === 1;
    if (!isElf) return;
    this.is64 = bytes[4] === 2;
    this.type = this.view.getUint16(16, true);
  }

  /** Loadable segments, those with code first. */
  segments(): Segment[] {
    if (this.type === 0) return [];
    const tableAt = this.is64 ? this.word(32) : this.u32(28);
    const entryBytes = this.u16(this.is64 ? 54 : 42);
    const count = this.u16(this.is64 ? 56 : 44);
    const code: Segment[] = [];
    const data: Segment[] = [];
    for (let i = 0; i < count; i++) {
      const at = tableAt + i * entryBytes;
      if (at + (this.is64 ? 56 : 32) > this.bytes.length) break;
      if (this.u32(at) !== PT_LOAD) continue;
      const isCode = (this.u32(at + (this.is64 ? 4 : 24)) & PF_X) !== 0;
      (isCode ? code : data).push(
        this.is64
          ? { offset: this.word(at + 8), address: this.word(at + 16), size: this.word(at + 32) }
          : { offset: this.u32(at + 4), address: this.u32(at + 8), size: this.u32(at + 16) },
      );
    }
    return [...code, ...data];
  }

  sections(): Section[] {
    if (this.type === 0) return [];
    const tableAt = this.is64 ? this.word(40) : this.u32(32);
    const entryBytes = this.u16(this.is64 ? 58 : 46);
    const count = this.u16(this.is64 ? 60 : 48);
    const sections: Section[] = [];
    for (let i = 0; i < count; i++) {
      const at = tableAt + i * entryBytes;
      if (at + (this.is64 ? 64 : 40) > this.bytes.length) break;
      sections.push(
        this.is64
          ? { type: this.u32(at + 4), offset: this.word(at + 24), size: this.word(at + 32), link: this.u32(at + 40) }
          : { type: this.u32(at + 4), offset: this.u32(at + 16), size: this.u32(at + 20), link: this.u32(at + 24) },
      );
    }
    return sections;
  }

  readFunctions(section: Section, into: { start: number; size: number; name: string }[]): void {
    const strings = this.sections()[section.link];
    if (strings === undefined) return;
    const entryBytes = this.is64 ? 24 : 16;
    const end = Math.min(section.offset + section.size, this.bytes.length);
    for (let at = section.offset; at + entryBytes <= end; at += entryBytes) {
      const kind = this.bytes[at + (this.is64 ? 4 : 12)] & 15;
      const isDefined = this.u16(at + (this.is64 ? 6 : 14)) !== 0;
      if (!isDefined || (kind !== STT_FUNC && kind !== STT_NOTYPE)) continue;
      const name = this.string(strings.offset + this.u32(at));
      // Mapping symbols ($x, $d) and local labels (.L1) name no function.
      if (name === '' || name.startsWith('$') || name.startsWith('.L')) continue;
      into.push({
        start: this.is64 ? this.word(at + 8) : this.u32(at + 4),
        size: this.is64 ? this.word(at + 16) : this.u32(at + 8),
        name,
      });
    }
  }

  private u16(at: number): number {
    return this.view.getUint16(at, true);
  }

  private u32(at: number): number {
    return this.view.getUint32(at, true);
  }

  private word(at: number): number {
    return this.u32(at) + this.u32(at + 4) * 0x1_0000_0000;
  }

  private string(at: number): string {
    let end = at;
    while (end < this.bytes.length && this.bytes[end] !== 0) end++;
    return String.fromCharCode(...this.bytes.subarray(at, Math.min(end, at + 512)));
  }
}
