import { MemoryEnvironment, System } from '../src/index.ts';

/** What the page of bench/chromium.ts runs, and Node beside it: this one file for both. */
export interface PageRequest {
  readonly elf: Uint8Array;
  readonly row: string;
  readonly count: number;
}

/** V8 compiles our own code while it runs: the last of so many runs counts. */
const RUNS = 2;

/** Host ms between the program's markers (bench/guest/bench.h). */
export function runInMachine({ elf, row, count }: PageRequest): number {
  const decoder = new TextDecoder();
  let since = 0;
  let ms = 0;
  const environment = new MemoryEnvironment({
    onOutput: (_, bytes) => {
      const text = decoder.decode(bytes);
      if (text.includes('@begin')) since = performance.now();
      else if (text.includes('@end')) ms += performance.now() - since;
    },
  });
  const system = new System({ environment, memoryBytes: 256 * 2 ** 20 });
  system.writeFile('/bench', elf, 0o755);
  for (let run = 0; run < RUNS; run++) {
    ms = 0;
    const pid = system.spawn('/bench', ['/bench', row, String(count)]);
    if (pid < 0) throw new Error(`${row}: error ${pid} of execve`);
    while (system.run({ instructions: 4_000_000 }) !== 'exited');
    const { code } = system.exitStatus(pid);
    if (code !== 0) throw new Error(`${row}: exit ${code}`);
  }
  system.shutdown();
  return ms;
}
