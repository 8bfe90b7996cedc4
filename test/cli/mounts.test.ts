import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compileForGuest } from '../../cli/toolchain.ts';
import { CLI, faultline } from '../setup/faultline.ts';

let top: string;
let elf: string;
/** The mounted folder, fresh for each test; `outside` lies beside it. */
let folder: string;
let outside: string;
/** What the program sees as its current folder: an empty one. */
let here: string;

beforeAll(async () => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'faultline-mounts-')));
  const compiled = await compileForGuest(join(import.meta.dirname, 'mount-operations.c'), {});
  if ('error' in compiled) throw new Error(compiled.error);
  elf = compiled.elf;
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

beforeEach(() => {
  folder = mkdtempSync(join(top, 'in-'));
  outside = mkdtempSync(join(top, 'out-'));
  here = mkdtempSync(join(top, 'here-'));
});

function guest(options: string[], ...operations: string[]): { lines: string[]; stderr: string; status: number | null } {
  const result = faultline(['run', ...options, elf, ...operations], { cwd: here });
  return { lines: result.stdout.trimEnd().split('\n'), stderr: result.stderr, status: result.status };
}
const rw = () => ['--mount', `${folder}:/m:rw`];
const inHost = (name: string) => readFileSync(join(folder, name), 'utf8');

describe('rw: what the guest does happens on the host', () => {
  test('write, append, folders, names', () => {
    writeFileSync(join(folder, 'old'), 'old\n');
    const { lines, stderr } = guest(
      rw(),
      ...'write /m/new text append /m/old more mkdir /m/d write /m/d/f inner rename /m/d/f /m/g'.split(' '),
      ...'link /m/g /m/h symlink g /m/s list /m unlink /m/g read /m/h rmdir /m/d stat /m/h'.split(' '),
    );
    expect(stderr).toBe('');
    expect(lines.filter((line) => !/ ok$/.test(line)).slice(0, 2)).toEqual(['list d g h new old s', 'read [inner]']);
    expect(inHost('new')).toBe('text');
    expect(inHost('old')).toBe('old\nmore');
    expect(inHost('h')).toBe('inner');
    expect(readlinkSync(join(folder, 's'))).toBe('g');
    expect(readdirSync(folder).sort()).toEqual(['h', 'new', 'old', 's']);
  });

  test('a program that never closes, and one that dies, lose nothing', () => {
    guest(rw(), 'hold', '/m/a', 'put', 'not closed');
    expect(inHost('a')).toBe('not closed');
    expect(guest(rw(), 'hold', '/m/b', 'put', 'died', 'die').status).toBe(3);
    expect(inHost('b')).toBe('died');
  });

  test('a shared mapping, by msync and by exit', () => {
    writeFileSync(join(folder, 'f'), 'x'.repeat(10_000));
    guest(rw(), 'hold', '/m/f', 'map', 'mapped');
    expect(inHost('f').slice(0, 8)).toBe('mappedxx');
    expect(inHost('f').length).toBe(10_000);
  });

  /** Runs up to `wait`, looks at the host, and lets the program go on. */
  async function whileWaiting(operations: string[], look: () => void): Promise<void> {
    const child = spawn(process.execPath, [CLI, 'run', ...rw(), elf, ...operations], {
      cwd: here,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let text = '';
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes('waiting')) resolve();
      });
      child.on('close', () => resolve());
    });
    try {
      look();
    } finally {
      child.stdin.end('\n');
      await new Promise((resolve) => child.on('close', resolve));
    }
  }

  test('close brings it there while the program still runs', async () => {
    await whileWaiting(['write', '/m/f', 'closed', 'wait'], () => expect(inHost('f')).toBe('closed'));
  });
  test('fsync brings it there', async () => {
    await whileWaiting(['hold', '/m/f', 'put', 'synced', 'fsync', 'wait'], () => expect(inHost('f')).toBe('synced'));
  });
  test('msync brings it there', async () => {
    writeFileSync(join(folder, 'f'), '......');
    await whileWaiting(['hold', '/m/f', 'map', 'msync!', 'msync', 'wait'], () => expect(inHost('f')).toBe('msync!'));
  });

  test('an open file that is unlinked, and one that is renamed or replaced', () => {
    writeFileSync(join(folder, 'u'), 'unlinked');
    const first = guest(rw(), ...'hold /m/u unlink /m/u show put changed! show list /m'.split(' '));
    expect(first.lines).toEqual(['hold ok', 'unlink ok', 'read [unlinked]', 'put ok', 'read [changed!]', 'list']);
    expect(readdirSync(folder)).toEqual([]);

    writeFileSync(join(folder, 'a'), 'first');
    guest(rw(), ...'hold /m/a rename /m/a /m/b put moved'.split(' '));
    expect(readdirSync(folder)).toEqual(['b']);
    expect(inHost('b')).toBe('moved');

    writeFileSync(join(folder, 'c'), 'replacement');
    const third = guest(rw(), ...'hold /m/b rename /m/c /m/b show put lost!'.split(' '));
    expect(third.lines[2]).toBe('read [moved]');
    expect(inHost('b')).toBe('replacement');
  });

  test('modes and times both ways', () => {
    writeFileSync(join(folder, 'f'), '12345');
    chmodSync(join(folder, 'f'), 0o751);
    utimesSync(join(folder, 'f'), 1_000_000_000, 1_234_567_890.5);
    const { lines } = guest(rw(), ...'stat /m/f chmod /m/f 4640 utime /m/f 1300000000 stat /m/f mkdir /m/d'.split(' '));
    expect(lines[0]).toBe('stat 100751 5 1234567890.500000000 links 1');
    expect(lines[3]).toBe('stat 104640 5 1300000000.250000000 links 1');
    const stat = statSync(join(folder, 'f'));
    expect(stat.mode & 0o7777).toBe(0o4640);
    expect(stat.mtimeMs).toBe(1_300_000_000_250);
    expect(statSync(join(folder, 'd')).mode & 0o777).toBe(0o750);
  });

  test('a sparse gigabyte costs neither memory nor time', () => {
    writeFileSync(join(folder, 'big'), '');
    truncateSync(join(folder, 'big'), 2 ** 30);
    const { lines, stderr } = guest(
      [...rw(), '--memory', '32M'],
      ...'hold /m/big peek 1073741823 at 536870912 middle at 1073741820 end! peek 536870912 stat /m/big'.split(' '),
      ...'hold /m/new at 2147483648 far stat /m/new'.split(' '),
    );
    expect(stderr).toBe('');
    expect(lines.filter((line) => line.startsWith('peek'))).toEqual(['peek 0', `peek ${'m'.charCodeAt(0)}`]);
    expect(lines.at(-1)).toMatch(/^stat 100644 2147483651 /);
    expect(statSync(join(folder, 'big')).size).toBe(2 ** 30);
    expect(statSync(join(folder, 'new')).size).toBe(2_147_483_651);
    expect(statSync(join(folder, 'big')).blocks).toBeLessThan(1000);
  });

  test('names that are not ASCII', () => {
    writeFileSync(join(folder, 'grün'), 'ü');
    expect(guest(rw(), 'read', '/m/grün', 'write', '/m/日本', 'ok').lines[0]).toBe('read [ü]');
    expect(inHost('日本')).toBe('ok');
  });
});

describe('nothing leads out of a mount', () => {
  test.each(['rw', 'ro', 'overlay'])('links in a %s mount', (mode) => {
    writeFileSync(join(outside, 'secret'), 'secret');
    symlinkSync(join(outside, 'secret'), join(folder, 'absolute'));
    symlinkSync('../'.repeat(20) + join(outside, 'secret').slice(1), join(folder, 'relative'));
    symlinkSync(outside, join(folder, 'dir'));
    const { lines } = guest(
      ['--mount', `${folder}:/m:${mode}`],
      ...'read /m/absolute read /m/relative read /m/dir/secret write /m/dir/new x write /m/absolute x'.split(' '),
      ...`symlink ${outside}/secret /m/mine read /m/mine read /m/../../../${outside}/secret`.split(' '),
    );
    expect(lines.filter((line) => line.startsWith('read'))).toEqual(Array(5).fill('read ENOENT'));
    expect(readdirSync(outside)).toEqual(['secret']);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  test('a folder that the host turns into a link while the guest is in it is the host’s own doing, a guest cannot', () => {
    mkdirSync(join(folder, 'd'));
    const { lines } = guest(rw(), ...`symlink ${outside} /m/l rename /m/l /m/k write /m/k/x no list /m/k`.split(' '));
    expect(lines.slice(2)).toEqual(['write ENOENT', 'list ENOENT']);
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe('ro', () => {
  test('every change is EROFS', () => {
    writeFileSync(join(folder, 'f'), 'text');
    mkdirSync(join(folder, 'd'));
    const { lines, stderr } = guest(
      ['--mount', `${folder}:/m:ro`],
      ...'read /m/f write /m/f x write /m/new x append /m/f x mkdir /m/e rmdir /m/d unlink /m/f rename /m/f /m/g'.split(
        ' ',
      ),
      ...'link /m/f /m/g symlink f /m/g chmod /m/f 777 utime /m/f 5 truncate /m/f 0 read /m/f'.split(' '),
    );
    expect(stderr).toBe('');
    expect(lines[0]).toBe('read [text]');
    expect(lines.at(-1)).toBe('read [text]');
    expect(lines.slice(1, -1).map((line) => line.split(' ')[1])).toEqual(Array(12).fill('EROFS'));
  });
});

describe('overlay', () => {
  test('changes are seen, then dropped, and the note names them', () => {
    writeFileSync(join(folder, 'f'), 'old');
    writeFileSync(join(folder, 'gone'), 'still here');
    linkSync(join(folder, 'f'), join(folder, 'f2'));
    const { lines, stderr } = guest(
      ['--mount', `${folder}:/m:overlay`],
      ...'write /m/f new write /m/made x mkdir /m/d unlink /m/gone list /m read /m/f'.split(' '),
    );
    expect(lines.slice(-2)).toEqual(['list d f f2 made', 'read [new]']);
    expect(readdirSync(folder).sort()).toEqual(['f', 'f2', 'gone']);
    expect(inHost('f')).toBe('old');
    expect(stderr).toMatch(/^faultline: dropped what the program wrote: [^\n]*\/m\/made/);
    expect(stderr).toContain('/m/f');
    expect(stderr).toContain('rw');
    expect(stderr.trimEnd().split('\n').length).toBe(1);
  });

  test('nothing changed, no note; only what is in /tmp is not worth one', () => {
    writeFileSync(join(folder, 'f'), 'old');
    const { stderr } = guest(
      ['--mount', `${folder}:/m:overlay`],
      'read',
      '/m/f',
      'write',
      '/tmp/x',
      'y',
      'stat',
      '/m/f',
    );
    expect(stderr).toBe('');
  });

  test('the current folder is one', () => {
    writeFileSync(join(here, 'f'), 'mine');
    const { lines, stderr } = guest([], 'read', 'f', 'append', 'f', '+', 'read', 'f');
    expect(lines).toEqual(['read [mine]', 'append ok', 'read [mine+]']);
    expect(readFileSync(join(here, 'f'), 'utf8')).toBe('mine');
    expect(stderr).toContain(`${here}/f`);
  });
});

describe('mounts of single files', () => {
  test('rw, ro and overlay', () => {
    const file = join(folder, 'f');
    writeFileSync(file, 'one');
    const one = ['--mount', `${file}:/etc/conf:ro`];
    expect(guest(one, 'read', '/etc/conf', 'write', '/etc/conf', 'x').lines).toEqual(['read [one]', 'write EROFS']);
    guest(['--mount', `${file}:/etc/conf:rw`], 'append', '/etc/conf', '+two');
    expect(inHost('f')).toBe('one+two');
    const { lines, stderr } = guest(
      ['--mount', `${file}:/etc/conf:overlay`],
      'write',
      '/etc/conf',
      'x',
      'read',
      '/etc/conf',
    );
    expect(lines).toEqual(['write ok', 'read [x]']);
    expect(stderr).toContain('/etc/conf');
    expect(inHost('f')).toBe('one+two');
  });

  test('its neighbours are not there, and it cannot be removed', () => {
    writeFileSync(join(folder, 'f'), 'one');
    writeFileSync(join(folder, 'g'), 'secret');
    const { lines } = guest(
      ['--mount', `${join(folder, 'f')}:/x/f:rw`],
      ...'list /x read /x/g unlink /x/f rename /x/f /x/h write /x/g new'.split(' '),
    );
    expect(lines).toEqual(['list f', 'read ENOENT', 'unlink EBUSY', 'rename EBUSY', 'write ok']);
    expect(existsSync(join(folder, 'h'))).toBe(false);
    expect(inHost('g')).toBe('secret');
    expect(lstatSync(join(folder, 'f')).isFile()).toBe(true);
  });
});

test('a rename between two mounts is EXDEV', () => {
  writeFileSync(join(folder, 'f'), 'one');
  const { lines } = guest([...rw(), '--mount', `${outside}:/n:rw`], 'rename', '/m/f', '/n/f', 'link', '/m/f', '/n/f');
  expect(lines).toEqual(['rename EXDEV', 'link EXDEV']);
});
