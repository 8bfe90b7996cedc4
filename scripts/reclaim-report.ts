/**
 * Compares the reclaim policies on real programs that want more memory than there is: `npm run reclaim-report`. Writes the numbers and
 * plots into docs/reclaim/ and the tables of docs/reclaim.md. Everything is virtual, so the same numbers come out everywhere.
 * Wants dist/ (npm run build) and Debian's programs (.cache/, see .ci/run).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RECLAIM_POLICIES } from '../src/index.ts';
import { barChart } from './reclaim-plot.ts';

const ROOT = join(import.meta.dirname, '..');
const DEBIAN = join(ROOT, '.cache/debian-riscv64-dynamic');
const OUT = join(ROOT, 'docs/reclaim');

interface Workload {
  readonly name: string;
  readonly title: string;
  readonly memory: string;
  readonly swap: string;
  /** For /bin/sh in the guest; /data has the input. */
  readonly script: string;
}

export interface Row {
  readonly policy: string;
  readonly refaultsAnon: number;
  readonly refaultsFile: number;
  readonly swapIn: number;
  readonly swapOut: number;
  readonly virtualMs: number;
}

const WORKLOADS: readonly Workload[] = [
  {
    name: 'scan',
    title: 'a file scan beside a hot set',
    memory: '10M',
    swap: '32M',
    script: '/data/hot-and-scan 900 2500 /data/big',
  },
  {
    name: 'sort',
    title: 'a sort larger than memory',
    memory: '7M',
    swap: '64M',
    script: 'LC_ALL=C sort -n -S 60M --parallel=1 /data/numbers | md5sum',
  },
  {
    name: 'database',
    title: 'a database',
    memory: '7M',
    swap: '32M',
    script: 'sqlite3 /tmp/db < /data/queries.sql',
  },
  {
    name: 'build',
    title: 'a build',
    memory: '6M',
    swap: '32M',
    script:
      'for s in /data/src/*; do cat /data/include/* $s | grep -c define > /tmp/o.$(basename $s); done; cat /tmp/o.* | md5sum',
  },
];

/** Numbers below 2^31 in an order that is the same everywhere (Knuth's MMIX generator, high half). */
function* numbers(): Generator<number> {
  for (let state = 1n; ; ) {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffff_ffff_ffff_ffffn;
    yield Number(state >> 33n);
  }
}

function makeInput(folder: string): void {
  const draw = numbers();
  const next = (below: number): number => (draw.next().value as number) % below;
  execFileSync(join(ROOT, 'node_modules/.bin/zig'), [
    'cc',
    '-target',
    'riscv64-linux-musl',
    '-O2',
    '-static',
    join(ROOT, 'bench/reclaim/hot-and-scan.c'),
    '-o',
    join(folder, 'hot-and-scan'),
  ]);
  writeFileSync(join(folder, 'big'), Buffer.alloc(2500 * 4096, 'faultline '));
  writeFileSync(join(folder, 'numbers'), Array.from({ length: 70_000 }, () => `${next(1e9)}\n`).join(''));
  const queries = ['pragma cache_size=-8000;', 'create table t(k integer primary key, v text, n integer);', 'begin;'];
  for (let row = 0; row < 5000; row++)
    queries.push(`insert into t values(${row}, hex(zeroblob(${100 + next(150)})), ${next(1000)});`);
  queries.push('commit;', 'create index i on t(n);');
  // Most look for few rows.
  for (let i = 0; i < 1500; i++)
    queries.push(`select length(v) from t where k=${next(4) > 0 ? next(600) : next(5000)};`);
  queries.push(
    'select count(*), sum(length(v)) from t;',
    'select n, count(*) from t group by n order by 2 desc limit 3;',
  );
  writeFileSync(join(folder, 'queries.sql'), queries.join('\n'));
  const lines = (count: number): string =>
    Array.from({ length: count }, () => `#define M${next(1e6)} ${next(1e9)}\n`).join('');
  for (const kind of ['include', 'src']) mkdirSync(join(folder, kind));
  for (let i = 0; i < 24; i++) writeFileSync(join(folder, 'include', `h${i}.h`), lines(3000));
  for (let i = 0; i < 10; i++) writeFileSync(join(folder, 'src', `s${i}.c`), lines(1500));
}

function run(workload: Workload, policy: string, folder: string): Row {
  const stats = join(folder, 'stats.json');
  const command = `(${workload.script}) > /tmp/out || { tail -3 /tmp/out; exit 1; } >&2; cat /proc/vmstat`;
  const vmstat = execFileSync(
    process.execPath,
    [
      join(ROOT, 'dist/cli.js'),
      'run',
      ...['--root', DEBIAN, '--mount', `${folder}:/data:ro`, '--stats-json', stats],
      ...['--memory', workload.memory, '--swap', workload.swap, '--reclaim', policy],
      '/bin/sh',
      '-c',
      command,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const value = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(vmstat)?.[1]);
  const { virtualNs } = JSON.parse(readFileSync(stats, 'utf8')) as { virtualNs: number };
  return {
    policy,
    refaultsAnon: value('workingset_refault_anon'),
    refaultsFile: value('workingset_refault_file'),
    swapIn: value('pswpin'),
    swapOut: value('pswpout'),
    virtualMs: Math.round(virtualNs / 1e6),
  };
}

function table(rows: readonly Row[]): string {
  const head = '| policy | refaults, anonymous | refaults, file | swapped in | swapped out | virtual ms |';
  const body = rows.map(
    (row) =>
      `| ${row.policy} | ${row.refaultsAnon} | ${row.refaultsFile} | ${row.swapIn} | ${row.swapOut} | ${row.virtualMs} |`,
  );
  return [head, '| --- | ---: | ---: | ---: | ---: | ---: |', ...body].join('\n');
}

const folder = mkdtempSync(join(tmpdir(), 'faultline-reclaim-'));
try {
  makeInput(folder);
  mkdirSync(OUT, { recursive: true });
  const page = join(ROOT, 'docs/reclaim.md');
  const [wanted] = process.argv.slice(2);
  for (const workload of WORKLOADS) {
    if (wanted !== undefined && wanted !== workload.name) continue;
    const rows = RECLAIM_POLICIES.map((policy) => {
      const row = run(workload, policy, folder);
      console.log(workload.name, JSON.stringify(row));
      return row;
    });
    writeFileSync(
      join(OUT, `${workload.name}.svg`),
      barChart(`${workload.title}: --memory ${workload.memory} --swap ${workload.swap}`, rows),
    );
    const begin = `<!-- ${workload.name} -->`;
    const end = `<!-- /${workload.name} -->`;
    const text = readFileSync(page, 'utf8');
    const from = text.indexOf(begin) + begin.length;
    writeFileSync(page, `${text.slice(0, from)}\n${table(rows)}\n${text.slice(text.indexOf(end))}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
