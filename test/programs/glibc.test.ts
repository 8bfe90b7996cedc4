/** Programs linked statically with glibc (and libstdc++) print what they print natively; no frame is lost, no count is wrong at any trap. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../setup/faultline.ts';
import { debianFile, HOW_TO_GET } from './debian.ts';
import { bootTestMachine, runToEnd } from './machine.ts';

const FOLDER = join(ROOT, 'guest', 'glibc');
const missing = ['riscv64-linux-gnu-gcc', 'riscv64-linux-gnu-g++'].filter(
  (compiler) => spawnSync(compiler, ['--version']).status !== 0,
);
const reason = missing.length > 0 ? ` (skipped: no ${missing.join(', ')})` : '';
const busybox = debianFile('usr/bin/busybox');
/** Small, so that the check at every trap (which looks at each frame) is quick. */
const MEMORY_BYTES = 64 * 2 ** 20;
const sources = readdirSync(FOLDER).filter((file) => /\.(c|cc)$/.test(file));
let work: string;

describe.skipIf(reason !== '')(`glibc static programs${reason}`, () => {
  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'faultline-glibc-'));
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  const compile = (source: string): Uint8Array => {
    const elf = join(work, source.replace(/\..*/, ''));
    const [compiler, standard] = source.endsWith('.cc') ? ['g++', '-std=c++17'] : ['gcc', '-std=gnu11'];
    const options = [standard, '-static', '-O2', '-w', '-ffp-contract=off', '-pthread'];
    execFileSync(`riscv64-linux-gnu-${compiler}`, [...options, join(FOLDER, source), '-o', elf, '-lm']);
    return readFileSync(elf);
  };

  for (const source of sources) {
    const name = source.replace(/\..*/, '');
    const needsShell = name === 'shell-calls';
    test.skipIf(needsShell && busybox === null)(`${name}${needsShell ? ` ${HOW_TO_GET}` : ''}`, () => {
      const machine = bootTestMachine('every-trap', { memoryBytes: MEMORY_BYTES });
      machine.system.writeFile('/program', compile(source), 0o755);
      if (needsShell) machine.system.writeFile('/bin/sh', readFileSync(busybox!), 0o755);
      const run = runToEnd(machine, '/program', ['/program']);
      expect(run.stdout).toBe(readFileSync(join(ROOT, 'guest', 'expected', `${name}.txt`), 'utf8'));
      expect(run.exit).toEqual({ code: 0, signal: null });
    });
  }
});
