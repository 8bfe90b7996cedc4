import { Command } from 'commander';
import { PolicyError, ReplayError } from '../src/index.ts';
import { EXIT_INTERNAL_ERROR, reportInternalError } from './panic-report.ts';
import { UsageError } from './usage-error.ts';

declare const FAULTLINE_VERSION: string;

/** What a shell reports for a program that wrote to a closed pipe: 128 + SIGPIPE. */
const EXIT_BROKEN_PIPE = 141;
const EXIT_USAGE = 2;

const EXAMPLES = `
Examples:
  faultline demo                                        a tour, with the page faults beside it
  faultline run hello.c                                 compile a C file for riscv64 and run it
  faultline run --trace faults --stats ./program a b    run an ELF file and see its page faults
  faultline record -o run.flt ./program                 keep a run, to be asked about later
  faultline replay run.flt --to 2ms maps                its memory at that time
  faultline report run.flt --by line                    which line faulted, and made memory resident
  faultline run --help                                  all options`;

/** Does what our own process was called for, which is one of `commands`. */
export function runCommandLine(commands: readonly Command[]): void {
  endWithReader();
  const program = new Command('faultline')
    .description(
      'Runs unmodified riscv64 Linux programs on its own CPU, kernel and memory manager, and shows every page of them.',
    )
    .version(FAULTLINE_VERSION)
    .enablePositionalOptions()
    .showHelpAfterError('(see --help)')
    .addHelpText('after', EXAMPLES);
  for (const command of commands) program.addCommand(command);
  program.parseAsync().catch(reportFailure);
}

/**
 * The reader of our output may go away (`faultline ... | head`): no news for the user. Only when a stream is first used: a plain run
 * writes without them, and loading them would be a tenth of a short one.
 */
function endWithReader(): void {
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
}

function reportFailure(error: unknown): void {
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
}
