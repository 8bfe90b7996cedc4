import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryEnvironment } from '../../../src/machine/memory-environment.ts';
import { System } from '../../../src/system.ts';
import type { Step } from './walk.ts';

/** What a walk printed: one text a step, from its `#` line on. The last may say how the run ended, if not by itself. */
export type Report = readonly string[];

function reportOf(text: string, ending: string): Report {
  const report = text.split(/^#/m).slice(1);
  if (ending !== '') report.push(ending);
  return report;
}

/** tmpfs, as /tmp in Faultline is: what files answer depends on the file system. */
const NATIVE_FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export function runNatively(program: string, steps: readonly Step[]): Report {
  const work = mkdtempSync(join(NATIVE_FOLDER, 'fuzz-mm-'));
  try {
    writeFileSync(join(work, 'steps'), `${steps.join('\n')}\n`);
    const run = spawnSync(program, ['steps'], { cwd: work, encoding: 'latin1', timeout: 90_000, maxBuffer: 2 ** 28 });
    return reportOf(run.stdout, run.status === 0 ? '' : `ended: status ${run.status} ${run.signal ?? ''}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const MEMORY_BYTES = 64 * 2 ** 20;
const SLICE_INSTRUCTIONS = 2_000_000;
const MAX_SLICES = 1000;

/**
 * Throws KernelPanic where an invariant is broken, with the report so far as its cause. `invariants` are recomputed at every trap
 * or at the end.
 */
export class FaultlineMachine {
  private readonly program: Uint8Array;

  constructor(programPath: string) {
    this.program = readFileSync(programPath);
  }

  run(steps: readonly Step[], invariants: 'every-trap' | 'at-end' = 'at-end'): Report {
    const environment = new MemoryEnvironment();
    const system = new System({
      environment,
      memoryBytes: MEMORY_BYTES,
      invariants: invariants === 'every-trap' ? 'every-trap' : 'never',
    });
    system.writeFile('/executor', this.program, 0o755);
    system.writeFile('/steps', new TextEncoder().encode(`${steps.join('\n')}\n`));
    const pid = system.spawn('/executor', ['/executor', '/steps'], { cwd: '/tmp' });
    let ending = '';
    try {
      let status = 'budget';
      for (let i = 0; status === 'budget' && i < MAX_SLICES; i++) {
        status = system.run({ instructions: SLICE_INSTRUCTIONS });
        if (system.exitStatus(pid).code !== null) break;
      }
      const { code, signal } = system.exitStatus(pid);
      if (code !== 0) ending = `ended: ${status}, status ${code} signal ${signal}`;
      system.checkInvariants();
      const { leakedFrames } = system.shutdown();
      if (leakedFrames !== 0) ending += `leaked frames: ${leakedFrames}`;
    } catch (error) {
      ending = `Faultline failed: ${(error as Error).stack}`;
    }
    return reportOf(new TextDecoder('latin1').decode(environment.outputBytes(1)), ending);
  }
}

/** The first step whose texts differ, or -1. */
export function firstDifference(native: Report, ours: Report): number {
  const count = Math.max(native.length, ours.length);
  for (let i = 0; i < count; i++) if (native[i] !== ours[i]) return i;
  return -1;
}
