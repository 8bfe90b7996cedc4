import { Command, InvalidArgumentError } from 'commander';
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
  checkpointEvery?: number;
}

export function recordCommand(): Command {
  return addRunOptions(new Command('record'))
    .option('-o, --output <file>', 'where the recording goes', 'run.flt')
    .option(
      '--checkpoint-every <n>',
      'instructions between points that a replay can begin at; default: what runs in some half a second',
      parseInterval,
    )
    .description('Run a program and keep the run, to be replayed and asked about.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, args: string[], options: RecordOptions) => {
      process.exitCode = await runProgram(file, args, options, {
        recordTo: options.output,
        checkpointEvery: options.checkpointEvery,
      });
    });
}

function parseInterval(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('a whole number from 1 on is needed.');
  return number;
}
