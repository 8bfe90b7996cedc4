import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileForGuest } from '../cli/toolchain.ts';
import { MemoryEnvironment } from '../src/machine/memory-environment.ts';
import { EventLog } from '../src/observe/event-log/event-log.ts';
import { System } from '../src/system.ts';

/**
 * `npm run bench -- --events`: what it costs to listen to all events, in ratios to nobody listening, on programs that do little but make
 * events. CPU time, best of ROUNDS (`--rounds N`), the ways in turns, so that what else the machine does meets all of them.
 */
const roundsAt = process.argv.indexOf('--rounds');
const ROUNDS = roundsAt < 0 ? 5 : Number(process.argv[roundsAt + 1]);
const MiB = 2 ** 20;

const PROGRAMS = [
  { name: 'faults', source: 'quick-paths.c', args: ['faults', '60000'], memory: 64, swap: 0 },
  { name: 'fork, copies', source: 'quick-paths.c', args: ['forks', '1000'], memory: 64, swap: 0 },
  { name: 'swap', source: '../test/guest/machines/pressure.c', args: ['16'], memory: 6, swap: 64 },
] as const;

/** How events are listened to; the log is read nowhere, but emptied whenever it is full. */
const WAYS = {
  'nobody listens': () => {},
  counted: ({ kernel: { events } }: System) => {
    let count = 0;
    const kinds = Array.from(events.enabled, (_, kind) => kind);
    events.subscribe(kinds, () => count++);
  },
  'kept in columns': ({ kernel: { events } }: System) => {
    new EventLog(events, { maxEvents: 500_000, onFull: (log) => log.clear() });
  },
} as const;
type Way = keyof typeof WAYS;
const NAMES = Object.keys(WAYS) as Way[];

function run(elf: Uint8Array, { args, memory, swap }: (typeof PROGRAMS)[number], way: Way): number {
  const system = new System({ environment: new MemoryEnvironment(), memoryBytes: memory * MiB, jit: 'on' });
  if (swap > 0) system.addSwap({ sizeBytes: swap * MiB });
  system.writeFile('/program', elf, 0o755);
  const pid = system.spawn('/program', ['/program', ...args]);
  WAYS[way](system);
  const before = process.cpuUsage();
  const status = system.run({ instructions: 2e9 });
  const { user, system: inKernel } = process.cpuUsage(before);
  if (status !== 'exited' || system.exitStatus(pid).code !== 0) throw new Error(`${args.join(' ')}: ${status}`);
  system.shutdown();
  return (user + inKernel) / 1000;
}

/** How many events the program makes. */
function countEvents(elf: Uint8Array, program: (typeof PROGRAMS)[number]): number {
  const { memory, swap, args } = program;
  const system = new System({ environment: new MemoryEnvironment(), memoryBytes: memory * MiB, jit: 'on' });
  if (swap > 0) system.addSwap({ sizeBytes: swap * MiB });
  system.writeFile('/program', elf, 0o755);
  system.spawn('/program', ['/program', ...args]);
  const log = new EventLog(system.kernel.events, { maxEvents: 0 });
  system.run({ instructions: 2e9 });
  return log.dropped;
}

export async function runEvents(): Promise<void> {
  console.log(`${'program'.padEnd(14)}${'events'.padStart(12)}${NAMES.map((name) => name.padStart(24)).join('')}`);
  for (const program of PROGRAMS) {
    const built = await compileForGuest(join(import.meta.dirname, program.source), {
      extraFlags: [],
      env: { ...process.env, PATH: '', FAULTLINE_CC: '' },
    });
    if ('error' in built) throw new Error(built.error);
    const elf = readFileSync(built.elf);
    const events = countEvents(elf, program);
    const best = new Map<Way, number>();
    for (let round = 0; round < ROUNDS; round++)
      for (const way of NAMES)
        best.set(way, Math.min(best.get(way) ?? Number.POSITIVE_INFINITY, run(elf, program, way)));
    const idle = best.get('nobody listens') ?? Number.NaN;
    const cells = NAMES.map((way) => {
      const ms = best.get(way) ?? Number.NaN;
      return `${ms.toFixed(0)} ms (${(ms / idle).toFixed(2)})`.padStart(24);
    });
    console.log(`${program.name.padEnd(14)}${events.toLocaleString('en-US').padStart(12)}${cells.join('')}`);
  }
}
