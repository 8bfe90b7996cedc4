import type { Kernel } from '../../kernel/kernel.ts';
import { CallStacks } from '../code/call-stacks.ts';
import { CodeMap } from '../code/code-map.ts';
import type { Decompress } from '../code/elf-file.ts';
import { SourceFrames } from '../code/source-frames.ts';
import { Attribution, type AttributionOptions } from './attribution.ts';
import { AttributionTables } from './table.ts';

/**
 * What a run's code did to its memory, from here on, with all that is needed to name it.
 *
 *   const attributed = new AttributedRun(system.kernel, decompress);
 *   system.run(...);
 *   attributed.close();
 *   attributed.tables.by('line');
 */
export class AttributedRun {
  readonly code: CodeMap;
  readonly stacks: CallStacks;
  readonly sources = new SourceFrames();
  readonly attribution: Attribution;
  readonly tables: AttributionTables;

  constructor(kernel: Kernel, decompress: Decompress = () => null, options: AttributionOptions = {}) {
    this.code = new CodeMap(kernel, decompress);
    this.stacks = new CallStacks(kernel, this.code);
    this.attribution = new Attribution(kernel, this.stacks, options);
    this.tables = new AttributionTables(this.attribution, this.stacks, this.sources);
  }

  close(): void {
    this.attribution.close();
  }
}
