import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../cli/usage-error.ts';
import { compareResults, groupBy, type Row } from './compare.ts';
import { conformanceDocument } from './conformance-document.ts';
import {
  type CaseResult,
  CONFORM_FOLDER,
  formatRecord,
  listPrograms,
  type Program,
  parseResults,
  readExplained,
  recordedKernel,
  recordPath,
} from './own-cases.ts';
import { findNativeCompiler, isSameKernel, nativeKernel, runNative, runOurs } from './own-run.ts';

export interface OwnSettings {
  /** The repository. */
  readonly root: string;
  /** Names of programs; empty: all. */
  readonly programs: readonly string[];
  /** Part of "call | flag | case"; null: all. */
  readonly only: string | null;
  readonly action: 'compare' | 'record';
  /** Whether programs that change /proc/sys may run natively. */
  readonly sysctl: 'allowed' | 'left';
}

export const DOCUMENT = 'docs/conformance.md';
/** As many runs must print the same before a result is recorded. */
const RECORD_RUNS = 5;

/** `npm run conform` without --suite: 0 if every case is as recorded or explained, else 1. */
export async function runOwnCases(settings: OwnSettings): Promise<number> {
  const folder = join(settings.root, CONFORM_FOLDER);
  const all = listPrograms(folder);
  const unknown = settings.programs.find((name) => !all.some((program) => program.name === name));
  if (unknown !== undefined) throw new UsageError(`there is no guest/conform/${unknown}.c`);
  const isChosen = ({ name }: Program) => settings.programs.length === 0 || settings.programs.includes(name);
  const programs = all.filter(isChosen);
  if (settings.action === 'record') return record(folder, programs, settings);
  const rows = await compare(folder, programs, settings);
  if (programs.length === all.length && settings.only === null) {
    writeFileSync(join(settings.root, DOCUMENT), conformanceDocument(rows, recordedKernel(all)));
    print(`${DOCUMENT} is written`);
  }
  const verdicts = groupBy(rows, (row) => row.verdict);
  print(`${rows.length} cases: ${[...verdicts].map(([verdict, some]) => `${some.length} ${verdict}`).join(', ')}`);
  return rows.every(({ verdict }) => verdict === 'works' || verdict === 'explained') ? 0 : 1;
}

async function compare(folder: string, programs: readonly Program[], settings: OwnSettings): Promise<Row[]> {
  const explained = readExplained(folder);
  const compiler = chooseNative(programs);
  const rows: Row[] = [];
  for (const program of programs) {
    const ours = await runOurs(program, { filter: settings.only });
    if (ours.leakedFrames !== 0) print(`${program.name}: ${ours.leakedFrames} frames leaked`);
    const own = compareResults(program, parseResults(ours.output), explained).filter(
      ({ call, topic, text }) => settings.only === null || `${call} | ${topic} | ${text}`.includes(settings.only),
    );
    for (const row of own) {
      const native = row.native.join(' / ');
      const shown = row.verdict === 'works' ? 'same' : row.ours.join(' / ');
      print([row.call, row.topic, row.text, native, shown, row.verdict].join('\t'));
    }
    rows.push(...own);
    if (compiler !== null && (!program.changesSystem || settings.sysctl === 'allowed'))
      checkRecord(program, parseResults(runNative(program, compiler, settings.only)));
  }
  return rows;
}

/** The compiler to run natively with; null, and a line that says why, where this machine cannot check the record. */
function chooseNative(programs: readonly Program[]): string | null {
  const kernel = nativeKernel();
  const recorded = recordedKernel(programs);
  if (kernel === null || !isSameKernel(kernel, recorded)) {
    print(`native results are the record of ${recorded}; this is ${kernel ?? process.platform}`);
    return null;
  }
  const compiler = findNativeCompiler();
  if (compiler === null) print(`native results are the record of ${recorded}; no C compiler (cc, gcc, clang) is here`);
  return compiler;
}

/** The record decides; where this machine answers otherwise, it says so. */
function checkRecord(program: Program, results: readonly CaseResult[]): void {
  const recorded = new Map(program.record?.results.map(({ title, lines }) => [title, lines.join(' / ')]));
  for (const { title, lines } of results) {
    const now = lines.join(' / ');
    if (recorded.get(title) === now) continue;
    print(`${program.name}: this machine differs from the record: ${title}: ${now} (recorded: ${recorded.get(title)})`);
  }
}

function record(folder: string, programs: readonly Program[], settings: OwnSettings): number {
  const kernel = nativeKernel();
  const compiler = findNativeCompiler();
  if (kernel === null || compiler === null) throw new UsageError('--record needs Linux and a C compiler');
  let failed = 0;
  for (const program of programs) {
    if (program.changesSystem && settings.sysctl === 'left') {
      print(`${program.name}: left as it is; it changes /proc/sys and runs with --sysctl only`);
      continue;
    }
    const first = runNative(program, compiler, null);
    const problem = findProblem(program, compiler, first);
    if (problem === null) writeFileSync(recordPath(folder, program.name), formatRecord(kernel, first));
    else failed++;
    print(`${program.name}: ${problem ?? `${parseResults(first).length} cases recorded`}`);
  }
  return failed === 0 ? 0 : 1;
}

/** Why the output must not be recorded; null if it may. */
function findProblem(program: Program, compiler: string, first: string): string | null {
  const titles = parseResults(first).map(({ title }) => title);
  const twice = titles.find((title, at) => titles.indexOf(title) !== at);
  if (twice !== undefined) return `two cases have the title ${twice}`;
  const setup = /^(MUST failed.*|map_anon.*)$/m.exec(first);
  if (setup !== null) return setup[1];
  for (let run = 1; run < RECORD_RUNS; run++) {
    const next = runNative(program, compiler, null);
    const now = parseResults(next);
    const other = parseResults(first).find(({ lines }, at) => lines.join('\n') !== now[at]?.lines.join('\n'));
    if (other !== undefined) return `prints something else in another run: ${other.title}`;
  }
  return null;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
