import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { elfFile } from '../setup/elf-file.ts';
import { CLI, faultline } from '../setup/faultline.ts';

/** One program for all: its first argument says what to do. */
const TOOL = `
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static void on_term(int n) { (void)n; write(1, "caught\\n", 7); _exit(9); }
int main(int argc, char **argv, char **envp) {
  const char *what = argc > 1 ? argv[1] : "";
  if (!strcmp(what, "args")) { for (int i = 0; i < argc; i++) printf("%d=%s\\n", i, argv[i]); }
  else if (!strcmp(what, "env")) { while (*envp) puts(*envp++); }
  else if (!strcmp(what, "cwd")) { char b[4096]; puts(getcwd(b, sizeof b)); }
  else if (!strcmp(what, "exit")) return atoi(argv[2]);
  else if (!strcmp(what, "kill")) raise(atoi(argv[2]));
  else if (!strcmp(what, "segv")) *(volatile int *)8 = 1;
  else if (!strcmp(what, "segment")) { int id = shmget(7, 9000, 01600); memset(shmat(id, 0, 0), 1, 9000); return id; }
  else if (!strcmp(what, "both")) { fprintf(stdout, "out\\n"); fflush(stdout); fprintf(stderr, "err\\n"); }
  else if (!strcmp(what, "cat")) { char b[65536]; ssize_t n; long sum = 0; while ((n = read(0, b, sizeof b)) > 0) { sum += n; write(1, b, n); } fprintf(stderr, "%ld\\n", sum); }
  else if (!strcmp(what, "yes")) { for (;;) if (write(1, "yyyyyyy\\n", 8) < 0) return errno; }
  else if (!strcmp(what, "read")) { char b[256]; FILE *f = fopen(argv[2], "r"); if (!f) { printf("errno %d\\n", errno); return 1; } while (fgets(b, sizeof b, f)) fputs(b, stdout); }
  else if (!strcmp(what, "write")) { FILE *f = fopen(argv[2], "w"); if (!f) { printf("errno %d\\n", errno); return 1; } fputs("new\\n", f); fclose(f); }
  else if (!strcmp(what, "memory")) { printf("%ld\\n", sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) >> 20); }
  else if (!strcmp(what, "time")) { struct timespec t; clock_gettime(CLOCK_REALTIME, &t); printf("%ld\\n", (long)t.tv_sec); }
  else if (!strcmp(what, "random")) { unsigned char b[8]; getentropy(b, 8); for (int i = 0; i < 8; i++) printf("%02x", b[i]); puts(""); }
  else if (!strcmp(what, "term")) { signal(SIGTERM, on_term); write(1, "ready\\n", 6); for (volatile long i = 0;; i++) {} }
  else if (!strcmp(what, "spin")) { write(1, "ready\\n", 6); for (volatile long i = 0;; i++) {} }
  else if (!strcmp(what, "sleep")) { write(1, "ready\\n", 6); for (;;) pause(); }
  else if (!strcmp(what, "faults")) {
    char *p = mmap(0, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 4; i++) p[i * 4096] = 1;
    volatile char c = p[8 * 4096]; (void)c;
    if (fork() == 0) { p[0] = 2; _exit(0); }
    wait(0);
    p[0] = 3;
  }
  return 0;
}
`;

let folder: string;
let tool: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-run-'));
  tool = join(folder, 'tool.c');
  writeFileSync(tool, TOOL);
  // Compiles it once; a slow compiler says so on standard error.
  expect(faultline(['run', tool, 'exit', '0'], { cwd: folder }).status).toBe(0);
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (options: readonly string[], args: readonly string[], input?: string | Uint8Array) =>
  faultline(['run', ...options, 'tool.c', ...args], { cwd: folder, input });

describe('it behaves like the program', () => {
  test('arguments; argv[0] of a .c file is the program', () => {
    expect(run([], ['args', '--stats', '-x', '', 'a b']).stdout).toBe('0=tool\n1=args\n2=--stats\n3=-x\n4=\n5=a b\n');
    const other = faultline(['run', `${folder}/tool.c`, 'args'], { cwd: tmpdir() });
    expect(other.stdout).toBe(`0=${folder}/tool\n1=args\n`);
  });
  test('exit status', () => {
    for (const status of [0, 1, 42, 255]) expect(run([], ['exit', String(status)]).status).toBe(status);
  });
  test.each([1, 2, 6, 9, 13, 15])('128 + signal %d', (signal) => {
    expect(run([], ['kill', String(signal)]).status).toBe(128 + signal);
  });
  test('a wild pointer is 139', () => {
    const result = run([], ['segv']);
    expect([result.status, result.stdout, result.stderr]).toEqual([139, '', '']);
  });
  test('standard output and error are two', () => {
    const result = run([], ['both']);
    expect([result.stdout, result.stderr]).toEqual(['out\n', 'err\n']);
  });
  test('standard input, a megabyte with every byte', () => {
    const input = new Uint8Array(2 ** 20).map((_, i) => (i * 7 + (i >> 8)) & 255);
    const result = spawnSync(process.execPath, [CLI, 'run', 'tool.c', 'cat'], {
      cwd: folder,
      input,
      maxBuffer: 2 ** 24,
    });
    expect(result.stderr.toString()).toBe('1048576\n');
    expect(Buffer.compare(result.stdout, Buffer.from(input))).toBe(0);
  });
  test('standard input from a file, from /dev/null and closed', () => {
    const shell = (redirection: string) =>
      execFileSync('sh', ['-c', `"$0" "$1" run tool.c cat ${redirection} 2>&1`, process.execPath, CLI], {
        cwd: folder,
        encoding: 'utf8',
      });
    writeFileSync(join(folder, 'input.txt'), 'from a file\n');
    expect(shell('< input.txt')).toBe('from a file\n12\n');
    expect(shell('< /dev/null')).toBe('0\n');
    expect(shell('<&-')).toMatch(/^0\n$|^$/);
  });
});

describe('pipes and signals of the host', () => {
  test('a reader that goes away ends the program by SIGPIPE', () => {
    const script = '("$0" "$1" run tool.c yes; echo "status $?" >&2) | head -n 1';
    const result = spawnSync('sh', ['-c', script, process.execPath, CLI], { cwd: folder, encoding: 'utf8' });
    expect(result.stdout).toBe('yyyyyyy\n');
    expect(result.stderr).toBe('status 141\n');
  });
  test('help into a closed pipe is silent', () => {
    const result = spawnSync('sh', ['-c', '"$0" "$1" run --help | true', process.execPath, CLI], { encoding: 'utf8' });
    expect(result.stderr).toBe('');
  });
  test.each([
    ['term', 'SIGTERM', 9, 'ready\ncaught\n'],
    ['spin', 'SIGTERM', 143, 'ready\n'],
    ['spin', 'SIGINT', 130, 'ready\n'],
    ['sleep', 'SIGHUP', 129, 'ready\n'],
    ['sleep', 'SIGTERM', 143, 'ready\n'],
  ] as const)('%s gets our %s: status %d', async (what, signal, status, output) => {
    const child = spawn(process.execPath, [CLI, 'run', 'tool.c', what], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // Once: a second signal may find the program at its end, after it has given its handlers back.
    const ended = collect(child, (text) => text === 'ready\n' && child.kill(signal));
    expect(await ended).toEqual({ status, output });
  });
  test('SIGTERM while it waits for a pipe', async () => {
    const child = spawn(process.execPath, [CLI, 'run', '--strace', 'tool.c', 'cat'], { cwd: folder });
    const code = await new Promise((resolve) => {
      child.stderr.on('data', () => setTimeout(() => child.kill('SIGTERM'), 500));
      child.on('close', (status, signal) => resolve(signal ?? status));
    });
    expect(['SIGTERM', 143]).toContain(code);
  });
});

function collect(
  child: ChildProcess,
  onOutput: (text: string) => unknown,
): Promise<{ status: number; output: string }> {
  return new Promise((resolve) => {
    let output = '';
    child.stdout!.on('data', (chunk) => {
      output += chunk;
      onOutput(output);
    });
    child.on('close', (status) => resolve({ status: status ?? -1, output }));
  });
}

describe('what the guest sees', () => {
  test('--memory', () => {
    const megabytes = (size: string) => Number(run(['--memory', size], ['memory']).stdout);
    expect(megabytes('64M')).toBeGreaterThan(55);
    expect(megabytes('64M')).toBeLessThanOrEqual(64);
    expect(megabytes('1G')).toBeGreaterThan(1000);
    const small = run(['--memory', '4M'], ['exit', '5']);
    expect(small.status).toBe(5);
  });
  test('takes back a System V segment that outlives its program', () => {
    expect(run([], ['segment'])).toMatchObject({ status: 0, stderr: '' });
  });

  test('--env', () => {
    const lines = run(['--env', 'A=1', '--env', 'B=x=y', '--env', 'PATH=/p'], ['env']).stdout.split('\n');
    expect(lines).toEqual(expect.arrayContaining(['A=1', 'B=x=y', 'PATH=/p']));
    expect(lines.some((line) => line.startsWith('npm_'))).toBe(false);
  });
  test('the current folder, and --cwd', () => {
    expect(run([], ['cwd']).stdout).toBe(`${folder}\n`);
    expect(run(['--cwd', '/tmp'], ['cwd']).stdout).toBe('/tmp\n');
  });
  test('writes to the current folder are dropped with a note', () => {
    writeFileSync(join(folder, 'kept.txt'), 'old\n');
    const result = run([], ['write', 'kept.txt']);
    expect(result.stderr).toMatch(/^faultline: dropped [^\n]*kept\.txt[^\n]*--mount[^\n]*\n$/);
    expect(readFileSync(join(folder, 'kept.txt'), 'utf8')).toBe('old\n');
  });
  test('--mount .:rw keeps them', () => {
    const result = run(['--mount', '.:rw'], ['write', 'made.txt']);
    expect(result.stderr).toBe('');
    expect(readFileSync(join(folder, 'made.txt'), 'utf8')).toBe('new\n');
  });
  test('--mount at another place, read-only', () => {
    const data = join(folder, 'data');
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, 'x.txt'), 'mounted\n');
    expect(run(['--mount', `${data}:/a/b:ro`], ['read', '/a/b/x.txt']).stdout).toBe('mounted\n');
    expect(run(['--mount', `${data}:/a/b:ro`], ['write', '/a/b/x.txt']).stdout).toBe('errno 30\n');
    expect(run(['--mount', `${join(data, 'x.txt')}:/one`], ['read', '/one']).stdout).toBe('mounted\n');
  });
  test('nothing else of the host', () => {
    expect(existsSync('/etc/passwd')).toBe(true);
    const outside = `${folder}-outside.txt`;
    writeFileSync(outside, 'secret');
    expect(run([], ['read', outside]).stdout).toBe('errno 2\n');
    rmSync(outside);
  });
  test('--root', () => {
    const root = join(folder, 'root');
    mkdirSync(join(root, 'etc'), { recursive: true });
    writeFileSync(join(root, 'etc', 'motd'), 'welcome\n');
    expect(run(['--root', root], ['read', '/etc/motd']).stdout).toBe('welcome\n');
    expect(run(['--root', root], ['cwd']).stdout).toBe('/\n');
    // A path of the guest's and of the host's: the guest's is meant.
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    const elf = elfFile({ segments: [{ flags: 5, address: 0x10000, fileBytes: 4096, memoryBytes: 4096 }] });
    writeFileSync(join(root, 'usr/bin/env'), elf, { mode: 0o755 });
    expect(faultline(['run', '--root', root, '/usr/bin/env'])).toEqual({ status: 0, stdout: '', stderr: '' });
  });
  test('from the root folder of the host', () => {
    const result = faultline(['run', tool, 'read', '/proc/self/comm'], { cwd: '/' });
    expect([result.stdout, result.status]).toEqual(['tool\n', 0]);
  });
  test('a program behind a link, outside of the current folder', () => {
    const other = mkdtempSync(join(tmpdir(), 'faultline-link-'));
    try {
      symlinkSync(tool, join(other, 'linked.c'));
      const elf = join(other, 'elf');
      writeFileSync(elf, elfFile({ segments: [{ flags: 5, address: 0x10000, fileBytes: 4096, memoryBytes: 4096 }] }));
      chmodSync(elf, 0o755);
      const link = join(folder, 'link');
      symlinkSync(elf, link);
      for (const file of ['./link', link, elf])
        expect(faultline(['run', file], { cwd: folder })).toEqual({ status: 0, stdout: '', stderr: '' });
      expect(faultline(['run', link], { cwd: tmpdir() })).toEqual({ status: 0, stdout: '', stderr: '' });
      expect(faultline(['run', './linked.c', 'exit', '4'], { cwd: other }).status).toBe(4);
    } finally {
      rmSync(other, { recursive: true });
    }
  });
  test('--seed', () => {
    const random = (seed: string) => run(['--seed', seed], ['random']).stdout;
    expect(random('1')).toMatch(/^[0-9a-f]{16}\n$/);
    expect(random('1')).toBe(random('1'));
    expect(random('1')).not.toBe(random('2'));
  });
  test('--clock', () => {
    expect(run([], ['time']).stdout).toBe(run([], ['time']).stdout);
    const seconds = Number(run(['--clock', 'host'], ['time']).stdout);
    expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(60);
  });
});

describe('reports', () => {
  test('--stats-json has the fields of the documentation', () => {
    const file = join(folder, 'stats.json');
    expect(run(['--stats-json', file], ['faults']).status).toBe(0);
    const stats = JSON.parse(readFileSync(file, 'utf8'));
    expect(stats.exit).toEqual({ code: 0, signal: null });
    for (const name of ['instructions', 'virtualNs', 'wallMs', 'pgfault', 'pgmajfault', 'peakRssKb', 'pageTableKbPeak'])
      expect(stats[name], name).toBeGreaterThan(0);
    const kinds =
      'anonZero anonReadZero cowCopy cowReuse fileRead fileShared stackGrow swapIn spurious segv bus userfault';
    expect(Object.keys(stats.faults).sort()).toEqual(kinds.split(' ').sort());
    expect(stats.faults).toMatchObject({ swapIn: 0, segv: 0, bus: 0 });
    expect(stats.faults.anonReadZero).toBeGreaterThanOrEqual(1);
    expect(stats.faults.cowCopy).toBeGreaterThanOrEqual(1);
    expect(stats.faults.cowReuse).toBeGreaterThanOrEqual(1);
    expect(stats.syscalls).toMatchObject({ mmap: 1, clone: 1, wait4: 1 });
    expect(stats.instructions).toBe(Math.floor(stats.instructions));
    expect(stats.swap).toEqual({ outs: 0, ins: 0, zeroOuts: 0, zeroIns: 0 });
    const [parent, child] = stats.processes;
    expect([stats.processes.length, stats.omittedProcesses, parent.parentPid]).toEqual([2, 0, 1]);
    expect([child.parentPid, child.name, child.swapIns, child.swapOuts]).toEqual([parent.pid, 'tool', 0, 0]);
    for (const { time, startNs, endNs, minorFaults, peakRssKb } of stats.processes) {
      const spentNs = time.runningNs + time.memoryNs + time.diskNs + time.runnableNs + time.sleepingNs;
      expect(spentNs).toBe(endNs - startNs);
      expect(Math.min(time.runningNs, minorFaults, peakRssKb)).toBeGreaterThan(0);
    }
    expect(parent.time.sleepingNs).toBeGreaterThan(0);

    run(['--stats-json', file], ['kill', '11']);
    expect(JSON.parse(readFileSync(file, 'utf8')).exit).toEqual({ code: null, signal: 11 });
  });
  test('--stats is a table on standard error', () => {
    const result = run(['--stats'], ['faults']);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(/Performance counter stats for 'tool\.c faults'/);
    expect(result.stderr).toMatch(/^ +[\d,]+ +page-faults /m);
    expect(result.stderr).toMatch(/^ +[\d,]+ +instructions /m);
  });
  test('--trace faults: one line a fault', () => {
    const result = run(['--trace', 'faults'], ['faults']);
    const lines = result.stderr.trimEnd().split('\n');
    for (const line of lines)
      expect(line).toMatch(/^ *\d+\.\d{3} tool\/\d+ \w+ \[[^\]]+\] => (\S+@)?0x[0-9a-f]+ \([dx][.k]\)( major)?$/);
    expect(lines.some((line) => /anonZero \[main\+0x[0-9a-f]+\] => \/\/anon@0x[0-9a-f]+ \(d\.\)$/.test(line))).toBe(
      true,
    );
    expect(new Set(lines.map((line) => line.match(/tool\/(\d+)/)![1])).size).toBe(2);
  });
  test('--trace-file keeps it apart', () => {
    const file = join(folder, 'faults.txt');
    const result = run(['--trace', 'faults', '--trace-file', file], ['faults']);
    expect(result.stderr).toBe('');
    expect(readFileSync(file, 'utf8').split('\n').length).toBeGreaterThan(10);
  });
  test('--strace', () => {
    const { stderr } = run(['--strace'], ['exit', '3']);
    // Both C libraries make this call at their start.
    expect(stderr).toMatch(/^set_tid_address\(0x[0-9a-f]+\) += 6$/m);
    expect(stderr).toMatch(/^exit_group\(3\) += \?\n\+\+\+ exited with 3 \+\+\+$/m);
  });
  test('an unwritable report is one line', () => {
    const result = run(['--stats-json', '/nowhere/x.json'], ['exit', '0']);
    expect(result.stderr).toMatch(/^faultline: --stats-json [^\n]*ENOENT[^\n]*\n$/);
    expect(result.status).toBe(2);
  });
});
