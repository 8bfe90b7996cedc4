import type { ElfFile } from './elf-file.ts';

/** The sections of an ELF file that DWARF is read from; those that are not there are empty. */
export interface DebugSections {
  readonly info: Uint8Array;
  readonly abbrev: Uint8Array;
  readonly str: Uint8Array;
  readonly lineStr: Uint8Array;
  readonly strOffsets: Uint8Array;
  readonly addr: Uint8Array;
  readonly ranges: Uint8Array;
  readonly rnglists: Uint8Array;
  readonly line: Uint8Array;
}

/** Unpacked where they are compressed. Split-out debug information (.gnu_debuglink, .dwo) is not looked for. */
export function debugSectionsOf(elf: ElfFile): DebugSections {
  return {
    info: elf.section('.debug_info'),
    abbrev: elf.section('.debug_abbrev'),
    str: elf.section('.debug_str'),
    lineStr: elf.section('.debug_line_str'),
    strOffsets: elf.section('.debug_str_offsets'),
    addr: elf.section('.debug_addr'),
    ranges: elf.section('.debug_ranges'),
    rnglists: elf.section('.debug_rnglists'),
    line: elf.section('.debug_line'),
  };
}
