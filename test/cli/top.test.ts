import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faultline } from '../setup/faultline.ts';

describe('faultline top', () => {
  const args = ['--memory', '8M', '--swap', '32M', 'test/cli/rounds.c'];
  const first = faultline(['top', '--every', '5ms', ...args]);

  test('writes a table of the processes each so much virtual time, and leaves the program its output', () => {
    expect([first.status, first.stdout]).toEqual([0, '25000\n']);
    const tables = first.stderr.trimEnd().split('\n\n');
    expect(tables.length).toBeGreaterThan(2);
    for (const table of tables) {
      const [head, columns, row] = table.split('\n');
      expect(head).toMatch(
        /^\d+\.\d{3} ms, [\d,]+ instructions, [\d,]+ faults \([\d,]+ major\), [\d.]+[KM] free of 8M, /,
      );
      expect(columns).toBe('  PID       Vss       Rss       Pss       Uss      Swap    minflt  majflt S  cmdline');
      const cells = /^ +\d+ +(\d+)K +(\d+)K +(\d+)K +(\d+)K +(\d+)K +\d+ +\d+ \w {2}(?:test\/cli\/)?rounds$/.exec(row);
      const [vss, rss, pss, uss, swap] = (cells as RegExpExecArray).slice(1).map(Number);
      expect(vss).toBeGreaterThanOrEqual(rss + swap);
      expect(rss).toBeGreaterThanOrEqual(pss);
      expect(pss).toBeGreaterThanOrEqual(uss);
    }
  });

  test('--json: the same numbers, a line each time', () => {
    const { status, stderr } = faultline(['top', '--json', '--every', '5ms', ...args]);
    expect(status).toBe(0);
    const tables = first.stderr.trimEnd().split('\n\n');
    const lines = stderr.trimEnd().split('\n');
    expect(lines.length).toBe(tables.length);
    for (const [at, line] of lines.entries()) {
      const { nowNs, processes } = JSON.parse(line) as { nowNs: number; processes: { pid: number; rssKb: number }[] };
      expect(tables[at].startsWith(`${(nowNs / 1e6).toFixed(3)} ms, `)).toBe(true);
      expect(tables[at]).toMatch(new RegExp(`^ +${processes[0].pid} +\\d+K +${processes[0].rssKb}K `, 'm'));
    }
  });

  test('writes the same a second time', () => {
    expect(faultline(['top', '--every', '5ms', ...args]).stderr).toBe(first.stderr);
  });

  test('leaves the run as it is', () => {
    const [watched, alone] = ['top', 'run'].map((command) => {
      const file = join(tmpdir(), `faultline-top-test-${process.pid}.json`);
      expect(faultline([command, '--stats-json', file, ...args]).status).toBe(0);
      const { wallMs: _, ...stats } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
      rmSync(file);
      return stats;
    });
    expect(watched).toEqual(alone);
  });

  test('says how a time is written', () => {
    const { status, stderr } = faultline(['top', '--every', 'often', 'x.c']);
    expect([status, stderr.split('\n')[0]]).toEqual([
      1,
      "error: option '--every <time>' argument 'often' is invalid. write a time such as 500us or 10ms.",
    ]);
  });
});
