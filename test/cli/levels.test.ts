import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NodeEnvironment } from '../../cli/node-environment.ts';
import { compileForGuest } from '../../cli/toolchain.ts';
import { MemoryEnvironment, System } from '../../src/index.ts';
import type { LevelsReport } from '../../src/observe/levels-at-exit.ts';
import { faultline, ROOT } from '../setup/faultline.ts';

const SOURCE = join(ROOT, 'guest', 'mm-demand-zero.c');

describe('faultline levels', () => {
  it('prints the table behind what the program prints', () => {
    expect(existsSync(SOURCE)).toBe(true);
    const { status, stdout, stderr } = faultline(['levels', '--paging', 'sv48', SOURCE]);
    expect(status).toBe(0);
    expect(stdout).toBe(faultline(['run', SOURCE]).stdout);
    expect(stderr).toMatch(/^ {7}1 {3}36 +549,755,813,888 +512\.0 GiB +1 {3}flat$/m);
    expect(stderr).toMatch(/^ {7}4 {3}9\+9\+9\+9 .* sv48, in force$/m);
  }, 120_000);

  it('--json: the same as an object', () => {
    const { status, stderr } = faultline(['levels', '--json', '--paging', 'sv48', SOURCE]);
    expect(status).toBe(0);
    const { format, rows } = JSON.parse(stderr) as LevelsReport;
    expect([format, rows.map(({ levels }) => levels)]).toEqual(['sv48', [1, 2, 3, 4, 5]]);
  }, 120_000);

  it.each(['sv39', 'sv48', 'sv57'] as const)(
    '%s: the row in force is what the tables of a real program took',
    async (paging) => {
      const compiled = await compileForGuest(SOURCE, {});
      if ('error' in compiled) throw new Error(compiled.error);
      const environment = new MemoryEnvironment({ host: new NodeEnvironment().host });
      const system = new System({ environment, memoryBytes: 64 * 2 ** 20, paging });
      system.mount({ host: compiled.elf, guest: '/program', mode: 'ro' });
      const reports: LevelsReport[] = [];
      system.onSpaceExit((report) => reports.push(report));
      const pid = system.spawn('/program', ['/program']);
      while (system.run({ instructions: 10_000_000 }) !== 'exited');
      expect(system.exitStatus(pid)).toEqual({ code: 0, signal: null });
      system.shutdown();
      const own = reports.filter((report) => report.pid === pid);
      expect(own.length).toBe(1);
      for (const report of reports) expect(report.rows.find((row) => row.isInForce)?.bytes).toBe(report.tableBytes);
    },
    60_000,
  );
});
