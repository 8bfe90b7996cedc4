import { type Abbreviation, readAbbreviations } from './abbreviations.ts';
import { ByteReader } from './byte-reader.ts';
import { EntryReader } from './debug-entry.ts';
import { type AddressRange, rangesOf } from './debug-ranges.ts';
import type { DebugSections } from './debug-sections.ts';
import { DW_UT_skeleton, DW_UT_split_compile, DW_UT_split_type, DW_UT_type } from './dwarf-constants.ts';

/** A unit of .debug_info: its header (DWARF 5, 7.5.1), and what its first entry says for all others. */
export interface DebugUnit {
  /** In .debug_info, of the header; references between its entries count from here. */
  readonly offset: number;
  readonly end: number;
  readonly firstEntryAt: number;
  readonly version: number;
  readonly addressBytes: number;
  /** 4, or 8 in the 64-bit format. */
  readonly offsetBytes: 4 | 8;
  readonly abbreviations: ReadonlyMap<number, Abbreviation>;
  lowPc: number;
  strOffsetsBase: number;
  addrBase: number;
  rnglistsBase: number;
  /** Of its line program; -1: it has none. */
  lineOffset: number;
  compDir: string;
  name: string;
  /** What code it has; empty where it does not say. */
  ranges: readonly AddressRange[];
}

/** The compilation units of a file in order. Ends where the section is damaged. */
export function readUnits(sections: DebugSections): DebugUnit[] {
  const units: DebugUnit[] = [];
  const tables = new Map<number, ReadonlyMap<number, Abbreviation>>();
  const { info } = sections;
  for (let offset = 0; offset + 11 < info.length; ) {
    const unit = readHeader(sections, offset, tables);
    if (unit === null || unit.end <= offset || unit.end > info.length) break;
    offset = unit.end;
    if (unit.version < 2 || unit.version > 5 || unit.firstEntryAt < 0) continue;
    readRoot(sections, unit);
    units.push(unit);
  }
  return units;
}

function readHeader(
  sections: DebugSections,
  offset: number,
  tables: Map<number, ReadonlyMap<number, Abbreviation>>,
): DebugUnit | null {
  const reader = new ByteReader(sections.info, offset);
  let length = reader.u32();
  const offsetBytes = length === 0xffffffff ? 8 : 4;
  if (offsetBytes === 8) length = reader.u64();
  const end = reader.at + length;
  const version = reader.u16();
  let isCode = true;
  let addressBytes: number;
  let abbrevAt: number;
  if (version >= 5) {
    const type = reader.u8();
    addressBytes = reader.u8();
    abbrevAt = reader.unsigned(offsetBytes);
    if (type === DW_UT_skeleton || type === DW_UT_split_compile) reader.at += 8;
    isCode = type !== DW_UT_type && type !== DW_UT_split_type;
  } else {
    abbrevAt = reader.unsigned(offsetBytes);
    addressBytes = reader.u8();
  }
  let abbreviations = tables.get(abbrevAt);
  if (abbreviations === undefined) {
    abbreviations = readAbbreviations(sections.abbrev, abbrevAt);
    tables.set(abbrevAt, abbreviations);
  }
  return {
    offset,
    end,
    firstEntryAt: isCode ? reader.at : -1,
    version,
    addressBytes,
    offsetBytes,
    abbreviations,
    lowPc: 0,
    // What a unit without the attribute means: right behind the header of the section's only contribution.
    strOffsetsBase: offsetBytes === 8 ? 16 : 8,
    addrBase: offsetBytes === 8 ? 16 : 8,
    rnglistsBase: 0,
    lineOffset: -1,
    compDir: '',
    name: '',
    ranges: [],
  };
}

function readRoot(sections: DebugSections, unit: DebugUnit): void {
  const entry = new EntryReader(sections, unit);
  // Twice: the bases that the first forms need may stand behind them.
  for (let pass = 0; pass < 2; pass++) {
    if (!entry.read(unit.firstEntryAt)) return;
    if (entry.strOffsetsBase >= 0) unit.strOffsetsBase = entry.strOffsetsBase;
    if (entry.addrBase >= 0) unit.addrBase = entry.addrBase;
    if (entry.rnglistsBase >= 0) unit.rnglistsBase = entry.rnglistsBase;
  }
  unit.lineOffset = entry.stmtList;
  unit.name = entry.nameText();
  unit.compDir = entry.compDirText();
  if (entry.lowPc >= 0) unit.lowPc = entry.lowPc;
  unit.ranges = rangesOf(sections, unit, entry);
}
