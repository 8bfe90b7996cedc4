import { Command } from 'commander';
import type { LevelsReport } from '../src/index.ts';
import { grouped } from './numbers.ts';
import { addRunOptions, type RunOptions } from './run.ts';
import { runProgram } from './run-program.ts';

const EXAMPLES = `
The table is about the program's own address space at its end, and goes to standard error.

Examples:
  faultline levels hello.c
  faultline levels --paging sv48 ./program a b`;

export function levelsCommand(): Command {
  return addRunOptions(new Command('levels'))
    .option('--json', 'as JSON, for programs')
    .description('Run a program and print what its page tables take, and would take with one to five levels.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, args: string[], options: RunOptions & { json?: true }) => {
      const last = new Map<number, LevelsReport>();
      let program = 0;
      process.exitCode = await runProgram(file, args, options, {
        watch: (system, pid) => {
          program = pid;
          system.onSpaceExit((report) => last.set(report.pid, report));
        },
      });
      const report = last.get(program);
      if (report === undefined) return;
      const command = [file, ...args].join(' ');
      const text = options.json === true ? `${JSON.stringify(report)}\n` : formatLevelsTable(report, command);
      process.stderr.write(text);
    });
}

/** Ends with a newline. */
function formatLevelsTable(report: LevelsReport, commandLine: string): string {
  const lines = report.rows.map(({ levels, indexBits, tables, bytes, isInForce }) => {
    const notes = [
      `${grouped(bytes).padStart(19)}`,
      `${binarySize(bytes).padStart(10)}`,
      `${grouped(tables).padStart(10)}`,
      isInForce ? `   ${report.format}, in force` : levels === 1 ? '   flat' : '',
    ];
    return `${String(levels).padStart(8)}   ${indexBits.join('+').padEnd(16)}${notes.join('')}`.trimEnd();
  });
  const pages = `${grouped(report.pages)} ${report.pages === 1 ? 'page' : 'pages'}`;
  return [
    '',
    ` Page tables of '${commandLine}' at its end: ${pages} in ${grouped(report.runs)} ${report.runs === 1 ? 'run' : 'runs'}`,
    '',
    '  levels   index bits                   bytes                tables',
    ...lines,
    '',
    '',
  ].join('\n');
}

function binarySize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
