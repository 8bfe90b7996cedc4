import { Command } from 'commander';
import { addRunOptions, type RunOptions } from './run.ts';
import { runProgram } from './run-program.ts';

const EXAMPLES = `
The run is as with \`faultline run\`. The recording holds what the run depends on, files that it read included: \`faultline replay\`
does the same again on any machine, without them.

Examples:
  faultline record -o demo.flt demo.c
  faultline replay demo.flt --to 2ms maps`;

interface RecordOptions extends RunOptions {
  output: string;
}

export function recordCommand(): Command {
  return addRunOptions(new Command('record'))
    .option('-o, --output <file>', 'where the recording goes', 'run.flt')
    .description('Run a program and keep the run, to be replayed and asked about.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, args: string[], options: RecordOptions) => {
      process.exitCode = await runProgram(file, args, options, { recordTo: options.output });
    });
}
