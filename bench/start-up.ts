import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { median } from './measure.ts';

/** Milliseconds from the start of the process to its end, medians. */
export interface StartUp {
  /** `faultline run` of a static program that ends at once. */
  readonly faultlineMs: number;
  /** Node with nothing to do: what of it is not ours. */
  readonly nodeMs: number;
}

const CLI = join(import.meta.dirname, '../dist/cli.js');

/** null: dist/ is not built. `program` ends at once when it gets no arguments. */
export function measureStartUp(program: string, rounds: number): StartUp | null {
  if (!existsSync(CLI)) return null;
  const faultline: number[] = [];
  const node: number[] = [];
  const time = (args: readonly string[]): number => {
    const startMs = performance.now();
    spawnSync(process.execPath, args, { stdio: 'ignore' });
    return performance.now() - startMs;
  };
  // The first run leaves V8's code cache (cli/launch.ts).
  time([CLI, 'run', program]);
  for (let round = 0; round < rounds; round++) {
    faultline.push(time([CLI, 'run', program]));
    node.push(time(['-e', '0']));
  }
  return { faultlineMs: median(faultline.sort((a, b) => a - b)), nodeMs: median(node.sort((a, b) => a - b)) };
}

export function formatStartUp({ faultlineMs, nodeMs }: StartUp): string {
  return `start-up: faultline run of a static program that ends at once ${faultlineMs.toFixed(0)} ms, of which node ${nodeMs.toFixed(0)} ms`;
}
