import { ByteReader } from './byte-reader.ts';
import { DW_FORM_implicit_const } from './dwarf-constants.ts';

/** How the entries of one code look: tag, and attributes with their forms (DWARF 5, 7.5.3). */
export interface Abbreviation {
  readonly tag: number;
  readonly hasChildren: boolean;
  /** name, form, value of DW_FORM_implicit_const (else 0); name, form ... */
  readonly attributes: readonly number[];
}

/** The table at `offset` of .debug_abbrev, by code. */
export function readAbbreviations(section: Uint8Array, offset: number): ReadonlyMap<number, Abbreviation> {
  const reader = new ByteReader(section, offset);
  const table = new Map<number, Abbreviation>();
  for (;;) {
    const code = reader.uleb();
    if (code === 0) return table;
    const tag = reader.uleb();
    const hasChildren = reader.u8() !== 0;
    const attributes: number[] = [];
    for (;;) {
      const name = reader.uleb();
      const form = reader.uleb();
      const implicit = form === DW_FORM_implicit_const ? reader.sleb() : 0;
      if ((name === 0 && form === 0) || reader.isAtEnd) break;
      attributes.push(name, form, implicit);
    }
    table.set(code, { tag, hasChildren, attributes });
  }
}
