import { type Command, Option } from 'commander';
import type { OpenRecording } from '../open-recording.ts';
import { UsageError } from '../usage-error.ts';

/** What every question takes. */
export interface ReportOptions {
  /** Where the run is looked at, or up to where; as `--to` of replay. */
  readonly to?: string;
  readonly limit: number;
  readonly json?: true;
  readonly output?: string;
}

/** One question of `faultline report RECORDING QUESTION`: a file of this folder each. */
export interface Question<Options extends ReportOptions = never> {
  readonly name: string;
  /** What it answers, in half a line. */
  readonly about: string;
  /** Beside ReportOptions. Questions may share one: then it takes the same kind of value, and each says what it does there. */
  readonly options: readonly Option[];
  /** Command lines behind `faultline report run.flt`, with what they are for. */
  readonly examples: readonly (readonly [args: string, purpose: string])[];
  /** Prints the answer and gives the exit status: 1 where the recording is not whole. */
  answer(recording: OpenRecording, options: Options): number;
}

const COMMON: readonly Option[] = [
  new Option('--to <point>', 'up to there (as with replay); default: the end'),
  new Option('--limit <n>', 'lines to print').argParser(Number).default(40),
  new Option('--json', 'all of it, for programs'),
  new Option('-o, --output <file>', 'where it goes; default: standard output'),
];

/** The options of all questions, each with the names of those that take it. */
export function addOptions(command: Command, questions: readonly Question[]): void {
  const takers = new Map<string, { readonly option: Option; readonly names: Map<string, string[]> }>();
  for (const { name, options } of questions)
    for (const option of options) {
      const taken = takers.get(option.flags) ?? { option, names: new Map<string, string[]>() };
      takers.set(option.flags, taken);
      taken.names.set(option.description, [...(taken.names.get(option.description) ?? []), name]);
    }
  for (const { option, names } of takers.values()) {
    const about = [...names].map(([description, each]) => `${each.join(', ')}: ${description}`).join('; ');
    const shown = new Option(option.flags, about);
    if (option.defaultValue !== undefined) shown.default(option.defaultValue);
    if (option.parseArg !== undefined) shown.argParser(option.parseArg);
    command.addOption(shown);
  }
  for (const option of COMMON) command.addOption(option);
}

/** An option of another question would be passed over in silence: says so. */
export function checkOptions(command: Command, asked: Question, questions: readonly Question[]): void {
  const taken = new Set([...asked.options, ...COMMON].map(({ long }) => long));
  for (const option of command.options) {
    if (taken.has(option.long) || command.getOptionValueSource(option.attributeName()) !== 'cli') continue;
    const takers = questions.filter(({ options }) => options.some(({ long }) => long === option.long));
    throw new UsageError(
      `${option.long}: is not of ${asked.name}; ${takers.map(({ name }) => name).join(', ')} takes it`,
    );
  }
  const { limit } = command.opts<ReportOptions>();
  if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit: write how many lines are to be printed');
}
