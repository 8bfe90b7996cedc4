import { Command, InvalidArgumentError, Option } from 'commander';
import { collectProcessMemory, type System } from '../src/index.ts';
import { grouped } from './numbers.ts';
import { parseWhere } from './replay-stop.ts';
import { addRunOptions, type RunOptions } from './run.ts';
import { runProgram } from './run-program.ts';
import { formatSize } from './size.ts';

/** On a terminal a picture stands so long. */
const PICTURE_MS = 250;
const DEFAULT_EVERY_NS = 10e6;
/** The alternate screen, without a cursor; and back. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?1049l\x1b[?25h';

const EXAMPLES = `
Looking changes nothing: the run is the one without it. Where standard error is a terminal, the table stands there while the program runs,
and is drawn anew four times a second; if the program's output is the same terminal, it comes when the program has ended. Else a table
is written each --every of virtual time, the same ones each time.

Columns: mapped, resident, proportional and unique memory and swap in KiB (as procrank has them), faults so far, state.

Examples:
  faultline top ./program arguments
  faultline top --every 1ms ./program 2> memory.txt
  faultline top --json --every 1ms ./program 2> memory.jsonl`;

interface TopOptions extends RunOptions {
  every: number;
  json?: true;
}

export function topCommand(): Command {
  return addRunOptions(new Command('top'))
    .addOption(
      new Option('--every <time>', 'virtual time between two tables, where they are written one after the other')
        .argParser(parseTime)
        .default(DEFAULT_EVERY_NS, '10ms'),
    )
    .option('--json', 'a line of JSON in place of each table, for programs')
    .description('Run a program, and show the memory of its processes meanwhile.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, args: string[], options: TopOptions) => {
      process.exitCode = await top(file, args, options);
    });
}

async function top(file: string, args: readonly string[], options: TopOptions): Promise<number> {
  if (process.stderr.isTTY !== true || options.json === true) {
    const show = options.json === true ? jsonOf : (system: System) => `${tableOf(system).join('\n')}\n\n`;
    return await runProgram(file, args, options, { between: writer(options.every, show) });
  }
  const output = process.stdout.isTTY === true ? 'at the end' : 'shown';
  process.stderr.write(ENTER);
  const leave = (): void => void process.stderr.write(LEAVE);
  process.once('exit', leave);
  try {
    return await runProgram(file, args, options, {
      output,
      between: painter(),
      ended: () => {
        process.off('exit', leave);
        leave();
      },
    });
  } catch (error) {
    process.off('exit', leave);
    leave();
    throw error;
  }
}

/** What `show` says each so much virtual time, at the first pause of the run behind it. */
function writer(everyNs: number, show: (system: System) => string): (system: System) => void {
  let dueNs = everyNs;
  return (system) => {
    const { nowNs } = system.kernel.clock;
    if (nowNs < dueNs) return;
    dueNs = (Math.floor(nowNs / everyNs) + 1) * everyNs;
    process.stderr.write(show(system));
  };
}

function painter(): (system: System) => void {
  let shownMs = Number.NEGATIVE_INFINITY;
  return (system) => {
    const nowMs = performance.now();
    if (nowMs - shownMs < PICTURE_MS) return;
    shownMs = nowMs;
    // A terminal that does not know its size says 0.
    const rows = process.stderr.rows || 24;
    const columns = process.stderr.columns || 80;
    const lines = tableOf(system)
      .slice(0, rows - 1)
      .map((line) => line.slice(0, columns));
    process.stderr.write(`\x1b[H${lines.map((line) => `${line}\x1b[K\r\n`).join('')}\x1b[J`);
  };
}

function jsonOf({ kernel }: System): string {
  const { mm, clock, cpu, vmstat } = kernel;
  const { pgfault, pgmajfault, pswpin, pswpout } = vmstat;
  const machine = { nowNs: clock.nowNs, instructions: cpu.retired, pgfault, pgmajfault, pswpin, pswpout };
  const frames = { freeFrames: mm.alloc.freeCount, frames: mm.frames.frameCount };
  return `${JSON.stringify({ ...machine, ...frames, processes: collectProcessMemory(kernel) })}\n`;
}

function tableOf({ kernel }: System): string[] {
  const { mm, clock, cpu, vmstat } = kernel;
  const { freeCount } = mm.alloc;
  const processes = collectProcessMemory(kernel);
  const cell = (value: number, width: number): string => String(value).padStart(width);
  return [
    `${(clock.nowNs / 1e6).toFixed(3)} ms, ${grouped(cpu.retired)} instructions, ${grouped(vmstat.pgfault)} faults (${grouped(vmstat.pgmajfault)} major), ${formatSize(freeCount * 4096)} free of ${formatSize(mm.frames.frameCount * 4096)}, swapped in ${grouped(vmstat.pswpin)} and out ${grouped(vmstat.pswpout)} pages`,
    '  PID       Vss       Rss       Pss       Uss      Swap    minflt  majflt S  cmdline',
    ...processes.map(
      ({ pid, vssKb, rssKb, pssKb, ussKb, swapKb, minorFaults, majorFaults, state, command }) =>
        `${cell(pid, 5)} ${cell(vssKb, 8)}K ${cell(rssKb, 8)}K ${cell(pssKb, 8)}K ${cell(ussKb, 8)}K ${cell(swapKb, 8)}K ${cell(minorFaults, 9)} ${cell(majorFaults, 7)} ${state}  ${command}`,
    ),
  ];
}

function parseTime(text: string): number {
  try {
    const where = parseWhere(text);
    if (where.at === 'time' && where.ns > 0) return where.ns;
  } catch {}
  throw new InvalidArgumentError('write a time such as 500us or 10ms.');
}
