import { EntryReader } from './debug-entry.ts';
import { type DebugSections, debugSectionsOf } from './debug-sections.ts';
import { type DebugUnit, readUnits } from './debug-unit.ts';
import type { ElfFile } from './elf-file.ts';
import { InlineTree } from './inline-tree.ts';
import { LineTable, type SourceLine } from './line-program.ts';

/** One function at an address; of several, each but the last is inlined in the next. */
export interface SourceFrame extends SourceLine {
  /** null: the debug information names none. */
  readonly functionName: string | null;
}

/** How far a chain of origins is followed: damaged files have circles. */
const MAX_ORIGINS = 16;

/** Source lines and inlined functions of an ELF file by its DWARF. Units are read when an address of theirs is asked for. */
export class DebugInfo {
  private readonly sections: DebugSections;
  private readonly units: readonly DebugUnit[];
  /** Ranges of the units, sorted by start. */
  private readonly ranges: { readonly start: number; readonly end: number; readonly unit: DebugUnit }[] = [];
  private readonly lineTables = new Map<DebugUnit, LineTable>();
  private readonly trees = new Map<DebugUnit, InlineTree>();
  private readonly names = new Map<number, string | null>();

  constructor(elf: ElfFile) {
    this.sections = debugSectionsOf(elf);
    this.units = readUnits(this.sections);
    for (const unit of this.units) for (const [start, end] of unit.ranges) this.ranges.push({ start, end, unit });
    this.ranges.sort((a, b) => a.start - b.start);
  }

  get isEmpty(): boolean {
    return this.units.length === 0;
  }

  /** Innermost first; empty where nothing is known of the address. */
  find(address: number): SourceFrame[] {
    const unit = this.unitAt(address);
    if (unit === null) return [];
    const table = this.lineTable(unit);
    const path = this.tree(unit).find(address);
    let place: SourceLine = table?.find(address) ?? { file: '', line: 0 };
    if (path.length === 0) return place.file === '' ? [] : [{ functionName: null, ...place }];
    const frames: SourceFrame[] = [];
    for (let at = path.length - 1; at >= 0; at--) {
      const { entry, callFile, callLine } = path[at];
      frames.push({ functionName: this.nameOf(entry), ...place });
      place = { file: table?.fileName(callFile) ?? '', line: callLine };
    }
    return frames;
  }

  private unitAt(address: number): DebugUnit | null {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ranges[middle].start <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.ranges[low - 1];
    return found !== undefined && address < found.end ? found.unit : null;
  }

  private lineTable(unit: DebugUnit): LineTable | null {
    if (unit.lineOffset < 0) return null;
    let table = this.lineTables.get(unit);
    if (table === undefined) {
      table = new LineTable(this.sections, unit);
      this.lineTables.set(unit, table);
    }
    return table;
  }

  private tree(unit: DebugUnit): InlineTree {
    let tree = this.trees.get(unit);
    if (tree === undefined) {
      tree = new InlineTree(this.sections, unit);
      this.trees.set(unit, tree);
    }
    return tree;
  }

  /** The name of an entry, or of what it is a copy of or completes; in another unit too. */
  private nameOf(offset: number): string | null {
    let name = this.names.get(offset);
    if (name === undefined) {
      name = this.readName(offset);
      this.names.set(offset, name);
    }
    return name;
  }

  private readName(offset: number): string | null {
    for (let left = MAX_ORIGINS, at = offset; left > 0 && at >= 0; left--) {
      const unit = this.units.find((each) => at >= each.offset && at < each.end);
      if (unit === undefined) return null;
      const entry = new EntryReader(this.sections, unit);
      if (!entry.read(at)) return null;
      const name = entry.nameText();
      if (name !== '') return name;
      at = entry.abstractOrigin >= 0 ? entry.abstractOrigin : entry.specification;
    }
    return null;
  }
}
