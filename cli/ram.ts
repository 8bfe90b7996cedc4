import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type MemoryNeed, memoryNeed, RECLAIM_POLICIES, ReferenceTrace } from '../src/index.ts';
import { chartsSvg } from './chart.ts';
import { openRecording } from './open-recording.ts';
import { answerRam, formatRam } from './ram-answer.ts';
import { ramCharts } from './ram-charts.ts';
import { type Counters, climb, type Rung } from './ram-ladder.ts';
import { addRunOptions, type RunOptions } from './run.ts';
import { parseSize } from './size.ts';
import { writeSvg } from './svg-file.ts';
import { UsageError } from './usage-error.ts';

const PAGE_BYTES = 4096;
/** What the kernel itself takes of a machine's memory, about: a fixed part, and one for each frame. */
const KERNEL_BYTES = 2 ** 20;
const SMALLEST_BYTES = 4 * 2 ** 20;
/** Steps of the ladder without --sizes. */
const RUNGS = 8;
/** References that are kept for the curves; with more of them the curves are of a sample of the pages. */
const MAX_REFERENCES = 30_000_000;

const EXAMPLES = `
Runs the program once with the memory of --memory, then with less and less, and says from where on it is slowed down. A run that has no
--swap gets one that is large enough. The runs are as many processes as there are processors; what they take is virtual time, so the
answer does not depend on the host.

LRU misses and optimum are those of the run's page references, with so much memory and no kernel: what the best LRU and the best
of all choices would miss (Belady). --no-references leaves them out.

Examples:
  faultline ram sort.c
  faultline ram --sizes 8M,12M,16M --policies mglru,two-list,lru ./program arguments
  faultline ram --svg ram.svg ./program
  faultline ram --json ./program > ram.json`;

interface RamOptions extends RunOptions {
  sizes?: number[];
  policies: string[];
  json?: true;
  svg?: string;
  references: boolean;
}

/** Our own options, and whether a value follows. */
const OWN_OPTIONS: Readonly<Record<string, boolean>> = {
  '--sizes': true,
  '--policies': true,
  '--json': false,
  '--svg': true,
  '--no-references': false,
};

export function ramCommand(): Command {
  return addRunOptions(new Command('ram'))
    .addOption(new Option('--sizes <list>', 'memory sizes to try: 8M,12M,16M; default: a ladder').argParser(parseSizes))
    .addOption(
      new Option('--policies <list>', 'reclaim policies to try')
        .argParser((text) => text.split(','))
        .default([RECLAIM_POLICIES[0]], RECLAIM_POLICIES[0]),
    )
    .option('--no-references', 'without the curves of the page references, which need a run of their own')
    .option('--svg <file>', 'plots of it as an SVG file; -: standard output, and nothing else there')
    .option('--json', 'answer as JSON')
    .description('Say how much RAM a program needs: run it with less and less of it.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, args: string[], options: RamOptions) => {
      process.exitCode = await ram(file, args, options);
    });
}

async function ram(file: string, args: readonly string[], options: RamOptions): Promise<number> {
  for (const name of options.policies)
    if (!/[./\\]/.test(name) && !RECLAIM_POLICIES.some((each) => each === name))
      throw new UsageError(`--policies ${name}: there is no such policy; there are ${RECLAIM_POLICIES.join(', ')}`);
  const command = [file, ...args];
  const input = process.stdin.isTTY ? new Uint8Array(0) : readFileSync(0);
  const folder = mkdtempSync(join(tmpdir(), 'faultline-ram-'));
  try {
    const given = givenOptions(command.length);
    const first = recordFirst(folder, given, command, input);
    if (typeof first === 'number') return first;
    const sizesFor = (pages: number): number[] =>
      options.sizes ?? ladder(pages * PAGE_BYTES + KERNEL_BYTES, options.memory);
    const need = options.references ? await profile(first.recording, sizesFor) : null;
    const pages = need?.pages ?? first.stats.peakRssKb / 4;
    const sizes = sizesFor(pages);
    const swap = options.swap.length > 0 ? [] : ['--swap', String(swapFor(pages * PAGE_BYTES))];
    const rungs: Rung[] = options.policies.flatMap((policy) => sizes.map((memoryBytes) => ({ policy, memoryBytes })));
    const results = await climb(rungs, { options: [...given, ...swap], command, input, folder }, (count) =>
      progress(`${count} of ${rungs.length} runs`),
    );
    progress(null);
    const answer = answerRam(file, results, need);
    if (options.svg !== undefined) writeSvg(options.svg, chartsSvg(ramCharts(file, answer)));
    if (options.svg !== '-')
      process.stdout.write(options.json === true ? `${JSON.stringify(answer, null, 2)}\n` : formatRam(answer));
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The options as they were given, without our own: what stands before the program. */
function givenOptions(commandLength: number): string[] {
  const words = process.argv.slice(process.argv.indexOf('ram') + 1, process.argv.length - commandLength);
  const kept: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const [name, value] = words[at].split('=', 2);
    if (OWN_OPTIONS[name] === undefined) kept.push(words[at]);
    else if (OWN_OPTIONS[name] && value === undefined) at++;
  }
  return kept.at(-1) === '--' ? kept.slice(0, -1) : kept;
}

interface First {
  readonly recording: string;
  readonly stats: Counters & { readonly peakRssKb: number };
}

/** The run with all its memory, which the reference stream is taken of; or the status of a run that could not be made. */
function recordFirst(
  folder: string,
  given: readonly string[],
  command: readonly string[],
  input: Uint8Array,
): First | number {
  progress('the run with all its memory');
  const recording = join(folder, 'run.flt');
  const stats = join(folder, 'stats.json');
  // Nobody goes to a point of it.
  const own = ['--output', recording, '--checkpoint-every', String(Number.MAX_SAFE_INTEGER), '--stats-json', stats];
  const run = spawnSync(process.execPath, [process.argv[1], 'record', ...given, ...own, ...command], {
    input,
    stdio: ['pipe', 'ignore', 'pipe'],
    maxBuffer: 2 ** 28,
  });
  progress(null);
  try {
    return { recording, stats: JSON.parse(readFileSync(stats, 'utf8')) as First['stats'] };
  } catch {
    process.stderr.write(run.stderr);
    return run.status ?? 1;
  }
}

/** What the page references of the recorded run say about memories of these sizes in bytes. */
async function profile(file: string, sizesFor: (pages: number) => readonly number[]): Promise<MemoryNeed> {
  progress('its page references');
  const replay = (await openRecording(file)).makeReplay();
  const trace = new ReferenceTrace(replay.system.kernel, MAX_REFERENCES);
  replay.forward({ at: 'end' });
  trace.close();
  const need = memoryNeed(trace, (pages) =>
    sizesFor(pages).map((bytes) => Math.max(1, (bytes - KERNEL_BYTES) / PAGE_BYTES)),
  );
  progress(null);
  return need;
}

/** From what the run can use down, each step some 0.7 of the one before, in sizes that people write. */
function ladder(wantedBytes: number, mostBytes: number): number[] {
  const sizes: number[] = [];
  for (let size = SMALLEST_BYTES; ; size *= 2) {
    sizes.push(size, size * 1.5);
    if (size * 1.5 >= wantedBytes) break;
  }
  const enough = sizes.findIndex((size) => size >= wantedBytes);
  return sizes
    .slice(0, enough + 1)
    .filter((size) => size <= mostBytes)
    .reverse()
    .slice(0, RUNGS);
}

/** All that the program has, and more. */
function swapFor(footprintBytes: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(64 * 2 ** 20, 2 * footprintBytes)));
}

function parseSizes(text: string): number[] {
  const sizes = text.split(',').map(parseSize);
  if (sizes.some((size) => size === null || size < SMALLEST_BYTES))
    throw new InvalidArgumentError('write sizes such as 8M,12M,16M; a machine needs 4M.');
  return [...new Set(sizes as number[])].sort((a, b) => b - a);
}

/** One line on a terminal, gone when there is nothing more to say. */
function progress(what: string | null): void {
  if (process.stderr.isTTY) process.stderr.write(what === null ? '\r\x1b[K' : `\r\x1b[Kfaultline: ${what} ...`);
}
