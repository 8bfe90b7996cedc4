/** What a program wrote to a folder of the host: when it is safe there, and who learns that it is not. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileForGuest } from '../../cli/toolchain.ts';
import { CLI, faultline } from '../setup/faultline.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-durability-'));
const elfs = new Map<string, string>();
const flags = ['run', '--mount', `${folder}:/work:rw`, '--cwd', '/work'];

describe('durability', () => {
  beforeAll(async () => {
    for (const name of ['synced', 'write-errors']) {
      const result = await compileForGuest(join(import.meta.dirname, 'machines', `${name}.c`), {});
      if ('elf' in result) elfs.set(name, result.elf);
    }
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('keeps what msync has answered for, though Faultline itself is killed', async () => {
    const machine = spawn(process.execPath, [CLI, ...flags, elfs.get('synced') ?? ''], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = new Promise((resolve) => machine.once('close', resolve));
    for await (const text of machine.stdout) if (String(text).includes('synced')) machine.kill('SIGKILL');
    await ended;
    const bytes = readFileSync(join(folder, 'data'));
    expect(bytes.length).toBe(256 * 4096);
    for (let page = 0; page < 256; page++) expect(bytes[page * 4096 + 7]).toBe((page + 1) % 256);
  }, 60_000);

  it('tells every open file of a failed write once, close nothing, and the person at the end', () => {
    const done = faultline([...flags, '--inject', 'disk-write=1', elfs.get('write-errors') ?? '']);
    const failed = 'Input/output error';
    expect(done.stdout.split('\n')).toEqual([
      'write(a, "hello", 5): ok',
      `fsync(a): ${failed}`,
      'fsync(a): ok',
      `fdatasync(b): ${failed}`,
      'fsync(b): ok',
      'fsync(late): ok',
      `msync(map, 4096, MS_SYNC): ${failed}`,
      'msync(map, 4096, MS_SYNC): ok',
      'write(a, "more", 4): ok',
      `sync_file_range(a, 0, 0, 7): ${failed}`,
      'sync_file_range(a, 0, 0, 7): ok',
      `syncfs(a): ${failed}`,
      'syncfs(a): ok',
      'write(a, "last", 4): ok',
      'close(b): ok',
      'close(a): ok',
      '',
    ]);
    expect(done.stderr).toBe(`faultline: ${folder}/out: EIO: what the program wrote is not all on the host\n`);
    expect(done.status).toBe(0);
  }, 60_000);
});
