/**
 * Compares Faultline with Linux, case by case:
 *
 *   npm run conform [-- [--only TEXT] [--record] [--sysctl] [PROGRAM...]]
 *
 * runs our own cases, guest/conform/PROGRAM.c, on both and writes docs/conformance.md; --record writes what this Linux prints as
 * the record that decides, --sysctl lets the programs that change /proc/sys run natively.
 *
 * With --suite it runs prebuilt riscv64 test programs of public suites, each on a fresh machine, several at once:
 *
 *   npm run conform -- --suite DIR [--cases FILE] [--reach LIST] [--only TEXT] [--jobs N] [--timeout SECONDS] [--memory SIZE]
 *                      [--out FILE] [--results FILE] [--verbose]
 *
 * Prints a row for each case (suite, case, verdict, seconds, detail), writes the same, sorted, to FILE (DIR/conform-results.tsv),
 * with --results also a document that keeps the rows of the cases that did not run now (docs/conformance-suites.md),
 * and ends with status 0 if all passed, 1 if not, 2 after bad input.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { parseSize } from '../cli/size.ts';
import { UsageError } from '../cli/usage-error.ts';
import { type Case, listCases, readCases } from './conform/cases.ts';
import { findBusybox, HOW_TO_GET_SHELL } from './conform/guest-root.ts';
import { type OwnSettings, runOwnCases } from './conform/own.ts';
import { type CaseResult, type MachineSettings, runCase } from './conform/run-case.ts';
import {
  mergeRows,
  parseSuitesDocument,
  readReasons,
  type SuiteRow,
  suitesDocument,
} from './conform/suites-document.ts';

interface Settings {
  readonly cases: readonly Case[];
  readonly jobs: number;
  readonly timeoutMs: number;
  readonly machine: MachineSettings;
  readonly out: string;
  /** The document; null: none. */
  readonly results: string | null;
  readonly isVerbose: boolean;
}

interface Request {
  readonly item: Case;
  readonly machine: MachineSettings;
}

/** An error of ours is a verdict on one case, not the end of the run. */
function guarded({ item, machine }: Request): CaseResult {
  try {
    return runCase(item, machine);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      verdict: 'error',
      detail: message.split('\n')[0],
      output: String(error instanceof Error ? error.stack : ''),
    };
  }
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsed(args);
  if (values.suite === undefined) return runOwnCases(readOwnSettings(values, positionals));
  const settings = readSettings(values);
  if (settings.machine.busybox === null) process.stderr.write(`conform: ${HOW_TO_GET_SHELL}\n`);
  writeRows(settings.out, []);
  const rows: string[] = [];
  const fresh: SuiteRow[] = [];
  const counts = new Map<string, number>();
  const queue = [...settings.cases];
  const worker = async () => {
    const slot = new Slot(settings);
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      const startedMs = performance.now();
      const result = await slot.run(item);
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      const row = [item.suite, item.name, result.verdict, seconds, result.detail].join('\t');
      rows.push(row);
      fresh.push({ suite: item.suite, name: item.name, verdict: result.verdict, detail: result.detail });
      counts.set(result.verdict, (counts.get(result.verdict) ?? 0) + 1);
      process.stdout.write(`${row}\n`);
      if (settings.isVerbose && result.verdict !== 'pass') process.stdout.write(`${result.output.trimEnd()}\n`);
    }
    await slot.close();
  };
  await Promise.all(Array.from({ length: Math.min(settings.jobs, queue.length) }, worker));
  writeRows(settings.out, rows.sort());
  if (settings.results !== null) updateDocument(settings.results, fresh);
  const summary = [...counts].map(([verdict, count]) => `${count} ${verdict}`).join(', ');
  process.stdout.write(`${settings.cases.length} cases: ${summary}\n`);
  return counts.get('pass') === settings.cases.length ? 0 : 1;
}

function writeRows(file: string, rows: readonly string[]): void {
  try {
    writeFileSync(file, ['suite\tcase\tverdict\tseconds\tdetail', ...rows, ''].join('\n'));
  } catch (error) {
    throw new UsageError(`--out ${file}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Why cases do not pass, in our words. */
const REASONS = 'guest/conform/expected/suites.txt';

function updateDocument(file: string, fresh: readonly SuiteRow[]): void {
  const old = existsSync(file) ? parseSuitesDocument(readFileSync(file, 'utf8')) : [];
  const reasons = readReasons(join(import.meta.dirname, '..', REASONS));
  try {
    writeFileSync(file, suitesDocument(mergeRows(old, fresh), reasons));
  } catch (error) {
    throw new UsageError(`--results ${file}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** A worker thread, replaced when a case does not end in time or takes it down. */
class Slot {
  private readonly settings: Settings;
  private worker: Worker | null = null;

  constructor(settings: Settings) {
    this.settings = settings;
  }

  run(item: Case): Promise<CaseResult> {
    this.worker ??= new Worker(new URL(import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: 2048 } });
    const worker = this.worker;
    return new Promise((done) => {
      const finish = (result: CaseResult, isUsable: boolean) => {
        clearTimeout(timer);
        worker.off('message', onMessage).off('error', onError);
        if (!isUsable) {
          this.worker = null;
          void worker.terminate();
        }
        done(result);
      };
      const onMessage = (result: CaseResult) => finish(result, true);
      const onError = (error: Error) => finish({ verdict: 'error', detail: error.message, output: '' }, false);
      const { timeoutMs, machine } = this.settings;
      const timer = setTimeout(() => {
        finish({ verdict: 'timeout', detail: `not finished after ${timeoutMs / 1000} s`, output: '' }, false);
      }, timeoutMs);
      worker.on('message', onMessage).on('error', onError);
      worker.postMessage({ item, machine } satisfies Request);
    });
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
  }
}

type Options = ReturnType<typeof parsed>['values'];

const SUITE_OPTIONS = ['cases', 'reach', 'jobs', 'timeout', 'memory', 'out', 'results'] as const;

function readOwnSettings(values: Options, programs: readonly string[]): OwnSettings {
  const foreign = SUITE_OPTIONS.find((name) => values[name] !== undefined);
  if (foreign !== undefined) throw new UsageError(`--${foreign} needs --suite DIR: the folder with the test programs`);
  return {
    root: join(import.meta.dirname, '..'),
    programs,
    only: values.only ?? null,
    action: values.record === true ? 'record' : 'compare',
    sysctl: values.sysctl === true ? 'allowed' : 'left',
  };
}

function readSettings(values: Options): Settings {
  const dir = resolve(values.suite ?? '');
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UsageError(`--suite ${values.suite}: there is no such folder`);
  }
  const all = values.cases === undefined ? listCases(dir) : readCases(values.cases, dir);
  const reach = values.reach?.split(',');
  const only = values.only;
  const cases = all.filter(
    (item) =>
      (reach === undefined || reach.includes(item.reach)) &&
      (only === undefined || item.name.includes(only) || item.suite === only),
  );
  if (cases.length === 0) throw new UsageError('--reach and --only leave no case');
  const memoryBytes = parseSize(values.memory ?? '3G');
  if (memoryBytes === null || memoryBytes < 2 ** 22 || memoryBytes >= 2 ** 32) {
    throw new UsageError(`--memory ${values.memory}: give a size from 4M to under 4G`);
  }
  return {
    cases,
    jobs: wholeNumber('--jobs', values.jobs ?? String(availableParallelism())),
    timeoutMs: wholeNumber('--timeout', values.timeout ?? '300') * 1000,
    machine: { memoryBytes, busybox: findBusybox(join(import.meta.dirname, '..')) },
    out: values.out ?? join(dir, 'conform-results.tsv'),
    results: values.results ?? null,
    isVerbose: values.verbose === true,
  };
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        suite: text,
        cases: text,
        reach: text,
        only: text,
        jobs: text,
        timeout: text,
        memory: text,
        out: text,
        results: text,
        verbose: { type: 'boolean' },
        record: { type: 'boolean' },
        sysctl: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message.split('\n')[0]);
  }
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 86_400) {
    throw new UsageError(`${option} ${text}: give a whole number from 1`);
  }
  return value;
}

if (isMainThread) {
  process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`conform: ${error.message}\n`);
    return error.exitStatus;
  });
} else {
  parentPort!.on('message', (request: Request) => parentPort!.postMessage(guarded(request)));
}
