import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultline, ROOT } from '../setup/faultline.ts';

/** What faultline record keeps, and what faultline replay answers about it without the files of the run. */
const PAGE = '0x20000000';
let folder: string;
let recorded: ReturnType<typeof faultline>;
let counter: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-replay-'));
  copyFileSync(join(ROOT, 'test/cli/replayed.c'), join(folder, 'replayed.c'));
  writeFileSync(join(folder, 'input.txt'), 'hello\n');
  // Compiles it; a slow compiler says so on standard error.
  run(['run', 'replayed.c'], 'typed\n');
  recorded = run(['record', '--memory', '32M', '-o', 'r.flt', 'replayed.c'], 'typed\n');
  counter = /0x[0-9a-f]+/.exec(recorded.stdout)?.[0] ?? '';
  for (const each of ['input.txt', 'replayed.c']) rmSync(join(folder, each));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(args: readonly string[], input = ''): ReturnType<typeof faultline> {
  return faultline(args, { cwd: folder, input });
}

/** The point that `where` prints, for each line of the conversation that goes somewhere. */
function converse(lines: readonly string[]): { points: number[]; stdout: string; stderr: string } {
  const { stdout, stderr, status } = run(['replay', '-i', 'r.flt'], `${lines.join('\n')}\n`);
  expect(status).toBe(0);
  return { points: [...stdout.matchAll(/@(\d+)/g)].map((match) => Number(match[1])), stdout, stderr };
}

describe('faultline record', () => {
  test('runs the program as faultline run does', () => {
    expect(recorded.stdout).toBe(`counter at ${counter} is 1000, the child's page 2, mine 1, hello\ntyped\n`);
    expect([recorded.status, recorded.stderr]).toEqual([3, '']);
  });

  test('says in one line where the recording cannot be written', () => {
    const { status, stderr } = run(['record', '-o', 'no/folder/r.flt', '/bin/true']);
    expect([status, stderr]).toEqual([2, 'faultline: --output no/folder/r.flt: cannot be written (ENOENT)\n']);
  });
});

describe('faultline replay', () => {
  test('does the whole run again, without its files and its input', () => {
    const { status, stdout, stderr } = run(['replay', 'r.flt']);
    expect([status, stdout, stderr]).toEqual([0, recorded.stdout, '']);
  });

  test('goes to events, times and points, forward and back, and comes to the same again', () => {
    const { points } = converse([
      'to sched_process_fork',
      'to page_fault',
      'to 0.1ms',
      'to sched_process_fork',
      'to page_fault',
    ]);
    expect(points[0]).toBeGreaterThan(1000);
    expect(points[1]).toBeGreaterThan(points[0]);
    expect(points[2]).toBeLessThan(points[0]);
    expect(points.slice(3)).toEqual(points.slice(0, 2));
    expect(converse([`to @${points[1]}`]).points).toEqual([points[1]]);
  });

  test('stops where bytes change, turn by turn of a loop', () => {
    const { points } = converse([
      `to write:${counter}`,
      `to write:${counter}`,
      `to write:${counter}`,
      `to write:${counter}`,
    ]);
    const turns = points.slice(1).map((point, at) => point - points[at]);
    expect(turns[0]).toBeLessThan(20);
    expect(turns).toEqual(turns.map(() => turns[0]));
  });

  test('explains a page of a child: mapped and touched by its parent, copied by its own write', () => {
    const told = run(['replay', 'r.flt', '--to', `write:${PAGE}@7`, '--pid', '7', 'explain', PAGE]);
    const life = told.stdout
      .slice(told.stdout.indexOf('its life:\n'))
      .replace(/\d+\.\d+ ms/g, 'T')
      .split('\n');
    expect(told.stdout).toContain('-> PTE RW- AD\n');
    expect(told.stdout).toContain(`mapped by process 7 at ${PAGE}\n`);
    expect(
      life
        .slice(1, -1)
        .map((line) =>
          line
            .trim()
            .replace(/\s+/g, ' ')
            .replace(/\+0x\w+/, '')
            .replace(/frame \d+/g, 'frame F'),
        )
        .filter((line) => line.startsWith('T ') || line.startsWith('VMA ')),
    ).toEqual([
      'T 6 mapped 20000000-20001000 rw-p anonymous by mmap from [__mmap]',
      'VMA rw-p memory -> no frame -> PTE -',
      'T 6 fault anonZero [main] write',
      'VMA rw-p memory -> frame F (refcount 1, mapcount 1, anon, exclusive) -> PTE RW- AD',
      'T 7 fork from process 6',
      'VMA rw-p memory -> frame F (refcount 2, mapcount 2, anon) -> PTE R-- -D',
      'T 7 copied frame F -> frame F',
      'T 7 fault cowCopy [main] write',
      'VMA rw-p memory -> frame F (refcount 1, mapcount 1, anon, exclusive) -> PTE RW- AD',
    ]);
    // Who mapped it, at the top.
    expect(told.stdout).toMatch(
      /^ {2}20000000-20001000 rw-p anonymous by mmap .*, at \d+\.\d+ ms: main replayed\.c:16$/m,
    );
    // The call stacks, with functions that the compiler put into others.
    expect(told.stdout).toMatch(/by mmap from .*\n(?: +\S.*\n)* +main replayed\.c:16\n/);
    expect(told.stdout).toMatch(/cowCopy .*\n +VMA .*\n +copy_page replayed\.c:12\n +main replayed\.c:21\n/);
  });

  test('explains what execve mapped, the stack, and addresses where nothing is', () => {
    const { stdout } = converse(['to sched_process_fork', 'maps']);
    const rows = [...stdout.matchAll(/^([0-9a-f]+)-([0-9a-f]+) .{4} .* (\S*)$/gm)];
    const start = (name: string): string => `0x${rows.find((row) => row[3].endsWith(name))?.[1]}`;
    const below = `0x${(Number(`0x${rows.findLast((row) => row[3] === '[stack]')?.[2]}`) - 4096).toString(16)}`;
    const explained = (address: string): string =>
      converse(['to sched_process_fork', `explain ${address}`]).stdout.replace(/\d+\.\d+ ms/g, 'T');
    expect(explained(start('/replayed'))).toMatch(
      /^ {2}\S+ r-xp \S+\/replayed by execve: segment 1 of \S+\/replayed, at T$/m,
    );
    expect(explained(start('[vdso]'))).toContain(" r-xp [vdso] by execve: the kernel's [vdso], at T\n");
    expect(explained(start('[heap]'))).toMatch(/ \[heap\] by brk from \[/);
    expect(explained(below)).toContain(" rw-p [stack] by execve: the program's stack, at T\n");
    const hole = explained('0x20002000').split('\n').slice(4, 7);
    expect(hole[0]).toBe('0x20002000 of process 6: no VMA');
    expect(hole[1]).toBe('  the mapping below ends 4K before it: 20000000-20001000 rw-p anonymous');
    expect(hole[2]).toMatch(/^ {2}the mapping above begins \S+ behind it: /);
    const kernel = explained('0xffffffd600000000').split('\n').slice(4);
    expect(kernel).toEqual([
      '0xffffffd600000000 of process 6: no VMA can be there',
      '  programs have the addresses below 0x4000000000',
      '',
    ]);
  });

  test('shows maps, the walk, frames and files of /proc there, and leaves the run as it was', () => {
    const { stdout, points } = converse([
      'to sched_process_fork',
      'maps',
      'smaps',
      `pt ${PAGE}`,
      `pagemap ${PAGE} 2`,
      'frames',
      'cat /proc/meminfo',
      'to page_fault',
    ]);
    expect(stdout).toMatch(/^20000000-20001000 rw-p 00000000 00:00 0 *$/m);
    expect(stdout).toMatch(/^AnonHugePages: +0 kB$/m);
    expect(stdout).toMatch(/^level 0 .* frame \d+, READ USER ACCESSED DIRTY$/m);
    expect(stdout).toMatch(/^0x20000000 VMA rw-p memory -> frame \d+ \(refcount 2, mapcount 2, anon\) -> PTE R-- AD$/m);
    expect(stdout).toContain('0x20001000 no VMA\n');
    expect(stdout).toMatch(/^ +\d+ {2}free$/m);
    expect(stdout).toMatch(/^MemTotal: +\d+ kB$/m);
    expect(points).toEqual(converse(['to sched_process_fork', 'to page_fault']).points);
  });

  test('answers as JSON', () => {
    const { stdout } = run(['replay', 'r.flt', '--to', 'sched_process_fork', '--json', 'frames']);
    const uses = JSON.parse(stdout) as { use: string; frames: number }[];
    expect(uses.reduce((sum, { frames }) => sum + frames, 0)).toBe(32 * 256);
  });

  test('gives all that comes before the damage, and says where it is', () => {
    const whole = readFileSync(join(folder, 'r.flt'));
    writeFileSync(join(folder, 'cut.flt'), whole.subarray(0, whole.length - 2000));
    const cut = run(['replay', 'cut.flt', 'where']);
    expect(cut.stderr).toBe(
      `faultline: cut.flt: the file ends in the middle, at byte ${whole.length - 2000}; what comes before is here\n`,
    );
    expect(cut.stdout).toMatch(/^at \d/);
    const broken = Buffer.from(whole);
    broken[whole.length >> 1] ^= 1;
    writeFileSync(join(folder, 'broken.flt'), broken);
    const { status, stderr } = run(['replay', 'broken.flt']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^faultline: broken\.flt: the file is damaged at byte \d+; what comes before is here\n$/);
  });

  test.each([
    [['no.flt'], 'no.flt: there is no such file'],
    [['text.flt'], 'text.flt: is no recording; `faultline record -o text.flt PROGRAM` makes one'],
    [
      ['r.flt', '--to', 'noon'],
      'noon: is no point of a run; write a time (2ms), write:0xADDRESS[@PID], @N as Faultline prints it, end, or EVENT[#N] (page_fault#100; all names are in docs/events.md)',
    ],
    [['r.flt', 'why'], 'why: is no question; there are where, maps, '],
    [['r.flt', '--to', 'sched_process_fork', 'pt', 'here'], 'pt: write an address such as 0x3fd7c2ec'],
    [
      ['r.flt', '--to', 'sched_process_fork', '--pid', '99', 'maps'],
      'process 99 is not there at this point; `where` says who is (--pid N)',
    ],
  ])('%j gets one line', (args, message) => {
    writeFileSync(join(folder, 'text.flt'), 'text\n');
    const { status, stderr, stdout } = run(['replay', ...args]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr.startsWith(`faultline: ${message}`)).toBe(true);
    expect(stderr.split('\n').length).toBe(2);
  });
});

describe('faultline diff', () => {
  test('finds no difference of a run to itself, and the first event of a run with another seed', () => {
    const same = run(['diff', 'r.flt', 'r.flt']);
    expect([same.status, same.stdout]).toEqual([0, 'the runs are the same\n']);
    copyFileSync(join(ROOT, 'test/cli/replayed.c'), join(folder, 'replayed.c'));
    writeFileSync(join(folder, 'input.txt'), 'hello\n');
    run(['record', '--memory', '32M', '--seed', '9', '-o', 'other.flt', 'replayed.c'], 'typed\n');
    const { status, stdout } = run(['diff', 'r.flt', 'other.flt']);
    const [head, before, a, b] = stdout.split('\n');
    expect(status).toBe(1);
    expect(head).toMatch(/^the runs part at event \d+:$/);
    expect(before).toMatch(/^ {2}before {5}\d+\.\d+ ms /);
    // The stack is somewhere else.
    expect(a).toMatch(/^ {2}r\.flt {6}\d+\.\d+ ms faultline:vma_link mm_id=1 start=0x3f/);
    expect(b.replace('other.flt', 'r.flt    ')).not.toBe(a);
  });
});

describe('checkpoints of a recording', () => {
  const LONG = `#include <stdlib.h>
int main(void) {
  static volatile unsigned sum;
  for (unsigned round = 0; round < 40; round++) {
    volatile char *bytes = malloc(100000);
    for (unsigned at = 0; at < 100000; at++) sum += bytes[at] = (char)(at * round);
  }
  return sum == 0;
}`;

  test('lead to the same memory as going there from the start', () => {
    writeFileSync(join(folder, 'long.c'), LONG);
    run(['run', 'long.c']);
    for (const [file, every] of [
      ['with.flt', '1'],
      ['without.flt', '999999999999'],
    ])
      expect(run(['record', '--memory', '32M', '--checkpoint-every', every, '-o', file, 'long.c']).status).toBe(0);
    const sizes = ['with.flt', 'without.flt'].map((file) => readFileSync(join(folder, file)).length);
    expect(sizes[0]).toBeGreaterThan(sizes[1] + 100_000);
    for (const question of ['where', 'maps', 'smaps', 'smaps_rollup', 'status']) {
      const [withThem, without] = ['with.flt', 'without.flt'].map((file) =>
        run(['replay', file, '--to', '@14000000', question]),
      );
      expect(withThem.stdout).toBe(without.stdout);
      expect(withThem.stdout.length).toBeGreaterThan(20);
    }
  });

  test('that were cut off are told, and the ones before are used', () => {
    const bytes = readFileSync(join(folder, 'with.flt'));
    writeFileSync(join(folder, 'cut.flt'), bytes.subarray(0, bytes.lastIndexOf('CKPT') + 100));
    const { status, stdout, stderr } = run(['replay', 'cut.flt', '--to', '@14000000', 'where']);
    expect(status).toBe(0);
    expect(stderr).toContain('the file ends in the middle');
    // What was written last was not in the file yet.
    const [, point] = /@(\d+) /.exec(stdout) ?? [];
    expect(Number(point)).toBeGreaterThan(1_000_000);
    expect(stdout).toBe(run(['replay', 'with.flt', '--to', `@${point}`, 'where']).stdout);
  });
});
