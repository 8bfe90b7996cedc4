import { gzipSync } from 'node:zlib';
import {
  type AttributedRun,
  type AttributionRow,
  drawFlameGraph,
  encodePprof,
  formatCollapsed,
  weighStacks,
} from '../../src/index.ts';
import { UsageError } from '../usage-error.ts';

/** What call stacks are written as, for other programs. */
export const STACK_FORMATS = ['pprof', 'collapsed', 'flamegraph', 'perfetto'] as const;
export type StackFormat = (typeof STACK_FORMATS)[number];

export function stackFormat(name: string): StackFormat {
  const format = STACK_FORMATS.find((each) => each === name);
  if (format === undefined) throw new UsageError(`--format ${name}: write ${STACK_FORMATS.join(', ')}`);
  return format;
}

export interface StacksWanted {
  readonly format: Exclude<StackFormat, 'perfetto'>;
  readonly durationNs: number;
  readonly title: string;
  /** Of formats with one value. */
  readonly weightOf: (row: AttributionRow) => number;
  readonly unit: string;
}

/** But for Perfetto's, which is made while the run goes on. */
export function writeStacks(run: AttributedRun, wanted: StacksWanted): string | Uint8Array {
  const { format, durationNs, weightOf } = wanted;
  switch (format) {
    case 'pprof':
      return gzipSync(encodePprof(run, durationNs));
    case 'collapsed':
      return formatCollapsed(weighStacks(run, weightOf));
    case 'flamegraph':
      return drawFlameGraph(weighStacks(run, weightOf), wanted);
  }
}
