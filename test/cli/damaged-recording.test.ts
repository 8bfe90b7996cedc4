import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type ChunkType, chunkSum } from '../../cli/recording-format.ts';
import { CLI, faultline } from '../setup/faultline.ts';

/**
 * A recording that is cut off, or has a byte that is another one, at every part of its format: each command that reads recordings says in one
 * line where, and gives all that comes before; or it needs nothing of that part, and gives what it gives of the whole recording.
 */
const PROGRAM = `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
  unsigned sum = 0;
  for (int round = 0; round < 3; round++) {
    char *bytes = malloc(300000);
    for (int at = 0; at < 300000; at++) sum += (unsigned char)(bytes[at] = (char)(at * round));
    printf("%d %u\\n", round, sum);
    fflush(stdout);
  }
  if (fork() == 0) _exit(3);
  wait(NULL);
  return 0;
}`;

/** With `FILE` for the recording and `OUT` for a file that is written. 'prefix': what is left of the answer is how the whole one begins. */
const COMMANDS: readonly { readonly args: readonly string[]; readonly left: 'prefix' | 'an answer' }[] = [
  { args: ['replay', 'FILE'], left: 'prefix' },
  { args: ['replay', 'FILE', 'events', '--format', 'jsonl'], left: 'prefix' },
  { args: ['replay', 'FILE', 'references', '-o', '-'], left: 'prefix' },
  { args: ['replay', 'FILE', '--to', '@3500000', 'where'], left: 'an answer' },
  { args: ['replay', 'FILE', '--to', 'sched_process_fork', 'maps'], left: 'an answer' },
  { args: ['replay', 'FILE', '--to', '0.5ms', 'explain', '0x3fffffe0'], left: 'an answer' },
  { args: ['replay', 'FILE', '--to', '@3500000', 'frames'], left: 'an answer' },
  { args: ['replay', 'FILE', '--to', '0.5ms', 'smem', '-o', 'OUT'], left: 'an answer' },
  { args: ['replay', 'FILE', '--to', '1ms', 'damo', '-o', 'OUT'], left: 'an answer' },
  { args: ['report', 'FILE'], left: 'an answer' },
  { args: ['report', 'FILE', 'memory', '--every', '0.2ms'], left: 'an answer' },
  { args: ['report', 'FILE', 'fork'], left: 'an answer' },
  { args: ['report', 'FILE', 'heat', '--every', '0.2ms'], left: 'an answer' },
  { args: ['report', 'FILE', 'wss', '--every', '0.1ms'], left: 'an answer' },
  { args: ['report', 'FILE', 'reclaim'], left: 'an answer' },
  { args: ['report', 'FILE', 'thp'], left: 'an answer' },
  { args: ['diff', 'WHOLE', 'FILE'], left: 'an answer' },
];

const DAMAGE =
  /^faultline: \S+: (the file is damaged at byte \d+|the file ends in the middle, at byte \d+|the run was cut off); what comes before is here$/;
const DAMAGE_LINE = new RegExp(DAMAGE.source, 'm');
/** Nothing can be replayed: one line, and exit status 2. */
const NOTHING = /^faultline: \S+: (is no recording; .*|its header is damaged, so nothing of it can be replayed)$/;
/** What is said besides: the run goes no further than that. */
const SHORT =
  /^faultline: (the run ends before that point; this is its end|.*\bthe recording (ends|was cut off)\b.*|.*\bthe run (has|is) .*|.*: say (up to when|how far).*|.*has no end.*|process \d+ is not there.*|.*not the recorded run.*|.*no references.*|nothing (is resident|ran) up to there)$/;

let folder: string;
let whole: Buffer;
const expected = new Map<number, Ended>();

beforeAll(() => {
  vi.stubGlobal('FAULTLINE_VERSION', JSON.parse(readFileSync('package.json', 'utf8')).version);
  folder = mkdtempSync(join(tmpdir(), 'faultline-damaged-'));
  writeFileSync(join(folder, 'p.c'), PROGRAM);
  const options = ['--memory', '16M', '--checkpoint-every', '1000000', '-o', 'whole.flt'];
  expect(faultline(['record', ...options, 'p.c'], { cwd: folder }).status).toBe(0);
  whole = readFileSync(join(folder, 'whole.flt'));
});
afterAll(() => {
  vi.unstubAllGlobals();
  rmSync(folder, { recursive: true, force: true });
});

interface Part {
  readonly type: ChunkType;
  readonly at: number;
  readonly payloadAt: number;
  readonly end: number;
}

function partsOf(bytes: Buffer): Part[] {
  const parts: Part[] = [];
  for (let at = 8; at < bytes.length; ) {
    const payloadAt = at + 8;
    const end = payloadAt + bytes.readUInt32LE(at + 4) + 4;
    parts.push({ type: bytes.toString('latin1', at, at + 4) as ChunkType, at, payloadAt, end });
    at = end;
  }
  return parts;
}

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of faultline in this process, as cli/main.ts runs it. Fails where main would call it an internal error. */
async function runHere(words: readonly string[], file: string): Promise<Ended> {
  const { diffCommand } = await import('../../cli/diff.ts');
  const { replayCommand } = await import('../../cli/replay.ts');
  const { reportCommand } = await import('../../cli/report/command.ts');
  const { UsageError } = await import('../../cli/usage-error.ts');
  const { ReplayError } = await import('../../src/index.ts');
  const paths: Record<string, string> = { FILE: file, OUT: join(folder, 'out'), WHOLE: join(folder, 'whole.flt') };
  const args = words.map((word) => paths[word] ?? word);
  const printed = { stdout: '', stderr: '' };
  const fs = await import('node:fs');
  const text = (bytes: unknown): string =>
    typeof bytes === 'string' ? bytes : Buffer.from(bytes as Uint8Array).toString('latin1');
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((bytes: unknown) => {
      printed[name] += text(bytes);
      return true;
    }),
  );
  const { writeSync } = fs.default;
  const onWrite = vi.spyOn(fs.default, 'writeSync');
  onWrite.mockImplementation(((descriptor: number, bytes: unknown, ...rest: never[]) => {
    if (descriptor !== 1 && descriptor !== 2) return writeSync(descriptor, bytes as Uint8Array, ...rest);
    printed[descriptor === 1 ? 'stdout' : 'stderr'] += text(bytes);
    return (bytes as Uint8Array).length;
  }) as typeof writeSync);
  syncBuiltinESMExports();
  process.exitCode = 0;
  try {
    const program = new Command('faultline').enablePositionalOptions().exitOverride();
    program.addCommand(replayCommand()).addCommand(reportCommand()).addCommand(diffCommand());
    await program.parseAsync(['node', 'faultline', ...args]);
    return { status: Number(process.exitCode), ...printed };
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof ReplayError)) throw error;
    return { status: 2, ...printed, stderr: `${printed.stderr}faultline: ${error.message}\n` };
  } finally {
    process.exitCode = 0;
    for (const spy of [...spies, onWrite]) spy.mockRestore();
    syncBuiltinESMExports();
  }
}

/** What is wrong with the answer of a command about a damaged file; null: nothing. */
async function problemOf(number: number, file: string): Promise<string | null> {
  const { args, left } = COMMANDS[number];
  const ofWhole = expected.get(number) ?? (await runHere(args, join(folder, 'whole.flt')));
  expected.set(number, ofWhole);
  const { status, stdout, stderr } = await runHere(args, file);
  const lines = stderr.split('\n').slice(0, -1);
  const told = lines.filter((line) => DAMAGE.test(line)).length;
  const about = `${args.join(' ')} (${status}): ${stderr}`;
  if (lines.some((line) => NOTHING.test(line)))
    return status === 2 && lines.length === 1 && stdout === '' ? null : `not one line: ${about}`;
  if (told > 1) return `told more than once: ${about}`;
  if (told === 0 && (status !== ofWhole.status || stdout !== ofWhole.stdout || stderr !== ofWhole.stderr))
    return `not told: ${about}`;
  const strange = lines.filter((line) => !DAMAGE.test(line) && !SHORT.test(line));
  if (strange.length > 0) return `says something else: ${about}`;
  return left === 'prefix' && !ofWhole.stdout.startsWith(stdout) ? `no beginning of the whole answer: ${about}` : null;
}

test('the recording has all parts of the format', () => {
  expect(new Set(partsOf(whole).map(({ type }) => type))).toEqual(
    new Set(['HEAD', 'JRNL', 'PAGE', 'CKPT', 'ENDS', 'INDX', 'TAIL']),
  );
});

test('each command answers on the whole recording', async () => {
  for (const number of COMMANDS.keys()) {
    const { args } = COMMANDS[number];
    const { stdout, stderr, status } = await runHere(args, join(folder, 'whole.flt'));
    expect([args, status, stderr, stdout !== '' || args.includes('OUT')]).toEqual([args, 0, '', true]);
  }
});

/** Of each part a few places, and some anywhere. */
function places(): number[] {
  let state = 1;
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const chosen = new Set([0, 7]);
  const seen = new Map<ChunkType, number>();
  for (const { type, at, payloadAt, end } of partsOf(whole)) {
    const count = seen.get(type) ?? 0;
    seen.set(type, count + 1);
    // Of many of a kind the first and some others.
    if (count > 1 && random() > 0.15) continue;
    for (const place of [at, at + 4, payloadAt, (payloadAt + end) >> 1, end - 1]) chosen.add(place);
  }
  for (let i = 0; i < 20; i++) chosen.add(Math.floor(random() * whole.length));
  return [...chosen];
}

async function problemsOf(name: string, damaged: (place: number) => Uint8Array): Promise<string[]> {
  const file = join(folder, `${name}.flt`);
  const problems: string[] = [];
  let number = 0;
  for (const place of places()) {
    writeFileSync(file, damaged(place));
    const problem = await problemOf(number++ % COMMANDS.length, file);
    if (problem !== null) problems.push(`${name} at ${place}: ${problem}`);
  }
  return problems;
}

test('a byte that is another one', async () => {
  const flipped = (place: number): Uint8Array => {
    const bytes = Buffer.from(whole);
    bytes[place] ^= 1 << (place & 7);
    return bytes;
  };
  expect(await problemsOf('flipped', flipped)).toEqual([]);
});

test('a file that was cut off', async () => {
  expect(await problemsOf('cut', (place) => whole.subarray(0, place))).toEqual([]);
});

test('a recording of an older format says so, and what to do', async () => {
  const [{ at, payloadAt, end }] = partsOf(whole);
  const text = whole.toString('utf8', payloadAt, end - 4).replace('"format":2', '"format":1');
  const payload = Buffer.from(text);
  const bytes = Buffer.from(whole);
  payload.copy(bytes, payloadAt);
  bytes.writeUInt32LE(chunkSum(bytes.subarray(at, at + 4), payload), end - 4);
  const file = join(folder, 'old.flt');
  writeFileSync(file, bytes);
  const { status, stderr } = await runHere(['replay', 'FILE', 'where'], file);
  expect(status).toBe(2);
  expect(stderr).toMatch(
    /^faultline: \S+: was recorded by Faultline \S+, in format 1; this one reads format 2: record the run again\n$/,
  );
});

test('what Faultline had recorded when it was killed can be replayed', async () => {
  writeFileSync(join(folder, 'long.c'), 'int main(void) { for (volatile unsigned long i = 0;; i++); }');
  const file = join(folder, 'killed.flt');
  const args = ['record', '--memory', '16M', '--checkpoint-every', '5000000', '-o', file, 'long.c'];
  const child = spawn(process.execPath, [CLI, ...args], { cwd: folder, stdio: 'ignore' });
  const exited = once(child, 'exit');
  while ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) < 700_000)
    await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGKILL');
  await exited;
  const { status, stdout, stderr } = await runHere(['replay', 'FILE', 'where'], file);
  expect(status).toBe(0);
  expect(stderr).toMatch(DAMAGE_LINE);
  expect(Number(/@(\d+) /.exec(stdout)?.[1])).toBeGreaterThan(5_000_000);
});
