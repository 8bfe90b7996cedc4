import { ByteReader } from './byte-reader.ts';
import { addressAt } from './debug-ranges.ts';
import type { DebugSections } from './debug-sections.ts';
import type { DebugUnit } from './debug-unit.ts';
import * as dw from './dwarf-constants.ts';

/** Reads debugging information entries of one unit, one at a time: the attributes that code addresses need. -1: it has none such. */
export class EntryReader {
  tag = 0;
  hasChildren = false;
  /** Offset behind the entry that was read. */
  end = 0;
  sibling = -1;
  lowPc = -1;
  highPc = -1;
  isHighPcLength = false;
  ranges = -1;
  rangesForm = 0;
  stmtList = -1;
  /** Offsets in .debug_info. */
  abstractOrigin = -1;
  specification = -1;
  callFile = -1;
  callLine = -1;
  strOffsetsBase = -1;
  addrBase = -1;
  rnglistsBase = -1;
  private nameForm = 0;
  private nameAt = -1;
  private compDirForm = 0;
  private compDirAt = -1;
  private readonly sections: DebugSections;
  private readonly unit: DebugUnit;
  private readonly reader: ByteReader;

  constructor(sections: DebugSections, unit: DebugUnit) {
    this.sections = sections;
    this.unit = unit;
    this.reader = new ByteReader(sections.info);
  }

  /** false: no entry, but the end of a list of children, or of the unit. */
  read(offset: number): boolean {
    const { reader, unit } = this;
    reader.at = offset;
    this.forget();
    const code = offset < unit.end ? reader.uleb() : 0;
    const abbreviation = code === 0 ? undefined : unit.abbreviations.get(code);
    if (abbreviation === undefined) {
      // A code that nobody declared: nothing behind it can be read either.
      this.end = code === 0 ? reader.at : unit.end;
      return false;
    }
    this.tag = abbreviation.tag;
    this.hasChildren = abbreviation.hasChildren;
    const { attributes } = abbreviation;
    for (let i = 0; i < attributes.length; i += 3) this.attribute(attributes[i], attributes[i + 1], attributes[i + 2]);
    this.end = reader.at;
    return true;
  }

  nameText(): string {
    return this.nameAt < 0 ? '' : this.text(this.nameForm, this.nameAt);
  }

  compDirText(): string {
    return this.compDirAt < 0 ? '' : this.text(this.compDirForm, this.compDirAt);
  }

  private forget(): void {
    this.sibling = this.lowPc = this.highPc = this.ranges = this.stmtList = -1;
    this.abstractOrigin = this.specification = this.callFile = this.callLine = -1;
    this.strOffsetsBase = this.addrBase = this.rnglistsBase = this.nameAt = this.compDirAt = -1;
  }

  private attribute(name: number, form: number, implicit: number): void {
    switch (name) {
      case dw.DW_AT_sibling:
        this.sibling = this.value(form, implicit);
        break;
      case dw.DW_AT_name:
        this.nameForm = form;
        this.nameAt = this.reader.at;
        this.value(form, implicit);
        break;
      case dw.DW_AT_comp_dir:
        this.compDirForm = form;
        this.compDirAt = this.reader.at;
        this.value(form, implicit);
        break;
      case dw.DW_AT_low_pc:
        this.lowPc = this.value(form, implicit);
        break;
      case dw.DW_AT_high_pc:
        this.highPc = this.value(form, implicit);
        this.isHighPcLength = !isAddressForm(form);
        break;
      case dw.DW_AT_ranges:
        this.ranges = this.value(form, implicit);
        this.rangesForm = form;
        break;
      case dw.DW_AT_stmt_list:
        this.stmtList = this.value(form, implicit);
        break;
      case dw.DW_AT_abstract_origin:
        this.abstractOrigin = this.value(form, implicit);
        break;
      case dw.DW_AT_specification:
        this.specification = this.value(form, implicit);
        break;
      case dw.DW_AT_call_file:
        this.callFile = this.value(form, implicit);
        break;
      case dw.DW_AT_call_line:
        this.callLine = this.value(form, implicit);
        break;
      case dw.DW_AT_str_offsets_base:
        this.strOffsetsBase = this.value(form, implicit);
        break;
      case dw.DW_AT_addr_base:
        this.addrBase = this.value(form, implicit);
        break;
      case dw.DW_AT_rnglists_base:
        this.rnglistsBase = this.value(form, implicit);
        break;
      default:
        this.value(form, implicit);
    }
  }

  /** The number of a form, read or passed over: an address, a constant, an offset in .debug_info; of blocks and strings nothing that means anything. */
  private value(form: number, implicit: number): number {
    const { reader, unit } = this;
    switch (form) {
      case dw.DW_FORM_addr:
        return reader.unsigned(unit.addressBytes);
      case dw.DW_FORM_data1:
      case dw.DW_FORM_flag:
      case dw.DW_FORM_strx1:
        return reader.u8();
      case dw.DW_FORM_data2:
      case dw.DW_FORM_strx2:
        return reader.u16();
      case dw.DW_FORM_strx3:
        return reader.u24();
      case dw.DW_FORM_data4:
      case dw.DW_FORM_strx4:
        return reader.u32();
      case dw.DW_FORM_data8:
        return reader.u64();
      case dw.DW_FORM_addrx1:
        return addressAt(this.sections, unit, reader.u8());
      case dw.DW_FORM_addrx2:
        return addressAt(this.sections, unit, reader.u16());
      case dw.DW_FORM_addrx3:
        return addressAt(this.sections, unit, reader.u24());
      case dw.DW_FORM_addrx4:
        return addressAt(this.sections, unit, reader.u32());
      case dw.DW_FORM_addrx:
        return addressAt(this.sections, unit, reader.uleb());
      case dw.DW_FORM_ref1:
        return unit.offset + reader.u8();
      case dw.DW_FORM_ref2:
        return unit.offset + reader.u16();
      case dw.DW_FORM_ref4:
        return unit.offset + reader.u32();
      case dw.DW_FORM_ref8:
        return unit.offset + reader.u64();
      case dw.DW_FORM_ref_udata:
        return unit.offset + reader.uleb();
      case dw.DW_FORM_ref_addr:
        return reader.unsigned(unit.version === 2 ? unit.addressBytes : unit.offsetBytes);
      case dw.DW_FORM_sec_offset:
      case dw.DW_FORM_strp:
      case dw.DW_FORM_line_strp:
      case dw.DW_FORM_strp_sup:
      case dw.DW_FORM_GNU_ref_alt:
      case dw.DW_FORM_GNU_strp_alt:
        return reader.unsigned(unit.offsetBytes);
      case dw.DW_FORM_udata:
      case dw.DW_FORM_strx:
      case dw.DW_FORM_loclistx:
      case dw.DW_FORM_rnglistx:
        return reader.uleb();
      case dw.DW_FORM_sdata:
        return reader.sleb();
      case dw.DW_FORM_flag_present:
        return 1;
      case dw.DW_FORM_implicit_const:
        return implicit;
      case dw.DW_FORM_ref_sup4:
        return reader.u32();
      case dw.DW_FORM_ref_sig8:
      case dw.DW_FORM_ref_sup8:
        reader.at += 8;
        return -1;
      case dw.DW_FORM_indirect:
        return this.value(reader.uleb(), implicit);
      case dw.DW_FORM_string:
        reader.skipString();
        return -1;
      case dw.DW_FORM_data16:
        return this.skip(16);
      case dw.DW_FORM_block1:
        return this.skip(reader.u8());
      case dw.DW_FORM_block2:
        return this.skip(reader.u16());
      case dw.DW_FORM_block4:
        return this.skip(reader.u32());
      case dw.DW_FORM_block:
      case dw.DW_FORM_exprloc:
        return this.skip(reader.uleb());
      default:
        // Of a form that is not known the length is not known either.
        return this.skip(unit.end - reader.at);
    }
  }

  private skip(count: number): number {
    this.reader.at += count;
    return -1;
  }

  private text(form: number, at: number): string {
    const { sections, unit } = this;
    const reader = new ByteReader(sections.info, at);
    switch (form) {
      case dw.DW_FORM_string:
        return reader.string();
      case dw.DW_FORM_strp:
        return new ByteReader(sections.str, reader.unsigned(unit.offsetBytes)).string();
      case dw.DW_FORM_line_strp:
        return new ByteReader(sections.lineStr, reader.unsigned(unit.offsetBytes)).string();
      case dw.DW_FORM_strx:
        return this.indexedText(reader.uleb());
      case dw.DW_FORM_strx1:
        return this.indexedText(reader.u8());
      case dw.DW_FORM_strx2:
        return this.indexedText(reader.u16());
      case dw.DW_FORM_strx3:
        return this.indexedText(reader.u24());
      case dw.DW_FORM_strx4:
        return this.indexedText(reader.u32());
      default:
        return '';
    }
  }

  private indexedText(index: number): string {
    const { strOffsets, str } = this.sections;
    const { strOffsetsBase, offsetBytes } = this.unit;
    return new ByteReader(
      str,
      new ByteReader(strOffsets, strOffsetsBase + index * offsetBytes).unsigned(offsetBytes),
    ).string();
  }
}

function isAddressForm(form: number): boolean {
  return (
    form === dw.DW_FORM_addr || form === dw.DW_FORM_addrx || (form >= dw.DW_FORM_addrx1 && form <= dw.DW_FORM_addrx4)
  );
}
