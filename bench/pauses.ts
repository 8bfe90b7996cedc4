import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { NodeHostFiles } from '../cli/node-host-files.ts';
import { PACES } from '../src/arch/riscv64/jit/pace.ts';
import { Translator } from '../src/arch/riscv64/jit/translator.ts';
import { MemoryEnvironment } from '../src/machine/memory-environment.ts';
import { System } from '../src/system.ts';

/**
 * `npm run bench -- --pauses [--root DIR] PROGRAM [ARGS]`: how long translation stops a program: once for each module, in CPU
 * time of its thread. With `--root` the program is a path in that folder. Translation begins at once, so that a short program
 * shows its pauses, too.
 */
export function runPauses(): void {
  const rest = process.argv.slice(process.argv.indexOf('--pauses') + 1);
  const root = rest[0] === '--root' ? rest.splice(0, 2)[1] : null;
  const [program, ...args] = rest;
  if (program === undefined) {
    console.error('usage: npm run bench -- --pauses [--root DIR] PROGRAM [ARGS]');
    process.exit(2);
  }
  const pausesMs = timeModules();
  const system = new System({
    environment: new MemoryEnvironment({ host: new NodeHostFiles() }),
    jit: { ...PACES.on, startAfter: 0 },
    root: root === null ? null : { host: root },
  });
  const path = root === null ? `/${basename(program)}` : program;
  if (root === null && !existsSync(program)) {
    console.error(`bench: ${program}: there is no such file`);
    process.exit(2);
  }
  if (root === null) system.writeFile(path, readFileSync(program), 0o755);
  const pid = system.spawn(path, [path, ...args]);
  if (pid < 0) {
    console.error(
      `bench: ${program} cannot be run (${-pid} of errno): name a riscv64 program${root === null ? '' : ` in ${root}`}`,
    );
    process.exit(2);
  }
  const startMs = performance.now();
  while (system.run({ instructions: 4_000_000 }) !== 'exited');
  const wallMs = performance.now() - startMs;
  system.shutdown();
  pausesMs.sort((a, b) => a - b);
  const totalMs = pausesMs.reduce((sum, ms) => sum + ms, 0);
  const figures = { half: pausesMs[pausesMs.length >> 1] ?? 0, longest: pausesMs.at(-1) ?? 0 };
  console.log(
    `${pausesMs.length} modules in ${wallMs.toFixed(0)} ms: pauses ${totalMs.toFixed(0)} ms, median ${figures.half.toFixed(1)} ms, longest ${figures.longest.toFixed(1)} ms`,
  );
}

/** The time of each batch from now on; V8 compiles a function when it is first called, some 1 us an instruction more. */
function timeModules(): number[] {
  const pausesMs: number[] = [];
  const flush = Translator.prototype['flush'];
  Translator.prototype['flush'] = function (this: Translator): void {
    const startMs = threadMs();
    flush.call(this);
    pausesMs.push(threadMs() - startMs);
  };
  return pausesMs;
}

/** CPU time of this thread, which is what a pause takes on a quiet machine; time on the wall where the host does not say it. */
function threadMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return performance.now();
  }
}
