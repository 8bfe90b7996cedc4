import { Command } from 'commander';
import { ATTRIBUTION_KEYS } from '../src/index.ts';
import { openRecording } from './open-recording.ts';
import { reportCode } from './report-code.ts';
import { STACK_FORMATS } from './stack-formats.ts';

const HELP = `
One line each: function (default), source line, VMA or process; the sums are the kernel's counters. Overhead is the share of the column
that is sorted by. Peak and Resident are bytes: at the moment at which most was resident, and at the point of --to.

Examples:
  faultline report run.flt
  faultline report run.flt --by line --sort peak       which line made this memory resident
  faultline report run.flt --by function --sort cow    what fork cost, and who copied
  faultline report run.flt --annotate program.c        the source, with the faults of each line
  faultline report run.flt --format pprof -o run.pb.gz  for \`go tool pprof\`, speedscope, Perfetto
  faultline report run.flt --format perfetto -o run.pftrace   for ui.perfetto.dev
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
}

export function reportCommand(): Command {
  return new Command('report')
    .argument('<recording>', 'what faultline record wrote')
    .option('--by <what>', ATTRIBUTION_KEYS.join(', '), 'function')
    .option('--sort <column>', 'faults, maj, min, cow, refault, swapin, peak, resident, tlb, or a kind of fault')
    .option('--limit <n>', 'lines to print', Number, 40)
    .option('--to <point>', 'up to there (as with replay); default: the end')
    .option('--annotate <file>', 'the source of a file, with what each line did')
    .option('--json', 'all of it, for programs')
    .option(
      '--format <name>',
      `call stacks, in place of the table: ${STACK_FORMATS.join(', ')} (collapsed and flamegraph: of the column of --sort)`,
    )
    .option('-o, --output <file>', 'where it goes; default: standard output')
    .description('Say which code of a recorded run took page faults, copied pages and keeps memory.')
    .addHelpText('after', HELP)
    .action(async (file: string, options: ReportOptions) => {
      process.exitCode = reportCode(await openRecording(file), options);
    });
}
