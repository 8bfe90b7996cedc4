import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { MemoryEnvironment, System } from '../src/index.ts';
import { NodeEnvironment } from './node-environment.ts';
import { withProgress } from './progress.ts';
import { compileForGuest } from './toolchain.ts';
import { TwoColumns } from './two-columns.ts';
import { UsageError } from './usage-error.ts';

const HERE = import.meta.dirname;

export function demoCommand(): Command {
  return new Command('demo')
    .description('A tour: what a C program prints on the left, the page faults that it took and why on the right.')
    .option('--columns <n>', 'width of the page, 80 to 120 (default: the terminal’s)', columnCount)
    .addHelpText('after', '\nExample:\n  faultline demo --columns 100 | less')
    .action((options: { columns?: number }) => runDemo(options.columns ?? process.stdout.columns ?? 100));
}

function columnCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 80 || value > 120)
    throw new InvalidArgumentError('write a number from 80 to 120.');
  return value;
}

async function runDemo(columns: number): Promise<void> {
  // dist/cli.js stands beside guest/ in the package, and so does cli/demo.ts in a checkout.
  const source = join(HERE, '..', 'guest', 'demo.c');
  if (!existsSync(source)) throw new UsageError(`${source} is missing: install the package again`);
  const compiled = await withProgress('compiling guest/demo.c for riscv64', () => compileForGuest(source, {}));
  if ('error' in compiled) {
    process.stderr.write(compiled.diagnostics ?? '');
    throw new UsageError(compiled.error);
  }

  const write = (text: string) => process.stdout.write(text);
  const hasColour = process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '';
  const page = new TwoColumns({ columns, colour: hasColour ? 'colour' : 'plain', write });
  const environment = new MemoryEnvironment({
    host: new NodeEnvironment().host,
    onOutput: (_descriptor, bytes) => page.addOutput(bytes),
  });
  const system = new System({ environment, memoryBytes: 64 * 2 ** 20 });
  const program = `/demo/${basename(source, '.c')}`;
  system.mount({ host: compiled.elf, guest: program, mode: 'ro' });
  system.onFault((fault) => page.addFault(fault));

  page.addTitle('what guest/demo.c prints', 'its page faults meanwhile, and why');
  const started = system.spawn(program, [program, 'maps'], { cwd: '/tmp' });
  if (started < 0) throw new UsageError(`guest/demo.c could not be run (${started})`);
  while (system.run({ instructions: 10_000_000 }) !== 'exited');
  page.flush();
  const stats = system.stats({ wallMs: 0 });
  write(
    `\n${stats.pgfault} page faults in ${stats.instructions} instructions,\n` +
      `at most ${stats.peakRssKb} kB resident and ${stats.pageTableKbPeak} kB of page tables.\n` +
      'Your own program: npx faultline run --trace faults --stats program.c\n',
  );
  const exit = system.exitStatus(started);
  system.shutdown();
  if (exit.code !== 0)
    throw new UsageError(`guest/demo.c ended with ${exit.signal === null ? exit.code : `signal ${exit.signal}`}`);
}
