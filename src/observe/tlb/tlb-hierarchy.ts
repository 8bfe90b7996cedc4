import type { AccessKind } from '../traces/access.ts';
import { PageNumbers } from '../traces/page-numbers.ts';
import { Tlb, type TlbShape } from './tlb.ts';

/** L1 is for instructions and data alike; L1I and L1D for one of them; L2 is asked where those miss. */
export const TLB_LEVELS = ['L1', 'L1I', 'L1D', 'L2'] as const;
export type TlbLevel = (typeof TLB_LEVELS)[number];

export interface TlbLevelResult extends TlbShape {
  readonly level: TlbLevel;
  readonly lookups: number;
  readonly misses: number;
}

/** TLBs behind one another, as processors have them, for pages of one size. What misses everywhere is a walk of the page tables. */
export class TlbHierarchy {
  references = 0;
  walks = 0;
  private readonly numbers = new PageNumbers();
  private readonly shapes: readonly (readonly [TlbLevel, TlbShape])[];
  private readonly tlbs: readonly Tlb[];
  private readonly ofCode: readonly Tlb[];
  private readonly ofData: readonly Tlb[];

  /** At most one TLB a level, in any order. */
  constructor(shapes: readonly (readonly [TlbLevel, TlbShape])[]) {
    this.shapes = [...shapes].sort(([a], [b]) => TLB_LEVELS.indexOf(a) - TLB_LEVELS.indexOf(b));
    this.tlbs = this.shapes.map(([, shape]) => new Tlb(shape));
    this.ofCode = this.tlbs.filter((_, at) => this.shapes[at][0] !== 'L1D');
    this.ofData = this.tlbs.filter((_, at) => this.shapes[at][0] !== 'L1I');
  }

  reference(kind: AccessKind, high: number, low: number): void {
    this.references++;
    const page = this.numbers.numberOf(high, low);
    for (const tlb of kind === 'fetch' ? this.ofCode : this.ofData) if (tlb.lookup(page, low) === 'hit') return;
    this.walks++;
  }

  /** Pages that were referenced. */
  get pages(): number {
    return this.numbers.count;
  }

  results(): TlbLevelResult[] {
    return this.shapes.map(([level, shape], at) => {
      const { hits, misses } = this.tlbs[at];
      return { level, ...shape, lookups: hits + misses, misses };
    });
  }
}
