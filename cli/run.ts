import { Command, InvalidArgumentError, Option } from 'commander';
import { type DiskKind, type InjectOptions, RECLAIM_POLICIES, type SwapSource } from '../src/index.ts';
import { type HugepagesOption, parseHugepages } from './hugepages-option.ts';
import { parseInject } from './inject-option.ts';
import { type MountOption, parseMount } from './mount-option.ts';
import { runProgram } from './run-program.ts';
import { parseSize } from './size.ts';
import { parseSwap } from './swap-option.ts';
import { parseTrace, type TraceOption } from './trace-option.ts';

export interface RunOptions {
  memory: number;
  mount: MountOption[];
  root?: string;
  env: string[];
  cwd?: string;
  stats?: true;
  statsJson?: string;
  trace?: TraceOption;
  traceFile?: string;
  strace?: true;
  seed: number;
  clock: 'virtual' | 'host';
  paging: 'sv39' | 'sv48' | 'sv57';
  hugepages: HugepagesOption[];
  swap: SwapSource[];
  jit: 'off' | 'on' | 'always';
  disk: DiskKind;
  vmaIndex: 'list' | 'avl' | 'rbtree' | 'maple';
  /** A name of RECLAIM_POLICIES, or a file. */
  reclaim: string;
  inject?: InjectOptions;
}

const EXAMPLES = `
The program sees the current folder at the same path (its writes are dropped at the end) and nothing else of the host.
The exit status is the program's, or 128 + N when signal N killed it.

Examples:
  faultline run hello.c one two               compile for riscv64 (cached) and run with two arguments
  faultline run --stats ./program             counters at the end, in the manner of perf stat
  faultline run --trace faults --trace-file faults.txt ./program
  faultline run --trace cow_copy,swap_in ./program   the events of two kinds
  faultline run --mount .:rw ./program        keep what it writes in the current folder
  faultline run --mount ~/data:/data:ro --env LANG=C --cwd /data ./program
  faultline run --root ./debian-riscv64 /bin/sh -c 'ls -l /'
  faultline run --memory 16M --swap 64M --stats ./program
  faultline run --memory 1G --seed 7 --stats-json stats.json ./program`;

export function runCommand(): Command {
  return addRunOptions(new Command('run'))
    .description('Run a program: a riscv64 ELF file, or a .c file, which is compiled first.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, args: string[], options: RunOptions) => {
      process.exitCode = await runProgram(file, args, options);
    });
}

/** Arguments and options of every command that runs a program. */
export function addRunOptions(command: Command): Command {
  return command
    .argument('<program>', 'riscv64 ELF file, #! script, or .c file')
    .argument('[args...]', 'its arguments')
    .passThroughOptions()
    .addOption(
      new Option('--memory <size>', "the machine's RAM: 64M, 1G ...")
        .argParser(memorySize)
        .default(256 * 2 ** 20, '256M'),
    )
    .addOption(
      new Option(
        '--swap <size|zram:size|file>',
        'swap: so much memory outside of the RAM (64M, 1G ...), pages of that size compressed in the RAM, or a host file that mkswap was run on; may be repeated',
      )
        .argParser((text: string, before: SwapSource[]) => [...before, parseSwap(text)])
        .default([], 'none'),
    )
    .addOption(
      new Option(
        '--mount <host[:guest][:mode]>',
        'show a host file or folder to the guest; mode: ro, rw, or overlay (writes are dropped at the end); may be repeated',
      )
        .argParser((text: string, before: MountOption[]) => [...before, parseMount(text)])
        .default([], 'none'),
    )
    .option('--root <dir>', 'host folder that becomes the root of the guest (overlay)')
    .addOption(
      new Option('--env <K=V>', 'set a variable; K alone passes the host’s value on; may be repeated')
        .argParser((text: string, before: string[]) => [...before, text])
        .default([], 'none'),
    )
    .option('--cwd <dir>', 'guest folder to start in')
    .option('--stats', 'print counters on standard error at the end')
    .option('--stats-json <file>', 'write counters to a file')
    .option(
      '--trace <what>',
      'print one line an event on standard error: faults (in words), events (all that the kernel tells), or names of events, such as page_fault,cow_copy (docs/events.md)',
      parseTrace,
    )
    .option('--trace-file <file>', 'write the trace to a file instead')
    .option('--strace', "print the program's system calls on standard error")
    .option('--seed <n>', 'seed of all randomness', wholeNumber, 1)
    .option('--clock <virtual|host>', 'where the guest’s time comes from', clockKind, 'virtual')
    .addOption(
      new Option('--paging <format>', 'page tables of 3, 4 or 5 levels')
        .choices(['sv39', 'sv48', 'sv57'])
        .default('sv39'),
    )
    .addOption(
      new Option('--jit <when>', 'translate code to WebAssembly: never, where it runs often, all of it (for tests)')
        .choices(['off', 'on', 'always'])
        .default('on'),
    )
    .addOption(
      new Option(
        '--hugepages <size=count,...>',
        'huge pages in the pools from boot on: 2M=16,1G=1; more by nr_hugepages',
      )
        .argParser(parseHugepages)
        .default([], 'none'),
    )
    .addOption(
      new Option('--disk <kind>', 'what the disk takes in virtual time, for files of the host and swap files')
        .choices(['nvme', 'ssd', 'hdd'])
        .default('nvme'),
    )
    .addOption(
      new Option('--vma-index <kind>', 'how address spaces keep their VMAs: as in early Linux, 2.4, 2.6 to 6.0, 6.1')
        .choices(['list', 'avl', 'rbtree', 'maple'])
        .default('maple'),
    )
    .addOption(
      new Option(
        '--reclaim <policy>',
        `which pages go when memory is short: ${RECLAIM_POLICIES.join(', ')}, or a file such as ./my-policy.ts`,
      ).default(RECLAIM_POLICIES[0]),
    )
    .addOption(
      new Option(
        '--inject <what=probability,...>',
        'what fails although it need not, by the seed: frames=P,slab=P,disk-read=P,disk-write=P,swap-full',
      ).argParser(parseInject),
    );
}

function memorySize(text: string): number {
  const bytes = parseSize(text);
  if (bytes === null) throw new InvalidArgumentError('write a size such as 64M or 1G.');
  return bytes;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff || text.trim() === '') {
    throw new InvalidArgumentError('write a whole number from 0 to 4294967295.');
  }
  return value;
}

function clockKind(text: string): 'virtual' | 'host' {
  if (text !== 'virtual' && text !== 'host') throw new InvalidArgumentError('write virtual or host.');
  return text;
}
