import { ByteReader } from './byte-reader.ts';
import type { EntryReader } from './debug-entry.ts';
import type { DebugSections } from './debug-sections.ts';
import type { DebugUnit } from './debug-unit.ts';
import { DW_FORM_rnglistx } from './dwarf-constants.ts';

/** [start, end) */
export type AddressRange = readonly [start: number, end: number];

const DW_RLE_end_of_list = 0;
const DW_RLE_base_addressx = 1;
const DW_RLE_startx_endx = 2;
const DW_RLE_startx_length = 3;
const DW_RLE_offset_pair = 4;
const DW_RLE_base_address = 5;
const DW_RLE_start_end = 6;
const DW_RLE_start_length = 7;

/**
 * The code of an entry: its DW_AT_ranges, or low_pc to high_pc. Code that the linker threw away (at 0, or at the last addresses) is
 * left out.
 */
export function rangesOf(sections: DebugSections, unit: DebugUnit, entry: EntryReader): AddressRange[] {
  let ranges: AddressRange[] = [];
  if (entry.ranges >= 0) {
    ranges =
      unit.version >= 5
        ? readRnglist(sections, unit, rnglistOffset(sections, unit, entry))
        : readRanges(sections, unit, entry.ranges);
  } else if (entry.lowPc >= 0 && entry.highPc >= 0)
    ranges = [[entry.lowPc, entry.isHighPcLength ? entry.lowPc + entry.highPc : entry.highPc]];
  return ranges.filter(([start, end]) => start > 0 && end > start && end < 2 ** 63);
}

function rnglistOffset({ rnglists }: DebugSections, unit: DebugUnit, entry: EntryReader): number {
  if (entry.rangesForm !== DW_FORM_rnglistx) return entry.ranges;
  const at = unit.rnglistsBase + entry.ranges * unit.offsetBytes;
  return unit.rnglistsBase + new ByteReader(rnglists, at).unsigned(unit.offsetBytes);
}

/** .debug_ranges (DWARF 4, 2.17.3). */
function readRanges({ ranges }: DebugSections, unit: DebugUnit, offset: number): AddressRange[] {
  const reader = new ByteReader(ranges, offset);
  const isBase = (start: number): boolean => start >= (unit.addressBytes === 8 ? 2 ** 64 - 1 : 0xffffffff);
  const found: AddressRange[] = [];
  let base = unit.lowPc;
  while (!reader.isAtEnd) {
    const start = reader.unsigned(unit.addressBytes);
    const end = reader.unsigned(unit.addressBytes);
    if (start === 0 && end === 0) break;
    if (isBase(start)) base = end;
    else found.push([base + start, base + end]);
  }
  return found;
}

/** .debug_rnglists (DWARF 5, 7.25). */
function readRnglist(sections: DebugSections, unit: DebugUnit, offset: number): AddressRange[] {
  const reader = new ByteReader(sections.rnglists, offset);
  const address = (): number => reader.unsigned(unit.addressBytes);
  const indexed = (): number => addressAt(sections, unit, reader.uleb());
  const found: AddressRange[] = [];
  let base = unit.lowPc;
  while (!reader.isAtEnd) {
    const kind = reader.u8();
    let start: number;
    if (kind === DW_RLE_end_of_list || kind > DW_RLE_start_length) break;
    else if (kind === DW_RLE_base_addressx) base = indexed();
    else if (kind === DW_RLE_base_address) base = address();
    else if (kind === DW_RLE_startx_endx) found.push([indexed(), indexed()]);
    else if (kind === DW_RLE_offset_pair) found.push([base + reader.uleb(), base + reader.uleb()]);
    else if (kind === DW_RLE_start_end) found.push([address(), address()]);
    else {
      start = kind === DW_RLE_startx_length ? indexed() : address();
      found.push([start, start + reader.uleb()]);
    }
  }
  return found;
}

/** Entry `index` of the unit's part of .debug_addr. */
export function addressAt({ addr }: DebugSections, unit: DebugUnit, index: number): number {
  return new ByteReader(addr, unit.addrBase + index * unit.addressBytes).unsigned(unit.addressBytes);
}
