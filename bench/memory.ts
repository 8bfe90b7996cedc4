import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NodeHostFiles } from '../cli/node-host-files.ts';
import { compileForGuest } from '../cli/toolchain.ts';
import { MemoryEnvironment } from '../src/machine/memory-environment.ts';
import { PAGE_SIZE } from '../src/machine/units.ts';
import { System } from '../src/system.ts';
import { DEBIAN_ROOT, GUEST_FLAGS } from './platforms.ts';

/**
 * `npm run bench -- --memory`: the host's memory at its peak, over what the guest has touched of its own: what Faultline itself takes.
 * Each program runs in a process of its own, translated as users have it. Programs of Debian where the test suite has put them.
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

interface Peak {
  readonly hostBytes: number;
  readonly guestBytes: number;
}

export async function runMemory(): Promise<void> {
  const self = process.env['FAULTLINE_BENCH_BUNDLE'] ?? fileURLToPath(import.meta.url);
  let worst = 0;
  console.log('MiB of the host at the peak, of guest RAM that was touched, and the rest');
  for (const each of CASES) {
    if (each.root !== null && !existsSync(join(each.root, each.program))) {
      console.log(`${each.name.padEnd(28)} not here: ${each.root}${each.program}`);
      continue;
    }
    const program = each.root === null ? await compile(each.program) : each.program;
    const request = JSON.stringify({ ...each, program });
    const child = spawnSync(process.execPath, [self, '--memory-of', request], { encoding: 'utf8' });
    if (child.status !== 0) throw new Error(`${each.name}: ${child.stderr}`);
    const { hostBytes, guestBytes } = JSON.parse(child.stdout) as Peak;
    const ownMiB = (hostBytes - guestBytes) / MIB;
    worst = Math.max(worst, ownMiB);
    const columns = [hostBytes / MIB, guestBytes / MIB, ownMiB].map((mib) => mib.toFixed(0).padStart(6));
    console.log(`${each.name.padEnd(28)}${columns.join('')}${ownMiB > LIMIT_MIB ? `  above ${LIMIT_MIB}` : ''}`);
  }
  console.log(`${worst.toFixed(0)} MiB at most; no more than ${LIMIT_MIB} is the aim`);
  if (worst > LIMIT_MIB) process.exitCode = 1;
}

async function compile(program: string): Promise<string> {
  const source = join(import.meta.dirname, 'guest', `${program}.c`);
  const built = await compileForGuest(source, { extraFlags: GUEST_FLAGS });
  if ('error' in built) throw new Error(built.error);
  return built.elf;
}

/** In the process of one case. */
export function runMemoryOf({ program, root, args, memoryMiB }: Case): void {
  const system = new System({
    environment: new MemoryEnvironment({ host: new NodeHostFiles() }),
    memoryBytes: (memoryMiB ?? 256) * MIB,
    root: root === null ? null : { host: root },
  });
  const path = root === null ? '/program' : program;
  if (root === null) system.writeFile(path, readFileSync(program), 0o755);
  const pid = system.spawn(path, [path, ...args]);
  if (pid < 0) throw new Error(`${program}: error ${pid} of execve`);
  while (system.run({ instructions: 4_000_000 }) !== 'exited');
  const hostBytes = process.resourceUsage().maxRSS * 1024;
  console.log(JSON.stringify({ hostBytes, guestBytes: touchedBytes(system) } satisfies Peak));
  system.shutdown();
}

/** Pages of guest RAM that are not all zero: at least those are the host's, too. */
function touchedBytes(system: System): number {
  const { ramBase, frameCount, u32 } = system.kernel.mm.ram;
  let pages = 0;
  for (let frame = 0; frame < frameCount; frame++) {
    const start = (ramBase + frame * PAGE_SIZE) / 4;
    for (let word = start; word < start + PAGE_SIZE / 4; word++) {
      if (u32[word] === 0) continue;
      pages++;
      break;
    }
  }
  return pages * PAGE_SIZE;
}
