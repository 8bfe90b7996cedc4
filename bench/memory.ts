import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { compileForGuest } from '../cli/toolchain.ts';
import { plainEnvironment } from './plain-environment.ts';
import { DEBIAN_ROOT, GUEST_FLAGS } from './platforms.ts';

/**
 * `npm run bench -- --memory [--rounds N]`: the host's memory at its peak, over what the guest has touched of its own: what Faultline itself
 * takes. Each program runs by dist/cli.js, as users run it; of several rounds the largest counts, and the smallest is beside it. Programs of
 * Debian where the test suite has put them.
 */
interface Case {
  readonly name: string;
  /** A C file under bench/guest/, or a path in `root`. */
  readonly program: string;
  readonly root: string | null;
  readonly args: readonly string[];
  /** Of the guest's RAM; default 256. */
  readonly memoryMiB?: number;
}

/** Exit status 1 above it. */
const LIMIT_MIB = 120;
const MIB = 2 ** 20;
const STATIC_ROOT = join(import.meta.dirname, '../.cache/debian-riscv64');

const PYTHON = `
import json, re, hashlib
def f(n): return n if n < 2 else f(n - 1) + f(n - 2)
d = {'k%d' % i: i * 3 for i in range(20000)}
s = json.dumps(d); t = json.loads(s)
print(f(20), len(t), sum(len(w) for w in re.findall(r'k\\d+', s)), hashlib.sha256(s.encode()).hexdigest(), sum(i * i % 7 for i in range(300000)))`;
const PERL =
  'my %h; for my $i (1..200000) { $h{$i % 977} .= "x$i"; } print length(join("", map { $h{$_} } sort keys %h)), "\\n"';
const SQL =
  'create table t(a integer primary key, b int, c text); with recursive s(i) as (select 1 union all select i + 1 from s where i < 30000) insert into t select i, i * 7919 % 1009, i || c from s, (select 1 as c); create index x on t(b); select sum(u.a), count(*) from t u join t v on v.b = u.b and v.a = u.a;';
const SHELL = 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; echo $i | sed s/6/5/';

const CASES: readonly Case[] = [
  { name: 'a program that ends at once', program: 'integers', root: null, args: [] },
  { name: 'coremark', program: 'integers', root: null, args: ['coremark', '10000'] },
  { name: 'dhrystone', program: 'integers', root: null, args: ['dhrystone', '10000'] },
  { name: 'matmul', program: 'floats', root: null, args: ['matmul', '300'] },
  { name: 'a walk over 256 MiB', program: 'memory', root: null, args: ['chase_256m', '1000'], memoryMiB: 384 },
  { name: 'fork of 64 MiB', program: 'processes', root: null, args: ['fork_exit_64m', '3'] },
  { name: 'busybox sh', program: '/bin/busybox', root: STATIC_ROOT, args: ['sh', '-c', SHELL] },
  { name: 'python', program: '/usr/bin/python3.13', root: DEBIAN_ROOT, args: ['-c', PYTHON] },
  { name: 'perl', program: '/usr/bin/perl', root: DEBIAN_ROOT, args: ['-e', PERL] },
  { name: 'sqlite', program: '/usr/bin/sqlite3', root: DEBIAN_ROOT, args: [':memory:', SQL] },
];

const CLI = join(import.meta.dirname, '../dist/cli.js');
const HOOK = join(import.meta.dirname, 'peak-of-process.cjs');

/** What peak-of-process.cjs says. */
interface Peak {
  readonly hostBytes: number;
  readonly guestBytes: number;
}

export async function runMemory(): Promise<void> {
  if (!existsSync(CLI)) throw new Error('dist/ is not built: npm run build');
  const roundsAt = process.argv.indexOf('--rounds');
  const rounds = roundsAt < 0 ? 1 : Number(process.argv[roundsAt + 1]);
  let worst = 0;
  console.log('MiB of the host at the peak, of guest RAM that was touched, and the rest');
  for (const each of CASES) {
    if (each.root !== null && !existsSync(join(each.root, each.program))) {
      console.log(`${each.name.padEnd(28)} not here: ${each.root}${each.program}`);
      continue;
    }
    const program = each.root === null ? await compile(each.program) : each.program;
    // The first run of all leaves V8's code cache (cli/launch.ts).
    if (worst === 0) measure(each, program);
    const peaks = Array.from({ length: rounds }, () => measure(each, program)).sort((a, b) => ownMiB(a) - ownMiB(b));
    const most = peaks[rounds - 1];
    worst = Math.max(worst, ownMiB(most));
    const columns = [most.hostBytes / MIB, most.guestBytes / MIB, ownMiB(most)].map((mib) =>
      mib.toFixed(0).padStart(6),
    );
    const least = rounds === 1 ? '' : `  (${ownMiB(peaks[0]).toFixed(0)} at least)`;
    console.log(
      `${each.name.padEnd(28)}${columns.join('')}${least}${ownMiB(most) > LIMIT_MIB ? `  above ${LIMIT_MIB}` : ''}`,
    );
  }
  console.log(`${worst.toFixed(0)} MiB at most; no more than ${LIMIT_MIB} is the aim`);
  if (worst > LIMIT_MIB) process.exitCode = 1;
}

function ownMiB({ hostBytes, guestBytes }: Peak): number {
  return (hostBytes - guestBytes) / MIB;
}

function measure({ name, root, args, memoryMiB }: Case, program: string): Peak {
  const options = ['--memory', `${memoryMiB ?? 256}M`, ...(root === null ? [] : ['--root', root])];
  const child = spawnSync(process.execPath, ['--require', HOOK, CLI, 'run', ...options, program, ...args], {
    encoding: 'utf8',
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const said = child.output[3];
  if (!said) throw new Error(`${name}: ${child.stderr}`);
  return JSON.parse(said) as Peak;
}

async function compile(program: string): Promise<string> {
  const source = join(import.meta.dirname, 'guest', `${program}.c`);
  const built = await compileForGuest(source, { extraFlags: GUEST_FLAGS });
  if ('error' in built) throw new Error(built.error);
  return built.elf;
}
