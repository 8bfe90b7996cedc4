import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileForGuest } from '../cli/toolchain.ts';
import { MemoryEnvironment } from '../src/machine/memory-environment.ts';
import { LruCurve } from '../src/observe/references/lru-curve.ts';
import { OptimalMemory } from '../src/observe/references/optimal-memory.ts';
import { PageLives } from '../src/observe/references/page-lives.ts';
import { SampledCurve } from '../src/observe/references/sampled-curve.ts';
import { System } from '../src/system.ts';

/**
 * `npm run bench -- --curves`: how many references a second the curves of docs/questions/how-much-ram.md take on one thread, how good the
 * sampled one is, and how much slower a run is whose reference stream somebody listens to. CPU time, best of ROUNDS.
 */
const ROUNDS = 3;
const REFERENCES = 8_000_000;
const RATE = 0.01;

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** References to so many pages: a few of them often, others seldom (Zipf-like). */
function zipf(pages: number): Int32Array {
  const references = new Int32Array(REFERENCES);
  let state = 1;
  for (let at = 0; at < REFERENCES; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    // Neighbours in number are no neighbours in use.
    references[at] = Math.imul(Math.floor(pages ** (state / 2 ** 32)) - 1, 40503) & (2 ** 20 - 1);
  }
  return references;
}

interface Curve {
  reference(page: number): void;
}

/** Millions a second. */
function speedOf<T extends Curve>(make: () => T, references: Int32Array): { speed: number; curve: T } {
  let best = 0;
  let curve = make();
  for (let round = 0; round < ROUNDS; round++) {
    curve = make();
    const start = cpuMs();
    for (let at = 0; at < references.length; at++) curve.reference(references[at]);
    best = Math.max(best, references.length / (cpuMs() - start) / 1000);
  }
  return { speed: best, curve };
}

function row(name: string, value: string, note: string): void {
  console.log(`${name.padEnd(44)}${value.padStart(10)}  ${note}`);
}

export async function runCurves(): Promise<void> {
  console.log(`${''.padEnd(44)}${'million/s'.padStart(10)}`);
  for (const pages of [2000, 100_000, 1_000_000]) {
    const references = zipf(pages);
    const exact = speedOf(() => new LruCurve(), references);
    row(`LRU, exact, up to ${pages.toLocaleString('en')} pages`, exact.speed.toFixed(1), '');
    const sampled = speedOf(() => new SampledCurve(RATE), references);
    const sizes = [0.01, 0.05, 0.2, 0.5].map((share) => Math.ceil(share * exact.curve.sizePages));
    const off = sizes.map((size) => Math.abs(sampled.curve.misses(size) - exact.curve.misses(size)) / REFERENCES);
    const told = sizes.map((size) => sampled.curve.error(size) / REFERENCES);
    const note = `miss ratio off by ${mean(off).toFixed(4)}; its standard error said ${mean(told).toFixed(4)} (${sampled.curve.sampledPages} pages)`;
    row(`LRU, sampled (SHARDS, ${RATE})`, sampled.speed.toFixed(1), note);
  }
  optimum();
  await stream();
}

/** As all pages of the future are needed once: with the next reference known, which is another way through them. */
function optimum(): void {
  const references = zipf(100_000);
  const needs = new Float64Array(references.length);
  const later = new Map<number, number>();
  for (let at = references.length - 1; at >= 0; at--) {
    needs[at] = later.get(references[at]) ?? Number.POSITIVE_INFINITY;
    later.set(references[at], at);
  }
  const start = cpuMs();
  const memory = new OptimalMemory(10_000);
  for (let at = 0; at < references.length; at++) memory.reference(references[at], needs[at]);
  row('optimum at one size, 10,000 frames', (references.length / (cpuMs() - start) / 1000).toFixed(1), '');
}

/** Name, index in cpu-kernels.c, rounds of it. */
const KERNELS = [
  ['sort', 1, 30],
  ['bytecode', 3, 100],
  ['memory', 4, 60],
] as const;

/** The whole system with and without a listener that does nothing; translated, as `faultline run` does it, and interpreted, as a replay. */
async function stream(): Promise<void> {
  for (const [name, index, rounds] of KERNELS) {
    const extraFlags = ['-DHOSTED', '-fno-builtin', `-DKERNEL=${index}`, `-DROUNDS=${rounds}`];
    const built = await compileForGuest(join(import.meta.dirname, 'cpu-kernels.c'), { extraFlags, env: process.env });
    if ('error' in built) throw new Error(built.error);
    const elf = readFileSync(built.elf);
    for (const jit of ['on', 'off'] as const) {
      const without = Math.min(...[1, 2].map(() => run(elf, jit, 'alone').ms));
      const { ms, references } = run(elf, jit, 'listened to');
      row(
        `reference stream of '${name}', jit ${jit}`,
        (references / ms / 1000).toFixed(1),
        `${(ms / without).toFixed(1)} times as slow as without (${references.toLocaleString('en')} page runs)`,
      );
    }
  }
}

function run(elf: Uint8Array, jit: 'on' | 'off', how: 'alone' | 'listened to'): { ms: number; references: number } {
  const system = new System({ environment: new MemoryEnvironment(), memoryBytes: 64 * 2 ** 20, jit });
  system.writeFile('/program', elf, 0o755);
  system.spawn('/program', ['/program']);
  let references = 0;
  if (how === 'listened to')
    new PageLives(system.kernel, {
      referenced: () => {
        references++;
      },
      freed: () => {},
    });
  const start = cpuMs();
  const status = system.run({ instructions: 4e9 });
  const ms = cpuMs() - start;
  if (status !== 'exited') throw new Error(status);
  system.shutdown();
  return { ms, references };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}
