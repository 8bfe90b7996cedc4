import { Command } from 'commander';
import { ATTRIBUTION_KEYS } from '../src/index.ts';
import { type OpenRecording, openRecording } from './open-recording.ts';
import { reportCode } from './report-code.ts';
import { reportMemory } from './report-memory.ts';
import { STACK_FORMATS } from './stack-formats.ts';
import { UsageError } from './usage-error.ts';

const HELP = `
Questions:
  code       which code took faults and keeps memory (default)
  memory     RSS, PSS, USS and swap over time, and what made the peak

code: one line each: function (default), source line, VMA or process; the sums are the kernel's counters. Overhead is the share of the column
that is sorted by. Peak and Resident are bytes: at the moment at which most was resident, and at the point of --to.

Examples:
  faultline report run.flt
  faultline report run.flt --by line --sort peak       which line made this memory resident
  faultline report run.flt --by function --sort cow    what fork cost, and who copied
  faultline report run.flt --annotate program.c        the source, with the faults of each line
  faultline report run.flt --format pprof -o run.pb.gz  for \`go tool pprof\`, speedscope, Perfetto
  faultline report run.flt --format perfetto -o run.pftrace   for ui.perfetto.dev
  faultline report run.flt memory                      the processes at the peak, why, and a plot; -o memory.svg: as SVG
  faultline report run.flt --format flamegraph --sort peak -o peak.svg`;

export interface ReportOptions {
  by: string;
  sort?: string;
  limit: number;
  to?: string;
  json?: true;
  format?: string;
  output?: string;
  annotate?: string;
  every?: string;
  pid?: number;
}

/** Each prints its answer and gives the exit status: 1 where the recording is not whole. */
const QUESTIONS: Readonly<Record<string, (recording: OpenRecording, options: ReportOptions) => number>> = {
  code: reportCode,
  memory: reportMemory,
};

export function reportCommand(): Command {
  return new Command('report')
    .argument('<recording>', 'what faultline record wrote')
    .argument('[question]', 'code or memory', 'code')
    .option('--by <what>', ATTRIBUTION_KEYS.join(', '), 'function')
    .option('--sort <column>', 'faults, maj, min, cow, refault, swapin, peak, resident, tlb, or a kind of fault')
    .option('--limit <n>', 'lines to print', Number, 40)
    .option('--to <point>', 'up to there (as with replay); default: the end')
    .option('--annotate <file>', 'the source of a file, with what each line did')
    .option('--every <time>', 'memory: virtual time between two samples (100us, 1ms); default: a 64th of the run')
    .option('--pid <n>', 'memory: plot this process alone; default: the sum of all', Number)
    .option('--json', 'all of it, for programs')
    .option(
      '--format <name>',
      `call stacks, in place of the table: ${STACK_FORMATS.join(', ')} (collapsed and flamegraph: of the column of --sort)`,
    )
    .option('-o, --output <file>', 'where it goes; default: standard output')
    .description('Say which code of a recorded run took page faults and keeps memory, and how much was resident when.')
    .addHelpText('after', HELP)
    .action(async (file: string, question: string, options: ReportOptions) => {
      const answer = QUESTIONS[question];
      if (answer === undefined)
        throw new UsageError(`${question}: is no question; there are ${Object.keys(QUESTIONS).join(', ')}`);
      process.exitCode = answer(await openRecording(file), options);
    });
}
