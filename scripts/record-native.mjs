#!/usr/bin/env node
/**
 * Records what the guest programs print on this Linux machine, as guest/expected/NAME.txt, and the kernel's version as
 * guest/expected/KERNEL. A program that does not exit 0, prints differently in another run, or says NO or MUST is refused.
 *
 * node scripts/record-native.mjs [--runs N] [--check] [NAME...]     (--check: compare only, write nothing)
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const guest = fileURLToPath(new URL('../guest/', import.meta.url));
const FLAGS = ['-O2', '-g', '-Wall', '-Wextra', '-ffp-contract=off', '-pthread'];
const args = process.argv.slice(2);
const runs = args.includes('--runs') ? Number(args[args.indexOf('--runs') + 1]) : 2;
const check = args.includes('--check');
const names = args.filter((arg, i) => !arg.startsWith('--') && args[i - 1] !== '--runs');

if (process.platform !== 'linux') {
  console.error('record-native: needs Linux');
  process.exit(2);
}
const work = mkdtempSync(join(tmpdir(), 'record-'));
let failed = 0;
const sources = ['', 'cxx', 'glibc'].flatMap((dir) =>
  readdirSync(join(guest, dir))
    .filter((file) => /\.(c|cc)$/.test(file))
    .map((file) => join(dir, file)),
);
for (const source of sources) {
  const name = basename(source, extname(source));
  if (names.length > 0 && !names.includes(name)) continue;
  const program = join(work, name);
  const [compiler, standard] = source.endsWith('.cc') ? ['g++', '-std=c++17'] : ['gcc', '-std=gnu11'];
  try {
    const options = { stdio: ['ignore', 'inherit', 'inherit'] };
    execFileSync(compiler, [standard, ...FLAGS, join(guest, source), '-o', program, '-lm'], options);
  } catch {
    failed++;
    continue;
  }
  const expectedPath = join(guest, 'expected', `${name}.txt`);
  let first = null;
  let verdict = '';
  for (let i = 0; i < runs && verdict === ''; i++) {
    const options = { encoding: 'utf8', timeout: 60_000, input: '', cwd: work };
    const run = spawnSync(program, [], options);
    if (run.status !== 0) verdict = `exit ${run.status} ${run.signal ?? ''}\n${run.stdout}${run.stderr}`;
    else if (/: NO$|^MUST/m.test(run.stdout)) verdict = `a check failed\n${run.stdout}`;
    else if (first !== null && run.stdout !== first)
      verdict = `run ${i} differs\n--- first\n${first}--- now\n${run.stdout}`;
    first ??= run.stdout;
  }
  if (verdict === '' && check && first !== readFileSync(expectedPath, 'utf8'))
    verdict = `differs from ${expectedPath}\n${first}`;
  if (verdict !== '') {
    failed++;
    console.error(`${name}: ${verdict}`);
  } else if (!check) {
    writeFileSync(expectedPath, first);
  }
}
if (!check) writeFileSync(join(guest, 'expected', 'KERNEL'), `${release().match(/^\d+\.\d+/)[0]} ${process.arch}\n`);
rmSync(work, { recursive: true, force: true });
console.log(failed === 0 ? 'all as expected' : `${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
