/** A machine on which what observers say is checked: it runs programs of this host, and drops what they print. */
import { expect } from 'vitest';
import { NodeEnvironment } from '../../cli/node-environment.ts';
import { compileForGuest } from '../../cli/toolchain.ts';
import { MemoryEnvironment, System, type SystemOptions } from '../../src/index.ts';

export interface WatchedOptions extends Partial<Omit<SystemOptions, 'environment' | 'memoryBytes' | 'root'>> {
  readonly memoryMiB: number;
  /** Default: 16. */
  readonly swapMiB?: number;
  /** A folder of the host; default: the program alone. */
  readonly root?: string | undefined;
}

export async function compileProgram(path: string): Promise<string> {
  const compiled = await compileForGuest(path, {});
  if ('error' in compiled) throw new Error(compiled.error);
  return compiled.elf;
}

export function makeWatched(program: string, options: WatchedOptions): System {
  const { memoryMiB, swapMiB = 16, root, ...others } = options;
  const environment = new MemoryEnvironment({ host: new NodeEnvironment().host, onOutput: () => {} });
  const place = root === undefined ? {} : { root: { host: root } };
  const system = new System({ environment, memoryBytes: memoryMiB * 2 ** 20, ...place, ...others });
  if (swapMiB > 0) system.addSwap({ sizeBytes: swapMiB * 2 ** 20 });
  if (root === undefined) system.mount({ host: program, guest: program, mode: 'ro' });
  return system;
}

export function spawnWatched(system: System, argv: readonly string[]): void {
  expect(system.spawn(argv[0], argv)).toBeGreaterThan(0);
}

/** Until all processes have ended. */
export function runWatched(system: System, argv: readonly string[]): void {
  spawnWatched(system, argv);
  for (let slices = 0; system.run({ instructions: 1e7 }) !== 'exited'; slices++) expect(slices).toBeLessThan(400);
}
