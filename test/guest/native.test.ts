/** The recorded output is what this machine's Linux gives, where it is the kernel version that was recorded. */
import { spawnSync } from 'node:child_process';
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { recordedKernel } from './programs.ts';

const here = `${release().match(/^\d+\.\d+/)?.[0]} ${process.arch}`;
const hasCompiler = spawnSync('gcc', ['--version']).status === 0 && spawnSync('g++', ['--version']).status === 0;
const reason =
  process.platform !== 'linux' || here !== recordedKernel()
    ? `recorded on Linux ${recordedKernel()}, this is ${process.platform} ${here}`
    : hasCompiler
      ? ''
      : 'no gcc and g++';

it(`native output equals the recorded one${reason && ` (skipped: ${reason})`}`, ({ skip }) => {
  if (reason !== '') skip(reason);
  const script = fileURLToPath(new URL('../../scripts/record-native.mjs', import.meta.url));
  const run = spawnSync(process.execPath, [script, '--check', '--runs', '1'], { encoding: 'utf8' });
  expect(run.stdout + run.stderr).toBe('all as expected\n');
}, 300_000);
