import { Command } from 'commander';
import { PolicyError, ReplayError } from '../src/index.ts';
import { compareCommand } from './compare.ts';
import { demoCommand } from './demo.ts';
import { diffCommand } from './diff.ts';
import { levelsCommand } from './levels.ts';
import { EXIT_INTERNAL_ERROR, reportInternalError } from './panic-report.ts';
import { policyCommand } from './policy.ts';
import { ramCommand } from './ram.ts';
import { recordCommand } from './record.ts';
import { replayCommand } from './replay.ts';
import { reportCommand } from './report/command.ts';
import { runCommand } from './run.ts';
import { simCommand } from './sim.ts';
import { statCommand } from './stat.ts';
import { topCommand } from './top.ts';
import { UsageError } from './usage-error.ts';

declare const FAULTLINE_VERSION: string;

/** What a shell reports for a program that wrote to a closed pipe: 128 + SIGPIPE. */
const EXIT_BROKEN_PIPE = 141;
const EXIT_USAGE = 2;

// The reader of our output may go away (`faultline ... | head`): no news for the user. Only when a stream is first used: a plain run
// writes without them, and loading them would be a tenth of a short one.
for (const name of ['stdout', 'stderr'] as const) {
  const lazy = Object.getOwnPropertyDescriptor(process, name)!;
  Object.defineProperty(process, name, {
    ...lazy,
    get: () => {
      Object.defineProperty(process, name, lazy);
      return process[name].on('error', ({ code }: NodeJS.ErrnoException) =>
        process.exit(code === 'EPIPE' ? EXIT_BROKEN_PIPE : 1),
      );
    },
  });
}

const program = new Command('faultline')
  .description(
    'Runs unmodified riscv64 Linux programs on its own CPU, kernel and memory manager, and shows every page of them.',
  )
  .version(FAULTLINE_VERSION)
  .enablePositionalOptions()
  .showHelpAfterError('(see --help)')
  .addHelpText(
    'after',
    `
Examples:
  faultline demo                                        a tour, with the page faults beside it
  faultline run hello.c                                 compile a C file for riscv64 and run it
  faultline run --trace faults --stats ./program a b    run an ELF file and see its page faults
  faultline record -o run.flt ./program                 keep a run, to be asked about later
  faultline replay run.flt --to 2ms maps                its memory at that time
  faultline report run.flt --by line                    which line faulted, and made memory resident
  faultline run --help                                  all options`,
  )
  .addCommand(runCommand())
  .addCommand(statCommand())
  .addCommand(topCommand())
  .addCommand(ramCommand())
  .addCommand(simCommand())
  .addCommand(compareCommand())
  .addCommand(diffCommand())
  .addCommand(recordCommand())
  .addCommand(replayCommand())
  .addCommand(reportCommand())
  .addCommand(demoCommand())
  .addCommand(levelsCommand())
  .addCommand(policyCommand());

program.parseAsync().catch((error: unknown) => {
  if (error instanceof PolicyError || error instanceof ReplayError) {
    process.stderr.write(`faultline: ${error.message}\n`);
    process.exitCode = EXIT_USAGE;
  } else if (error instanceof UsageError) {
    process.stderr.write(`faultline: ${error.message}\n`);
    process.exitCode = error.exitStatus;
  } else {
    process.stderr.write(`${reportInternalError(error, FAULTLINE_VERSION)}\n`);
    process.exitCode = EXIT_INTERNAL_ERROR;
  }
});
