import { ByteReader } from './byte-reader.ts';
import type { DebugSections } from './debug-sections.ts';
import type { DebugUnit } from './debug-unit.ts';
import * as dw from './dwarf-constants.ts';

const DW_LNS_copy = 1;
const DW_LNS_advance_pc = 2;
const DW_LNS_advance_line = 3;
const DW_LNS_set_file = 4;
const DW_LNS_const_add_pc = 8;
const DW_LNS_fixed_advance_pc = 9;
const DW_LNE_end_sequence = 1;
const DW_LNE_set_address = 2;
const DW_LNE_define_file = 3;
const DW_LNCT_path = 1;
const DW_LNCT_directory_index = 2;

interface Sequence {
  readonly start: number;
  readonly end: number;
  readonly firstRow: number;
  readonly rowCount: number;
}

interface Header {
  readonly version: number;
  readonly minimumInstructionBytes: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  readonly operandCounts: readonly number[];
  /** By the numbers that rows use. */
  readonly files: string[];
  readonly directories: readonly string[];
  readonly programAt: number;
  readonly end: number;
}

export interface SourceLine {
  /** Path as the compiler was given it, made absolute by the folder that it ran in. */
  readonly file: string;
  /** 0: code that no line stands for. */
  readonly line: number;
}

/** The rows of a line-number program, run once (DWARF 5, 6.2; 2 to 4 likewise). */
export class LineTable {
  private readonly header: Header;
  private readonly addresses: number[] = [];
  private readonly lines: number[] = [];
  private readonly fileNumbers: number[] = [];
  private readonly sequences: Sequence[] = [];

  constructor(sections: DebugSections, unit: DebugUnit) {
    this.header = readHeader(sections, unit);
    this.run(new ByteReader(sections.line, this.header.programAt));
    this.sequences.sort((a, b) => a.start - b.start);
  }

  /** Of the last row at or before the address in its sequence; null where no sequence has it. */
  find(address: number): SourceLine | null {
    let low = 0;
    let high = this.sequences.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sequences[middle].start <= address) low = middle + 1;
      else high = middle;
    }
    // Sequences of code that was thrown away may lie over others: look back.
    for (let at = low - 1; at >= 0; at--) {
      const sequence = this.sequences[at];
      if (address >= sequence.end) continue;
      const row = this.rowOf(sequence, address);
      return { file: this.fileName(this.fileNumbers[row]), line: this.lines[row] };
    }
    return null;
  }

  fileName(number: number): string {
    return this.header.files[number] ?? '';
  }

  private rowOf({ firstRow, rowCount }: Sequence, address: number): number {
    let low = firstRow;
    let high = firstRow + rowCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.addresses[middle] <= address) low = middle + 1;
      else high = middle;
    }
    return Math.max(low - 1, firstRow);
  }

  private run(reader: ByteReader): void {
    const { minimumInstructionBytes: unitBytes, lineBase, lineRange, opcodeBase, operandCounts, end } = this.header;
    let address = 0;
    let file = 1;
    let line = 1;
    let firstRow = 0;
    const emit = (): void => {
      this.addresses.push(address);
      this.lines.push(line);
      this.fileNumbers.push(file);
    };
    const advance = (operations: number): void => {
      address += operations * unitBytes;
    };
    while (reader.at < end) {
      const opcode = reader.u8();
      if (opcode >= opcodeBase) {
        advance(Math.floor((opcode - opcodeBase) / lineRange));
        line += lineBase + ((opcode - opcodeBase) % lineRange);
        emit();
        continue;
      }
      switch (opcode) {
        case 0: {
          const length = reader.uleb();
          const next = reader.at + length;
          const extended = reader.u8();
          if (extended === DW_LNE_end_sequence) {
            this.endSequence(firstRow, address);
            firstRow = this.addresses.length;
            address = 0;
            file = 1;
            line = 1;
          } else if (extended === DW_LNE_set_address) address = reader.unsigned(length - 1);
          else if (extended === DW_LNE_define_file) {
            const name = reader.string();
            this.header.files.push(join(this.header.directories[reader.uleb()] ?? '', name));
          }
          reader.at = next;
          break;
        }
        case DW_LNS_copy:
          emit();
          break;
        case DW_LNS_advance_pc:
          advance(reader.uleb());
          break;
        case DW_LNS_advance_line:
          line += reader.sleb();
          break;
        case DW_LNS_set_file:
          file = reader.uleb();
          break;
        case DW_LNS_const_add_pc:
          advance(Math.floor((255 - opcodeBase) / lineRange));
          break;
        case DW_LNS_fixed_advance_pc:
          address += reader.u16();
          break;
        default:
          // Columns, statements, blocks: nothing that an address's line needs.
          for (let i = 0; i < operandCounts[opcode]; i++) reader.uleb();
      }
    }
  }

  private endSequence(firstRow: number, end: number): void {
    const rowCount = this.addresses.length - firstRow;
    if (rowCount === 0) return;
    const start = this.addresses[firstRow];
    if (start > 0 && end > start) this.sequences.push({ start, end, firstRow, rowCount });
  }
}

function readHeader(sections: DebugSections, unit: DebugUnit): Header {
  const reader = new ByteReader(sections.line, unit.lineOffset);
  let length = reader.u32();
  const offsetBytes = length === 0xffffffff ? 8 : 4;
  if (offsetBytes === 8) length = reader.u64();
  const end = Math.min(reader.at + length, sections.line.length);
  const version = reader.u16();
  if (version >= 5) reader.at += 2; // address_size, segment_selector_size
  const headerBytes = reader.unsigned(offsetBytes);
  const programAt = reader.at + headerBytes;
  const minimumInstructionBytes = reader.u8();
  if (version >= 4) reader.u8(); // maximum_operations_per_instruction: 1, but on VLIW machines
  reader.u8(); // default_is_stmt
  const lineBase = reader.i8();
  const lineRange = Math.max(1, reader.u8());
  const opcodeBase = reader.u8();
  const operandCounts = [0];
  for (let i = 1; i < opcodeBase; i++) operandCounts.push(reader.u8());
  const names = version >= 5 ? readNames(reader, sections, unit, offsetBytes) : readOldNames(reader, unit);
  return {
    version,
    minimumInstructionBytes,
    lineBase,
    lineRange,
    opcodeBase,
    operandCounts,
    ...names,
    programAt,
    end: version >= 2 && version <= 5 ? end : 0,
  };
}

function readOldNames(reader: ByteReader, { compDir, name }: DebugUnit): { directories: string[]; files: string[] } {
  const directories = [compDir];
  const files = [join(compDir, name)];
  for (let text = reader.string(); text !== '' && !reader.isAtEnd; text = reader.string())
    directories.push(join(compDir, text));
  for (let text = reader.string(); text !== '' && !reader.isAtEnd; text = reader.string()) {
    files.push(join(directories[reader.uleb()] ?? '', text));
    reader.uleb(); // time
    reader.uleb(); // length
  }
  return { directories, files };
}

function readNames(
  reader: ByteReader,
  sections: DebugSections,
  unit: DebugUnit,
  offsetBytes: 4 | 8,
): { directories: string[]; files: string[] } {
  const directories = readEntries(reader, sections, offsetBytes).map(({ path }) => join(unit.compDir, path));
  const files = readEntries(reader, sections, offsetBytes).map(({ path, directory }) =>
    join(directories[directory] ?? '', path),
  );
  return { directories, files };
}

function readEntries(
  reader: ByteReader,
  sections: DebugSections,
  offsetBytes: 4 | 8,
): { path: string; directory: number }[] {
  const formats = Array.from({ length: reader.u8() }, () => ({ content: reader.uleb(), form: reader.uleb() }));
  const count = reader.uleb();
  const entries: { path: string; directory: number }[] = [];
  for (let i = 0; i < count && formats.length > 0 && !reader.isAtEnd; i++) {
    let path = '';
    let directory = 0;
    for (const { content, form } of formats) {
      const value = readValue(reader, sections, form, offsetBytes);
      if (content === DW_LNCT_path && typeof value === 'string') path = value;
      if (content === DW_LNCT_directory_index && typeof value === 'number') directory = value;
    }
    entries.push({ path, directory });
  }
  return entries;
}

function readValue(reader: ByteReader, sections: DebugSections, form: number, offsetBytes: 4 | 8): string | number {
  switch (form) {
    case dw.DW_FORM_string:
      return reader.string();
    case dw.DW_FORM_line_strp:
      return new ByteReader(sections.lineStr, reader.unsigned(offsetBytes)).string();
    case dw.DW_FORM_strp:
      return new ByteReader(sections.str, reader.unsigned(offsetBytes)).string();
    case dw.DW_FORM_udata:
      return reader.uleb();
    case dw.DW_FORM_data1:
      return reader.u8();
    case dw.DW_FORM_data2:
      return reader.u16();
    case dw.DW_FORM_data4:
      return reader.u32();
    case dw.DW_FORM_data8:
      return reader.u64();
    case dw.DW_FORM_data16:
      reader.at += 16; // an MD5 sum
      return 0;
    case dw.DW_FORM_block:
      reader.at += reader.uleb();
      return 0;
    default:
      reader.at = reader.bytes.length;
      return 0;
  }
}

/** `path` seen from `folder`, with `.` and `..` taken out. */
export function join(folder: string, path: string): string {
  const whole = path.startsWith('/') || folder === '' ? path : `${folder}/${path}`;
  const parts: string[] = [];
  for (const part of whole.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..' && parts.at(-1) !== '') parts.pop();
    else if (part !== '.' && (part !== '' || parts.length === 0)) parts.push(part);
  }
  return parts.join('/');
}
