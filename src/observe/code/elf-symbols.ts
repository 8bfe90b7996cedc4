import { ByteReader } from './byte-reader.ts';
import { type ElfFile, type ElfSection, SHT_DYNSYM, SHT_SYMTAB } from './elf-file.ts';

const SHF_EXECINSTR = 4;
const STT_NOTYPE = 0;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;
const DT_HASH = 4;
const DT_STRTAB = 5;
const DT_SYMTAB = 6;

export interface FunctionSymbol {
  readonly name: string;
  readonly start: number;
  /** 0: unknown; assembly routines often carry none, and reach to the next symbol. */
  readonly sizeBytes: number;
}

/**
 * Functions of an ELF file by address, from .symtab, or where it is stripped from .dynsym; where it has no section headers (the vdso)
 * from what PT_DYNAMIC points to. Source: System V ABI, "Symbol Table".
 */
export class FunctionSymbols {
  private readonly symbols: readonly FunctionSymbol[];

  constructor(elf: ElfFile) {
    const found: FunctionSymbol[] = [];
    for (const type of [SHT_SYMTAB, SHT_DYNSYM])
      for (const section of elf.sections)
        if (section.type === type && found.length === 0) readSection(elf, section, found);
    if (elf.sections.length === 0) readDynamic(elf, found);
    found.sort((a, b) => a.start - b.start || b.sizeBytes - a.sizeBytes || (a.name < b.name ? -1 : 1));
    this.symbols = found.filter((symbol, at) => at === 0 || found[at - 1].start !== symbol.start);
  }

  get length(): number {
    return this.symbols.length;
  }

  /** The function that holds the address (a virtual address of the file's own), or null. */
  find(address: number): FunctionSymbol | null {
    let low = 0;
    let high = this.symbols.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.symbols[middle].start <= address) low = middle + 1;
      else high = middle;
    }
    const symbol = this.symbols[low - 1];
    if (symbol === undefined) return null;
    return symbol.sizeBytes !== 0 && address >= symbol.start + symbol.sizeBytes ? null : symbol;
  }
}

function readSection(elf: ElfFile, section: ElfSection, into: FunctionSymbol[]): void {
  const strings = elf.sections[section.link];
  if (strings === undefined) return;
  const isCode = (index: number): boolean => ((elf.sections[index]?.flags ?? 0) & SHF_EXECINSTR) !== 0;
  readTable({ table: elf.contentsOf(section), strings: elf.contentsOf(strings), is64: elf.is64, isCode }, into);
}

interface SymbolTable {
  readonly table: Uint8Array;
  readonly strings: Uint8Array;
  readonly is64: boolean;
  /** Has the section of that index code? */
  readonly isCode: (section: number) => boolean;
}

function readTable({ table, strings, is64, isCode }: SymbolTable, into: FunctionSymbol[]): void {
  const entryBytes = is64 ? 24 : 16;
  for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
    const kind = table[at + (is64 ? 4 : 12)] & 15;
    if (kind !== STT_FUNC && kind !== STT_NOTYPE && kind !== STT_GNU_IFUNC) continue;
    const entry = new ByteReader(table, at);
    const nameAt = entry.u32();
    let start: number;
    let sizeBytes: number;
    entry.at = at + (is64 ? 6 : 14);
    const section = entry.u16();
    // Labels of data may stand at the address of a function.
    if (section === 0 || (kind === STT_NOTYPE && !isCode(section))) continue;
    entry.at = at + (is64 ? 8 : 4);
    if (is64) {
      start = entry.u64();
      sizeBytes = entry.u64();
    } else {
      start = entry.u32();
      sizeBytes = entry.u32();
    }
    const name = new ByteReader(strings, nameAt).string();
    // Mapping symbols ($x, $d) and local labels (.L1) name no function.
    if (name !== '' && !name.startsWith('$') && !name.startsWith('.L')) into.push({ name, start, sizeBytes });
  }
}

function readDynamic(elf: ElfFile, into: FunctionSymbol[]): void {
  const segment = elf.dynamicSegment;
  if (segment === null || !elf.is64) return;
  const reader = new ByteReader(elf.bytes, segment.offset);
  const values = new Map<number, number>();
  for (let left = segment.fileBytes / 16; left > 0; left--) {
    const tag = reader.u64();
    if (tag === 0) break;
    values.set(tag, reader.u64());
  }
  const [table, strings, hash] = [DT_SYMTAB, DT_STRTAB, DT_HASH].map((tag) => elf.offsetOf(values.get(tag) ?? -1));
  if (table < 0 || strings < 0 || hash < 0) return;
  const count = new ByteReader(elf.bytes, hash + 4).u32();
  const bytes = elf.bytes.subarray(table, table + count * 24);
  readTable({ table: bytes, strings: elf.bytes.subarray(strings), is64: true, isCode: () => true }, into);
}
