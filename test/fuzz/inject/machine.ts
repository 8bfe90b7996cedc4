import { readFileSync } from 'node:fs';
import { sumPss } from '../../../src/kernel/testing/pss-sum.ts';
import { MemoryEnvironment, MemoryHostFiles } from '../../../src/machine/memory-environment.ts';
import { System } from '../../../src/system.ts';
import type { InjectWalk } from './walk.ts';

const SLICE_INSTRUCTIONS = 1_000_000;

/** What a walk came to, where nothing is wrong. */
export interface InjectReport {
  /** How often something was made to fail. */
  readonly injected: number;
  readonly traps: number;
  readonly ending: string;
}

export interface Effort {
  /** Every so many traps all invariants are recomputed, and the sums of Pss; later more rarely, so that a long walk ends. */
  readonly everyTraps: number;
  /** Then whatever still runs is ended. */
  readonly maxInstructions: number;
}

/** Runs walks with test/fuzz/inject/inject.c. Throws Error or KernelPanic where the machine is wrong; programs may end as they like. */
export class InjectMachine {
  private readonly program: Uint8Array;

  constructor(programPath: string) {
    this.program = readFileSync(programPath);
  }

  run(walk: InjectWalk, seed: number, { everyTraps, maxInstructions }: Effort): InjectReport {
    const host = new MemoryHostFiles();
    host.addFile('/shared/f0', new Uint8Array(50_000).fill(7), 0o644);
    host.addFile('/shared/f1', new Uint8Array(100_000).fill(8), 0o644);
    const environment = new MemoryEnvironment({ host });
    const system = new System({ environment, seed, inject: walk.inject, ...walk.system });
    const { mm } = system.kernel;
    checkFromTimeToTime(system, everyTraps);
    system.writeFile('/inject', this.program, 0o755);
    system.writeFile('/steps', new TextEncoder().encode(`${walk.steps.join('\n')}\n`));
    system.mount({ host: '/shared', guest: '/host', mode: 'rw' });
    if (walk.swapBytes > 0) system.addSwap({ sizeBytes: walk.swapBytes });
    const areas = mm.swap.areas.slice();
    const pid = system.spawn('/inject', ['/inject', '/steps'], { cwd: '/tmp' });
    let status = 'budget';
    let left = maxInstructions;
    let isReady = false;
    while (status === 'budget' && left > 0 && !isExited(system, pid)) {
      status = system.run({ instructions: isReady ? SLICE_INSTRUCTIONS : 1 });
      left -= SLICE_INSTRUCTIONS;
      if (isReady) continue;
      // Only the walk itself is to meet faults.
      mm.alloc.injector?.stop();
      while (status === 'budget' && environment.outputBytes(1).length === 0 && !isExited(system, pid))
        status = system.kernel.run({ instructions: 10_000 });
      mm.alloc.injector?.start();
      isReady = true;
    }
    system.checkInvariants();
    if (new TextDecoder().decode(environment.outputBytes(1)).includes('corrupt')) throw new Error('a page is corrupt');
    const { code, signal } = system.exitStatus(pid);
    const { leakedFrames } = system.shutdown();
    if (leakedFrames !== 0) throw new Error(`${leakedFrames} frames are not free at the end${leftInSlabs(system)}`);
    for (const area of [...areas, ...mm.swap.areas])
      if (area !== null && area.usedSlots !== 0)
        throw new Error(`${area.usedSlots} slots of ${area.path} are not free`);
    const { frames, slab, diskRead, diskWrite } = system.injected ?? { frames: 0, slab: 0, diskRead: 0, diskWrite: 0 };
    const injected = frames + slab + diskRead + diskWrite;
    const ending = code !== null ? `status ${code}` : signal !== null ? `signal ${signal}` : 'still running';
    return { injected, traps: system.kernel.traps, ending };
  }
}

/** After this many checks the period doubles. */
const CHECKS_A_PERIOD = 500;

function checkFromTimeToTime(system: System, everyTraps: number): void {
  let period = everyTraps;
  let left = period;
  let checks = 0;
  system.kernel.afterTrap = () => {
    if (--left > 0) return;
    if (++checks % CHECKS_A_PERIOD === 0) period *= 2;
    left = period;
    system.checkInvariants();
    const { pss, mapped, swapPss, swapped, rss, entries } = sumPss(system.kernel.mm);
    if (pss !== mapped || swapPss !== swapped || rss !== entries)
      throw new Error(`Pss ${pss} of ${mapped} bytes, SwapPss ${swapPss} of ${swapped}, Rss ${rss} of ${entries}`);
  };
}

function isExited(system: System, pid: number): boolean {
  const { code, signal } = system.exitStatus(pid);
  return code !== null || signal !== null;
}

function leftInSlabs(system: System): string {
  return system.kernel.mm.slab.caches
    .filter(({ activeCount }) => activeCount > 0)
    .map(({ name, activeCount }) => `; ${activeCount} of ${name}`)
    .join('');
}
