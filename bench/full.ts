import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JitMode } from '../src/arch/riscv64/jit/pace.ts';
import { compareWithBaseline, type Ratios } from './baseline.ts';
import { type Effort, measureRow, type Result } from './measure.ts';
import { findPlatforms } from './platforms.ts';
import { formatLine, formatMeans, HEADING, machineLine, ratioOf, toJson, toMarkdown } from './report.ts';
import { ROWS } from './rows.ts';
import { formatStartUp, measureStartUp, type StartUp } from './start-up.ts';

/**
 * `npm run bench`: every row on Faultline, native Linux and qemu-riscv64. Options: --json (nothing else on standard output),
 * --only NAME[,NAME...] (a name or the start of one), --rounds N (default 5), --ms N (how long a measured stretch is, default 200; three times as long in Faultline), --time cpu (CPU time: for a busy machine),
 * --jit off, on (default) or always, --save (write the ratios to baseline-full.json), --markdown (write docs/performance.md between its marks).
 */
const BASELINE = join(import.meta.dirname, 'baseline-full.json');
const DOCUMENT = join(import.meta.dirname, '../docs/performance.md');
const BEGIN = '<!-- begin: written by npm run bench -- --markdown -->\n';
const END = '<!-- end -->\n';

function option(name: string): string | null {
  const at = process.argv.indexOf(name);
  return at < 0 ? null : (process.argv[at + 1] ?? '');
}

function jitMode(text: string): JitMode {
  if (text === 'off' || text === 'on' || text === 'always') return text;
  throw new Error(`--jit ${text}: write off, on or always`);
}

export async function runFull(): Promise<void> {
  const json = process.argv.includes('--json');
  const only = option('--only')?.split(',') ?? null;
  const effort: Effort = {
    rounds: Number(option('--rounds') ?? 5),
    targetMs: Number(option('--ms') ?? 200),
    time: option('--time') === 'cpu' ? 'cpu' : 'wall',
  };
  const rows = ROWS.filter(({ name }) => only === null || only.some((start) => name.startsWith(start)));
  if (rows.length === 0)
    throw new Error(`--only ${only}: no row begins so; the rows are ${ROWS.map(({ name }) => name).join(' ')}`);
  const own = rows.filter(({ whole }) => whole === undefined).map(({ program }) => program);
  const { guest, present, absent, close } = await findPlatforms([...new Set(own)], jitMode(option('--jit') ?? 'on'));
  const baseline: Record<string, Ratios> = JSON.parse(readFileSync(BASELINE, 'utf8'));
  const results: Result[] = [];
  let startUp: StartUp | null = null;
  const say = (line: string): void => {
    if (!json) console.log(line);
  };
  try {
    say(machineLine());
    for (const platform of present) say(`${platform.name.padEnd(10)} ${platform.title}`);
    for (const line of absent) say(`absent     ${line}`);
    say(
      `${effort.time === 'cpu' ? 'CPU time' : 'time'} of one operation, and how fast Faultline is against the others (above 1: the faster one)`,
    );
    say(HEADING);
    for (const row of rows) {
      const result = measureRow(row, present, effort);
      results.push(result);
      const why = [...result.figures].flatMap(([name, figure]) =>
        figure.why === '' ? [] : [`${name}: ${figure.why}`],
      );
      say(formatLine(result, [...why, ...compareWithBaseline(ratios(result), baseline[row.name])].join('; ')));
    }
    for (const line of formatMeans(results)) say(line);
    const program = guest.values().next().value;
    if (only === null && program !== undefined) startUp = measureStartUp(program, effort.rounds);
    if (startUp !== null) say(formatStartUp(startUp));
  } finally {
    close();
  }
  if (json) console.log(JSON.stringify({ ...toJson(results, absent), startUp }, null, 2));
  if (process.argv.includes('--save')) {
    for (const result of results) baseline[result.row.name] = ratios(result);
    writeFileSync(BASELINE, `${JSON.stringify(baseline, null, 2)}\n`);
  }
  if (process.argv.includes('--markdown')) {
    const text = readFileSync(DOCUMENT, 'utf8');
    const [before, after] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
    const titles = present.map(({ title }) => title);
    writeFileSync(
      DOCUMENT,
      text.slice(0, before) +
        toMarkdown(results, titles, absent, effort.time) +
        (startUp === null ? '' : `\n${formatStartUp(startUp)}.\n`) +
        text.slice(after),
    );
  }
}

function ratios(result: Result): Ratios {
  const short = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(3)));
  return { native: short(ratioOf(result, 'native')), qemu: short(ratioOf(result, 'qemu')) };
}
