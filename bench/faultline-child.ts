import { readFileSync } from 'node:fs';
import { NodeHostFiles } from '../cli/node-host-files.ts';
import { keepNewSpaceSmall } from '../cli/small-heap.ts';
import type { JitMode } from '../src/arch/riscv64/jit/pace.ts';
import { MemoryEnvironment } from '../src/machine/memory-environment.ts';
import { System } from '../src/system.ts';
import { between, MarkerReader, now, type Sample } from './sample.ts';

/** What to run, as JSON on the command line of a process of its own: each run starts cold, as a user's does. */
export interface ChildRequest {
  /** The program on the host, or with `root` in the guest. */
  readonly program: string;
  readonly args: readonly string[];
  /** A folder of the host, mounted read and write at its own path, in which the program runs. */
  readonly folder: string;
  readonly root: string | null;
  readonly memoryMiB: number;
  readonly swapMiB: number;
  readonly jit: JitMode;
}

/** V8 compiles our own code while it runs: what counts is the speed after that, so the program runs so often and the last run counts. */
const RUNS = 2;

/** Runs one program in a machine; the time between its markers is the host's, read when the program writes them. */
export function runChild(request: ChildRequest): Sample {
  // As cli/launch.ts.
  keepNewSpaceSmall();
  let markers = new MarkerReader('harness');
  const environment = new MemoryEnvironment({
    host: new NodeHostFiles(),
    onOutput: (_, bytes) => markers.take(bytes, now()),
  });
  const { root, folder, swapMiB } = request;
  const system = new System({
    environment,
    memoryBytes: request.memoryMiB * 2 ** 20,
    root: root === null ? null : { host: root },
    jit: request.jit,
  });
  system.mount({ host: folder, guest: folder, mode: 'rw' });
  if (swapMiB > 0) system.addSwap({ sizeBytes: swapMiB * 2 ** 20 });
  const path = root === null ? '/bench' : request.program;
  if (root === null) system.writeFile(path, readFileSync(request.program), 0o755);
  let sample: Sample | null = null;
  for (let i = 0; i < RUNS; i++) {
    markers = new MarkerReader('harness');
    const start = now();
    const pid = system.spawn(path, [path, ...request.args], { cwd: folder });
    if (pid < 0) throw new Error(`${request.program}: error ${pid} of execve`);
    while (system.run({ instructions: 4_000_000 }) !== 'exited');
    const { code, signal } = system.exitStatus(pid);
    sample = { ...markers.sample(between(start, now())), failed: code === 0 ? null : `exit ${code}, signal ${signal}` };
  }
  const { peakRssKb } = system.stats({ wallMs: 0 });
  system.shutdown();
  return { ...sample!, hostKb: process.resourceUsage().maxRSS, guestKb: peakRssKb };
}
