import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { addRunOptions, type RunOptions } from './run.ts';
import { runProgram } from './run-program.ts';
import { formatStatsTable } from './stats-table.ts';
import { UsageError } from './usage-error.ts';

const EXAMPLES = `
The counters are exact and the same each time. They go to standard error, as perf stat's, so that the program keeps its output; the exit
status is the program's.

Examples:
  faultline stat ./program arguments
  faultline stat --json -o counters.json ./program
  faultline stat --memory 16M --swap 64M sort.c`;

interface StatOptions extends RunOptions {
  json?: true;
  output?: string;
}

export function statCommand(): Command {
  return addRunOptions(new Command('stat'))
    .option('-j, --json', 'as JSON')
    .option('-o, --output <file>', 'write to a file; -: standard output')
    .description('Run a program and count what it did: instructions, faults, TLB misses, system calls, copies, swap.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, args: string[], options: StatOptions) => {
      process.exitCode = await stat(file, args, options);
    });
}

async function stat(file: string, args: readonly string[], options: StatOptions): Promise<number> {
  return await runProgram(file, args, options, {
    ended: (exit, { wallMs: _, ...stats }) => {
      const command = [file, ...args].join(' ');
      const text =
        options.json === true
          ? `${JSON.stringify({ command, exit, ...stats }, null, 2)}\n`
          : formatStatsTable({ ...stats, wallMs: null }, command);
      write(text, options.output);
    },
  });
}

function write(text: string, file: string | undefined): void {
  if (file === undefined) process.stderr.write(text);
  else if (file === '-') process.stdout.write(text);
  else
    try {
      writeFileSync(file, text);
    } catch (error) {
      throw new UsageError(`-o ${file}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
    }
}
