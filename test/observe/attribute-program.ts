import { basename, join } from 'node:path';
import { decompressSection } from '../../cli/decompress-section.ts';
import { NodeEnvironment } from '../../cli/node-environment.ts';
import { compileForGuest } from '../../cli/toolchain.ts';
import { AttributedRun, MemoryEnvironment, System } from '../../src/index.ts';

export interface ProgramRun {
  readonly run: AttributedRun;
  readonly durationNs: number;
}

/** Runs a C program to its end and attributes it; `watch` may listen too, what it returns ends that. */
export async function attributeProgram(
  source: string,
  watch: (kernel: System['kernel'], run: AttributedRun) => () => void = () => () => {},
  memory: { readonly memoryBytes: number; readonly swapBytes?: number } = { memoryBytes: 64 * 2 ** 20 },
): Promise<ProgramRun> {
  const compiled = await compileForGuest(join(import.meta.dirname, '../..', source), {});
  if ('error' in compiled) throw new Error(compiled.error);
  const environment = new MemoryEnvironment({ host: new NodeEnvironment().host, onOutput: () => {} });
  const { memoryBytes, swapBytes = 0 } = memory;
  const system = new System({ environment, memoryBytes });
  if (swapBytes > 0) system.addSwap({ sizeBytes: swapBytes });
  const path = `/${basename(source, '.c')}`;
  system.mount({ host: compiled.elf, guest: path, mode: 'ro' });
  const run = new AttributedRun(system.kernel, decompressSection);
  const unwatch = watch(system.kernel, run);
  system.spawn(path, [path]);
  const ended = system.run({ instructions: 1e9 });
  if (ended !== 'exited') throw new Error(`${source}: ${ended}`);
  run.close();
  unwatch();
  const durationNs = system.kernel.clock.nowNs;
  system.shutdown();
  return { run, durationNs };
}
