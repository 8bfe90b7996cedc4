/** What Faultline writes for other programs, read by them, and what they write, read by Faultline. Where one is not installed its tests are skipped. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { faultline } from '../setup/faultline.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-readers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const forks = join(folder, 'forks.flt');
expect(faultline(['record', '-o', forks, 'test/observe/programs/forks.c']).status).toBe(0);

interface Total {
  readonly total: Readonly<Record<'minorFaults' | 'majorFaults' | 'cowCopies' | 'peakBytes', number>>;
  readonly forks: readonly { readonly copies: number }[];
}

function report(recording: string): Total {
  return JSON.parse(faultline(['report', recording, '--json']).stdout) as Total;
}

/** Faultline writes a file, and says nothing of it. */
function written(name: string, args: readonly string[]): string {
  const file = join(folder, name);
  const { status, stderr } = faultline([...args, '-o', file]);
  expect([status, stderr]).toEqual([0, '']);
  return file;
}

function has(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function read(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  expect(status, stderr).toBe(0);
  return stdout;
}

describe.skipIf(!has('smem', '--help') || !has('tar', '--version'))('smem (needs: apt-get install smem)', () => {
  test('shows of each process what its smaps say', () => {
    const root = join(folder, 'smem');
    mkdirSync(join(root, 'proc'), { recursive: true });
    read('tar', '-C', join(root, 'proc'), '-xf', written('run.tar', ['replay', forks, '--to', '0.565ms', 'smem']));
    const rows = read('smem', '--source', root, '-H', '-c', 'pid swap uss pss rss').trim().split('\n');
    expect(rows.length).toBe(2);
    for (const row of rows) {
      const [pid, ...columns] = row.trim().split(/ +/).map(Number);
      const smaps = readFileSync(join(root, 'proc', String(pid), 'smaps'), 'utf8');
      const sum = (...names: string[]): number =>
        [...smaps.matchAll(/^(\w+): +(\d+) kB$/gm)].reduce(
          (total, [, name, kib]) => total + (names.includes(name) ? Number(kib) : 0),
          0,
        );
      expect(columns).toEqual([sum('Swap'), sum('Private_Clean', 'Private_Dirty'), sum('Pss'), sum('Rss')]);
      expect(columns[3]).toBeGreaterThan(2000);
    }
  });
});

describe.skipIf(!has('damo', 'version'))('damo (needs: apt-get install damo, from Debian trixie on)', () => {
  test('reads the record of a run: its working set, and each region', () => {
    const rounds = join(folder, 'rounds.flt');
    expect(faultline(['record', '-o', rounds, 'test/cli/rounds.c']).status).toBe(0);
    const file = written('rounds.damon', ['replay', rounds, 'damo', '--interval', '100us']);
    const wss = read('damo', 'report', 'wss', '--input', file, '--raw_number');
    // Ten megabytes are gone through in some forty snapshots, four times; none has them all.
    expect(wss).toMatch(/^# target_id\s+\d+$/m);
    const most = Number(/^ *100 +([\d,]+)/m.exec(wss)?.[1].replaceAll(',', ''));
    expect(most).toBeGreaterThan(200_000);
    expect(most).toBeLessThan(4_000_000);
    const access = read('damo', 'report', 'access', '--input', file, '--raw_form');
    expect(access.length).toBeGreaterThan(1000);
  });
});

describe.skipIf(!has('go', 'version'))('go tool pprof (needs: apt-get install golang-go)', () => {
  test('has the totals of each value, under the name of the program', () => {
    const { total } = report(forks);
    const file = written('run.pb.gz', ['report', forks, '--format', 'pprof']);
    const wanted = {
      minor_faults: `${total.minorFaults} total`,
      major_faults: `${total.majorFaults} total`,
      cow_copies: `${total.cowCopies} total`,
      resident: `${total.peakBytes / 1024}kB total`,
    };
    for (const [index, sum] of Object.entries(wanted)) {
      const top = read('go', 'tool', 'pprof', '-top', `-sample_index=${index}`, file);
      expect(top).toMatch(/^File: forks$/m);
      expect(top).toContain(sum);
    }
    expect(read('go', 'tool', 'pprof', '-list=child_work', '-sample_index=cow_copies', file)).toMatch(
      /^ +300 +300 +\d+: .*table\[i \* 4096\]\+\+;$/m,
    );
  });
});

describe.skipIf(!has('python3', '-c', 'import xml.etree'))("Python's XML reader", () => {
  test('reads the flame graph: boxes with a title each, none wider than what it stands on', () => {
    const file = written('cow.svg', ['report', forks, '--format', 'flamegraph', '--sort', 'cow']);
    const titles = read(
      'python3',
      '-c',
      `import sys, xml.etree.ElementTree as e
svg = '{http://www.w3.org/2000/svg}'
for g in e.parse(sys.argv[1]).getroot().iter(svg + 'g'):
    box = g.find(svg + 'rect')
    print(box.get('x'), box.get('width'), g.find(svg + 'title').text)`,
      file,
    );
    const boxes = titles.trim().split('\n');
    expect(boxes[0]).toMatch(new RegExp(`^10.0 1179.5 all \\(${report(forks).total.cowCopies} times, 100.00%\\)$`));
    for (const box of boxes) {
      const [x, width] = box.split(' ').map(Number);
      expect(x + width).toBeLessThanOrEqual(1190);
    }
  });
});

describe.skipIf(!has('valgrind', '--version') || !has('cc', '--version'))(
  "valgrind's lackey (needs: apt-get install valgrind gcc)",
  () => {
    const SOURCE = `#include <stdlib.h>
int main(void) {
  volatile char *pages = malloc(64 * 4096);
  for (int round = 0; round < 3; round++)
    for (int page = 0; page < 64; page++) pages[page * 4096]++;
  return 0;
}`;

    test('a trace of a native program: each access counts, and the memory that holds it all misses once a page', () => {
      writeFileSync(join(folder, 'native.c'), SOURCE);
      read('cc', '-O1', '-o', join(folder, 'native'), join(folder, 'native.c'));
      const trace = join(folder, 'native.lackey');
      read('valgrind', '--tool=lackey', '--trace-mem=yes', `--log-file=${trace}`, join(folder, 'native'));
      // Counted once more, line by line. An access over the end of a page is two.
      let references = 0;
      const pages = new Set<number>();
      for (const [, address, size] of readFileSync(trace, 'utf8').matchAll(/^(?:I | [LSM]) ([0-9a-f]+),(\d+)$/gm)) {
        const first = Math.floor(Number.parseInt(address, 16) / 4096);
        const last = Math.floor((Number.parseInt(address, 16) + Number(size) - 1) / 4096);
        for (let page = first; page <= last; page++) {
          pages.add(page);
          references++;
        }
      }
      expect(references).toBeGreaterThan(100_000);
      const simulated = (...args: string[]) => {
        const { status, stdout, stderr } = faultline(['sim', '--json', ...args, trace]);
        expect([status, stderr]).toEqual([0, '']);
        return JSON.parse(stdout) as {
          format: string;
          pages: number;
          rows: { refs: number; misses: number }[];
          tlbRows: { refs: number; misses: number }[];
        };
      };
      const { format, pages: found, rows } = simulated('--each', '--policies', 'lru,opt', '--sizes', '32,100%');
      expect([format, found]).toEqual(['lackey', pages.size]);
      expect(rows.map(({ refs }) => refs)).toEqual(rows.map(() => references));
      expect([rows[1].misses, rows[3].misses]).toEqual([pages.size, pages.size]);
      expect(rows[2].misses).toBeLessThanOrEqual(rows[0].misses);
      const { tlbRows } = simulated('--tlb', 'entries=1024');
      expect(tlbRows[0]).toMatchObject({ refs: references, misses: pages.size });
    });

    test('comes through a pipe, among what valgrind says', () => {
      const { stderr } = spawnSync('valgrind', ['--tool=lackey', '--trace-mem=yes', join(folder, 'native')], {
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      });
      const { status, stdout } = faultline(['sim', '--json', '--policies', 'lru', '--sizes', '100', '-'], {
        input: stderr,
      });
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ format: 'lackey', missing: null });
    });
  },
);
