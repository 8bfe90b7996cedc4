import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRecording } from '../cli/recording-reader.ts';
import { compileForGuest } from '../cli/toolchain.ts';
import type { CheckpointPoint } from '../src/index.ts';
import { childrenCpuMs } from './children-cpu.ts';
import { median } from './measure.ts';
import { GUEST_FLAGS } from './platforms.ts';

/**
 * `npm run bench -- --replay [--seconds N]`: how long it takes to be told about a point of a long recorded run, as whole commands:
 * `faultline replay FILE --to @N where`. The program is made to run for so long (60 s), and recorded. Half of the points are the worst
 * ones, just before the next checkpoint; half are anywhere.
 */
const CLI = join(import.meta.dirname, '../dist/cli.js');
const POINTS = 10;
/** Of any point; exit status 1 above it. */
const LIMIT_MS = 2000;

export async function runReplay(): Promise<void> {
  if (!existsSync(CLI)) throw new Error('dist/ is not built: npm run build');
  const secondsAt = process.argv.indexOf('--seconds');
  const seconds = secondsAt < 0 ? 60 : Number(process.argv[secondsAt + 1]);
  const built = await compileForGuest(join(import.meta.dirname, 'replay-mix.c'), { extraFlags: GUEST_FLAGS });
  if ('error' in built) throw new Error(built.error);
  const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
  try {
    const recording = join(folder, 'run.flt');
    const rounds = seconds < 1 ? 0 : roundsFor(built.elf, seconds);
    const run = time(['run', built.elf, String(rounds)]);
    const recorded = time(['record', '-o', recording, built.elf, String(rounds)]);
    const { size } = statSync(recording);
    const { checkpoints } = readRecording(recording, (why) => {
      throw new Error(why);
    });
    console.log(`run       ${(run.wallMs / 1000).toFixed(1)} s, ${rounds} rounds`);
    console.log(
      `recorded  ${(recorded.wallMs / 1000).toFixed(1)} s, ${(recorded.wallMs / run.wallMs).toFixed(2)} times the run (CPU time ${(recorded.cpuMs / run.cpuMs).toFixed(2)} times); ${(size / 1e6).toFixed(1)} MB, ${checkpoints.points.length} checkpoints`,
    );
    const { issued } = JSON.parse(time(['replay', recording, '--json', 'where']).stdout) as { issued: number };
    const points = choosePoints(checkpoints.points, issued);
    const taken = points.map(({ at, why }) => {
      const { wallMs, cpuMs, stdout } = time(['replay', recording, '--to', `@${at}`, 'where']);
      console.log(
        `@${String(at).padEnd(14)} ${wallMs.toFixed(0).padStart(6)} ms  (CPU ${cpuMs.toFixed(0)} ms)  ${why}`,
      );
      if (!stdout.startsWith('at ')) throw new Error(`no answer: ${stdout}`);
      return wallMs;
    });
    taken.sort((a, b) => a - b);
    const longest = taken.at(-1) ?? Number.NaN;
    console.log(
      `median ${median(taken).toFixed(0)} ms, longest ${longest.toFixed(0)} ms; no more than ${LIMIT_MS} ms is the aim`,
    );
    if (longest > LIMIT_MS) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What one round takes is what two take more than one. */
function roundsFor(elf: string, seconds: number): number {
  const [one, two] = ['1', '2'].map((rounds) => time(['run', elf, rounds]).wallMs);
  return Math.max(1, Math.round(1 + (seconds * 1000 - one) / (two - one)));
}

function choosePoints(checkpoints: readonly CheckpointPoint[], issued: number): { at: number; why: string }[] {
  const starts = [0, ...checkpoints.map((each) => each.issued), issued];
  const worst = Array.from({ length: POINTS / 2 }, (_, at) => {
    const index = Math.floor(((at + 0.5) / (POINTS / 2)) * (starts.length - 1));
    const [start, end] = [starts[index], starts[index + 1]];
    return { at: Math.max(0, end - 1), why: `${((end - start) / 1e6).toFixed(0)} million from a checkpoint` };
  });
  let state = 1;
  const random = Array.from({ length: POINTS / 2 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return { at: Math.floor((state / 2 ** 32) * issued), why: 'anywhere' };
  });
  return [...worst, ...random];
}

function time(args: readonly string[]): { wallMs: number; cpuMs: number; stdout: string } {
  const startMs = performance.now();
  const startCpuMs = childrenCpuMs();
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`faultline ${args.join(' ')}: ${stderr}`);
  return { wallMs: performance.now() - startMs, cpuMs: childrenCpuMs() - startCpuMs, stdout };
}
