import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { type Difference, differencesOf, firstParting, formatComparison, type Parting } from './comparison.ts';
import { runQuietly } from './quiet-run.ts';
import { UsageError } from './usage-error.ts';

const EXAMPLES = `
A and B are options of faultline run, each in one word. Counters that are the same are left out, but for --all. What is compared is
exact and repeats itself: the smallest difference is one.

Examples:
  faultline compare '--reclaim mglru' '--reclaim two-list' -- --memory 16M --swap 64M ./program arguments
  faultline compare '--paging sv39' '--paging sv57' -- ./program
  faultline compare '--memory 64M' '--memory 16M --swap 64M' -- sort.c`;

interface CompareOptions {
  all?: true;
  json?: true;
}

interface Side {
  readonly exitStatus: number;
  readonly stats: Readonly<Record<string, unknown>>;
  readonly faults: readonly string[];
}

export function compareCommand(): Command {
  return (
    new Command('compare')
      .passThroughOptions()
      // A and B begin with a dash each.
      .allowUnknownOption()
      .argument('<A>', 'options of one run')
      .argument('<B>', 'options of the other')
      .argument('<program...>', 'options of both, the program, and its arguments')
      .option('--all', 'all counters, those that are the same too')
      .option('--json', 'answer as JSON')
      .description('Run a program in two ways, and say what differs and where the runs part.')
      .addHelpText('after', EXAMPLES)
      .action(async (a: string, b: string, program: string[], options: CompareOptions) => {
        process.exitCode = await compare(a, b, program[0] === '--' ? program.slice(1) : program, options);
      })
  );
}

async function compare(a: string, b: string, program: readonly string[], options: CompareOptions): Promise<number> {
  const input = process.stdin.isTTY ? new Uint8Array(0) : readFileSync(0);
  const folder = mkdtempSync(join(tmpdir(), 'faultline-compare-'));
  try {
    const names = [a, b];
    const [first, second] = await Promise.all(
      names.map((text, at) => runSide(wordsOf(text), program, input, join(folder, String(at)))),
    );
    const statuses = { metric: 'exit status', a: first.exitStatus, b: second.exitStatus };
    const differences: Difference[] = [statuses, ...differencesOf(first.stats, second.stats)];
    const shown = options.all === true ? differences : differences.filter((each) => each.a !== each.b);
    const parting: Parting | null = firstParting(first.faults, second.faults);
    const text = formatComparison({ a, b, differences: shown, parting });
    process.stdout.write(
      options.json === true ? `${JSON.stringify({ a, b, differences: shown, parting }, null, 2)}\n` : text,
    );
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Words between spaces; quotes hold words together as in a shell. */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain);
}

async function runSide(
  options: readonly string[],
  program: readonly string[],
  input: Uint8Array,
  stem: string,
): Promise<Side> {
  const own = ['--stats-json', `${stem}.json`, '--trace', 'faults', '--trace-file', `${stem}.txt`];
  const { exitStatus, errors } = await runQuietly([...own, ...options, ...program], input);
  try {
    const stats = JSON.parse(readFileSync(`${stem}.json`, 'utf8')) as Side['stats'];
    const faults = readFileSync(`${stem}.txt`, 'utf8').split('\n').slice(0, -1);
    return { exitStatus, stats, faults };
  } catch {
    const why = errors.split('\n').find((line) => /^(faultline|error):/.test(line)) ?? `exit status ${exitStatus}`;
    throw new UsageError(`with '${options.join(' ')}': ${why.replace(/^(faultline|error): /, '')}`);
  }
}
