import { EntryReader } from './debug-entry.ts';
import { type AddressRange, rangesOf } from './debug-ranges.ts';
import type { DebugSections } from './debug-sections.ts';
import type { DebugUnit } from './debug-unit.ts';
import { DW_TAG_inlined_subroutine, DW_TAG_subprogram } from './dwarf-constants.ts';

/** A function's code, or a copy of one that the compiler put into another one. */
export interface FunctionNode {
  /** Offset of the entry in .debug_info. */
  readonly entry: number;
  readonly ranges: readonly AddressRange[];
  /** Of an inlined one: where it was called; 0: not said. */
  readonly callFile: number;
  readonly callLine: number;
  readonly inlined: FunctionNode[];
}

/** The functions of a unit with code, and what is inlined in each, as its entries nest. */
export class InlineTree {
  private readonly roots: FunctionNode[] = [];
  /** Ranges of the roots, sorted by start. */
  private readonly ranges: { readonly range: AddressRange; readonly node: FunctionNode }[] = [];

  constructor(sections: DebugSections, unit: DebugUnit) {
    this.read(sections, unit);
    for (const node of this.roots) for (const range of node.ranges) this.ranges.push({ range, node });
    this.ranges.sort((a, b) => a.range[0] - b.range[0]);
  }

  /** The function that has the address, and in it one inlined in the other, outermost first; empty: none. */
  find(address: number): FunctionNode[] {
    let node = this.root(address);
    const path: FunctionNode[] = [];
    while (node !== undefined) {
      path.push(node);
      node = node.inlined.find(({ ranges }) => ranges.some(([start, end]) => address >= start && address < end));
    }
    return path;
  }

  private root(address: number): FunctionNode | undefined {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ranges[middle].range[0] <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.ranges[low - 1];
    return found !== undefined && address < found.range[1] ? found.node : undefined;
  }

  private read(sections: DebugSections, unit: DebugUnit): void {
    const entry = new EntryReader(sections, unit);
    /** The function that each open list of children stands in; null: none. */
    const open: (FunctionNode | null)[] = [];
    for (let at = unit.firstEntryAt; at < unit.end; at = entry.end) {
      if (!entry.read(at)) {
        open.pop();
        if (open.length === 0) return;
        continue;
      }
      const within = open.at(-1) ?? null;
      let node = within;
      if (entry.tag === DW_TAG_subprogram || entry.tag === DW_TAG_inlined_subroutine) {
        const ranges = rangesOf(sections, unit, entry);
        const isInlined = entry.tag === DW_TAG_inlined_subroutine && within !== null;
        node = null;
        if (ranges.length > 0) {
          const { callFile, callLine } = entry;
          node = { entry: at, ranges, callFile: Math.max(0, callFile), callLine: Math.max(0, callLine), inlined: [] };
          (isInlined ? within.inlined : this.roots).push(node);
        }
      }
      if (entry.hasChildren) open.push(node);
      else if (open.length === 0) return;
    }
  }
}
