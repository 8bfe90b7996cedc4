import { describe, expect, test } from 'vitest';
import * as E from '../abi/errno.ts';
import {
  AT_SYMLINK_FOLLOW,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  SEEK_DATA,
  SEEK_HOLE,
} from '../abi/fcntl.ts';
import { MemoryEnvironment, MemoryHostFiles } from '../machine/memory-environment.ts';
import { resolve } from './path.ts';
import { bytesOf, createTestVfs, openOrThrow, readText, type TestVfs, textOf, writeText } from './testing/test-vfs.ts';

function makeFile(t: TestVfs, path: string, text: string): void {
  const file = openOrThrow(t, path, O_CREAT | O_WRONLY | O_TRUNC);
  if (text !== '') expect(writeText(file, text)).toBe(text.length);
  expect(file.flush()).toBe(0);
  file.release();
}

function textAt(t: TestVfs, path: string): string | number {
  const file = t.vfs.open(t.context, null, path, O_RDONLY, 0);
  if (typeof file === 'number') return file;
  const text = readText(file);
  file.release();
  return text;
}

describe('tmpfs', () => {
  test('bytes, sizes, holes; all frames are free at the end', () => {
    const t = createTestVfs();
    const file = openOrThrow(t, '/a', O_CREAT | O_RDWR);
    expect(writeText(file, 'hello')).toBe(5);
    expect(writeText(file, 'far', 10_000)).toBe(3);
    expect(file.inode.size).toBe(10_003);
    expect(file.seek(0, SEEK_HOLE)).toBe(4096);
    expect(file.seek(4096, SEEK_DATA)).toBe(8192);
    expect(readText(file, 8, 0)).toBe('hello\0\0\0');
    expect(file.fallocate(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 4)).toBe(0);
    expect(readText(file, 5, 0)).toBe('\0\0\0\0o');
    expect(file.truncate(3)).toBe(0);
    expect(file.truncate(5)).toBe(0);
    expect(readText(file, 9, 0)).toBe('\0\0\0\0\0');
    file.release();
    expect(t.countLeaks()).toBe(0);
  });

  test('names: links, renames, errors as Linux gives them', () => {
    const t = createTestVfs();
    const { vfs, context: c } = t;
    expect(vfs.mkdir(c, null, '/d/', 0o777)).toBe(0);
    expect(vfs.mkdir(c, null, '/d', 0o777)).toBe(-E.EEXIST);
    expect(vfs.mkdir(c, null, '/x/y', 0o777)).toBe(-E.ENOENT);
    makeFile(t, '/d/f', 'one');
    expect(vfs.open(c, null, '/d/f/', O_RDONLY, 0)).toBe(-E.ENOTDIR);
    expect(vfs.open(c, null, '/d/f/g', O_RDONLY, 0)).toBe(-E.ENOTDIR);
    expect(vfs.open(c, null, '/d/new/', O_CREAT | O_RDWR, 0)).toBe(-E.EISDIR);
    expect(vfs.open(c, null, '/d', O_WRONLY, 0)).toBe(-E.EISDIR);
    expect(vfs.open(c, null, '/d', O_CREAT | O_RDONLY, 0)).toBe(-E.EISDIR);
    expect(vfs.open(c, null, '/d/f', O_CREAT | O_EXCL | O_RDWR, 0)).toBe(-E.EEXIST);
    expect(vfs.open(c, null, '/d/f', O_DIRECTORY, 0)).toBe(-E.ENOTDIR);
    expect(vfs.open(c, null, '/d/n', O_DIRECTORY | O_CREAT, 0)).toBe(-E.EINVAL);
    expect(vfs.open(c, null, `/${'n'.repeat(256)}`, O_RDONLY, 0)).toBe(-E.ENAMETOOLONG);
    expect(vfs.open(c, null, '', O_RDONLY, 0)).toBe(-E.ENOENT);
    expect(vfs.symlink(c, 'f', null, '/d/l')).toBe(0);
    expect(vfs.symlink(c, 'loop', null, '/loop')).toBe(0);
    expect(vfs.open(c, null, '/loop', O_RDONLY, 0)).toBe(-E.ELOOP);
    expect(vfs.open(c, null, '/d/l', O_NOFOLLOW, 0)).toBe(-E.ELOOP);
    expect(textAt(t, '/d/../d/./l')).toBe('one');
    expect(vfs.symlink(c, '/made', null, '/dangling')).toBe(0);
    makeFile(t, '/dangling', 'through');
    expect(textAt(t, '/made')).toBe('through');
    expect(vfs.link(c, null, '/d/f', null, '/h', 0)).toBe(0);
    expect(vfs.link(c, null, '/d', null, '/h2', 0)).toBe(-E.EPERM);
    expect(vfs.rename(c, null, '/d/f', null, '/h', 0)).toBe(0);
    expect(textAt(t, '/d/f')).toBe('one');
    expect(vfs.rename(c, null, '/d/f', null, '/h', RENAME_NOREPLACE)).toBe(-E.EEXIST);
    expect(vfs.rename(c, null, '/d', null, '/d/sub', 0)).toBe(-E.EINVAL);
    expect(vfs.rename(c, null, '/d', null, '/h', 0)).toBe(-E.ENOTDIR);
    expect(vfs.rename(c, null, '/h', null, '/d', 0)).toBe(-E.EISDIR);
    expect(vfs.rename(c, null, '/h', null, '/d', RENAME_EXCHANGE)).toBe(0);
    expect(textAt(t, '/h/f')).toBe('one');
    expect(textAt(t, '/d')).toBe('one');
    expect(vfs.rmdir(c, null, '/h')).toBe(-E.ENOTEMPTY);
    expect(vfs.unlink(c, null, '/h')).toBe(-E.EISDIR);
    expect(vfs.rmdir(c, null, '/d')).toBe(-E.ENOTDIR);
    expect(vfs.rmdir(c, null, '/h/.')).toBe(-E.EINVAL);
    expect(vfs.rmdir(c, null, '/')).toBe(-E.EBUSY);
    expect(t.countLeaks()).toBe(0);
  });

  test('trailing slashes, dots and wrong kinds: as a 6.18 kernel answered on its tmpfs', () => {
    const t = createTestVfs();
    const { vfs, context: c } = t;
    vfs.mkdir(c, null, '/d', 0o777);
    makeFile(t, '/f', '');
    vfs.symlink(c, 'f', null, '/l');
    vfs.symlink(c, 'nope', null, '/dang');
    vfs.symlink(c, 'd', null, '/ld');
    const open = (path: string, flags: number) => {
      const file = vfs.open(c, null, path, flags, 0o600);
      if (typeof file === 'number') return file;
      file.release();
      return 0;
    };
    const rename = (from: string, to: string, flags = 0) => vfs.rename(c, null, from, null, to, flags);
    const CREATE = O_CREAT | O_RDWR;
    expect(open('/new/', CREATE)).toBe(-E.EISDIR);
    expect(open('/dang/', CREATE)).toBe(-E.EISDIR);
    expect(open('/l/', O_RDONLY)).toBe(-E.ENOTDIR);
    expect(open('/ld/', O_NOFOLLOW)).toBe(0);
    expect(open('/l', CREATE | O_NOFOLLOW)).toBe(-E.ELOOP);
    expect(open('/l', O_PATH | O_NOFOLLOW)).toBe(0);
    expect(open('/d/.', CREATE)).toBe(-E.EISDIR);
    expect(vfs.mkdir(c, null, '/f/x', 0)).toBe(-E.ENOTDIR);
    expect(vfs.symlink(c, 'x', null, '/yy/')).toBe(-E.ENOENT);
    expect(vfs.link(c, null, '/f', null, '/g/', 0)).toBe(-E.ENOENT);
    expect(vfs.mknod(c, null, '/q/', 0o100600, 0)).toBe(-E.ENOENT);
    expect(['/d/', '/f/', '/nonex/', '/.', '/dang/', '/'].map((path) => vfs.unlink(c, null, path))).toEqual(
      [E.EISDIR, E.ENOTDIR, E.ENOENT, E.EISDIR, E.ENOTDIR, E.EISDIR].map((errno) => -errno),
    );
    expect(['/..', '/f/', '/ld/', '/ld'].map((path) => vfs.rmdir(c, null, path))).toEqual(
      [E.ENOTEMPTY, E.ENOTDIR, E.ENOTDIR, E.ENOTDIR].map((errno) => -errno),
    );
    expect(vfs.mkdir(c, null, '/dang', 0)).toBe(-E.EEXIST);
    expect(vfs.mkdir(c, null, '/dang/', 0)).toBe(-E.EEXIST);
    expect([vfs.mkdir(c, null, '/', 0), vfs.mkdir(c, null, '.', 0)]).toEqual([-E.EEXIST, -E.EEXIST]);
    expect(rename('/f', '/zz/')).toBe(-E.ENOTDIR);
    expect(rename('/d', '/zz/')).toBe(0);
    expect(rename('/zz', '/d')).toBe(0);
    expect(rename('/d/.', '/x')).toBe(-E.EBUSY);
    expect(rename('/f', '/d/..')).toBe(-E.EBUSY);
    expect(rename('/f/', '/x')).toBe(-E.ENOTDIR);
    expect(rename('/f', '/no', RENAME_EXCHANGE)).toBe(-E.ENOENT);
    expect(t.countLeaks()).toBe(0);
  });

  test('paths follow renames; a deleted file lives while it is open and says so', () => {
    const t = createTestVfs();
    const { vfs, context: c } = t;
    vfs.mkdir(c, null, '/a', 0o777);
    vfs.mkdir(c, null, '/b', 0o777);
    const file = openOrThrow(t, '/a/f', O_CREAT | O_RDWR);
    expect(vfs.rename(c, null, '/a', null, '/b/c', 0)).toBe(0);
    expect(file.displayPath()).toBe('/b/c/f');
    writeText(file, 'still');
    expect(vfs.unlink(c, null, '/b/c/f')).toBe(0);
    expect(file.displayPath()).toBe('/b/c/f (deleted)');
    expect(readText(file, 9, 0)).toBe('still');
    expect(file.inode.nlink).toBe(0);
    file.release();
    expect(t.countLeaks()).toBe(0);
  });

  test('O_TMPFILE gets its first name by linkat', () => {
    const t = createTestVfs();
    const { vfs, context: c } = t;
    const file = openOrThrow(t, '/', O_TMPFILE | O_RDWR);
    writeText(file, 'tmp');
    expect(vfs.link(c, file.path, '', null, '/named', 0x1000)).toBe(0);
    file.release();
    expect(textAt(t, '/named')).toBe('tmp');
    expect(vfs.open(c, null, '/', O_TMPFILE, 0)).toBe(-E.EINVAL);
    expect(t.countLeaks()).toBe(0);
  });

  test('a full file system is ENOSPC, and writes short before', () => {
    const t = createTestVfs();
    expect(t.vfs.mountTmpfs('/small', 0, 3)).toBe(0);
    const file = openOrThrow(t, '/small/f', O_CREAT | O_RDWR);
    expect(writeText(file, 'x'.repeat(20_000))).toBe(3 * 4096);
    expect(writeText(file, 'x')).toBe(-E.ENOSPC);
    expect(file.truncate(0)).toBe(0);
    expect(writeText(file, 'x', 0)).toBe(1);
    expect(file.truncate(5 * 4096)).toBe(0);
    // What a mapping's fault asks: the page that is there, then as many as there is room for.
    expect(file.admitPage(0)).toBe(0);
    expect(file.fallocate(0, 4096, 2 * 4096)).toBe(0);
    expect([file.admitPage(2), file.admitPage(3)]).toEqual([0, -E.ENOSPC]);
    file.release();
    expect(t.countLeaks()).toBe(0);
  });

  test('append, O_PATH, access modes', () => {
    const t = createTestVfs();
    makeFile(t, '/f', 'ab');
    const file = openOrThrow(t, '/f', O_WRONLY | O_APPEND);
    writeText(file, 'cd', 0);
    expect(readText(file)).toBe(-E.EBADF);
    file.release();
    expect(textAt(t, '/f')).toBe('abcd');
    const place = openOrThrow(t, '/f', O_PATH);
    expect(readText(place)).toBe(-E.EBADF);
    place.release();
    expect(t.countLeaks()).toBe(0);
  });

  test('the dentry cache stays at its limit', () => {
    const t = createTestVfs();
    for (let i = 0; i < 1000; i++) makeFile(t, `/f${i}`, '');
    resolve(t.context, null, '/', 'follow');
    expect(t.vfs.core.dentries.unusedCount).toBeLessThan(300);
    expect(t.countLeaks()).toBe(0);
  });
});

function hostTest(mode: 'ro' | 'rw' | 'overlay'): TestVfs & { host: MemoryHostFiles } {
  const host = new MemoryHostFiles();
  host.addFile('/home/p/a.txt', bytesOf('alpha'));
  host.addFile('/home/p/dir/b.txt', bytesOf('beta'));
  host.addFile('/home/secret', bytesOf('secret'));
  host.addLink('/home/p/out', '/home/secret');
  host.addLink('/home/p/up', '../secret');
  const t = createTestVfs(new MemoryEnvironment({ host }));
  expect(t.vfs.mountHost('/home/p', '/home/p', mode)).toBe(0);
  return { ...t, host };
}

describe('host folders', () => {
  test.each(['ro', 'rw', 'overlay'] as const)('%s: reads, and links do not lead out', (mode) => {
    const t = hostTest(mode);
    expect(textAt(t, '/home/p/a.txt')).toBe('alpha');
    expect(textAt(t, '/home/p/dir/b.txt')).toBe('beta');
    expect(textAt(t, '/home/p/out')).toBe(-E.ENOENT);
    expect(textAt(t, '/home/p/up')).toBe(-E.ENOENT);
    expect(textAt(t, '/home/p/../../home/p/a.txt')).toBe('alpha');
    expect(t.countLeaks()).toBe(0);
  });

  test('ro: nothing can be changed', () => {
    const t = hostTest('ro');
    const { vfs, context: c } = t;
    expect(vfs.open(c, null, '/home/p/a.txt', O_RDWR, 0)).toBe(-E.EROFS);
    expect(vfs.open(c, null, '/home/p/n', O_CREAT | O_RDWR, 0)).toBe(-E.EROFS);
    expect(vfs.mkdir(c, null, '/home/p/n', 0)).toBe(-E.EROFS);
    expect(vfs.unlink(c, null, '/home/p/a.txt')).toBe(-E.EROFS);
    expect(vfs.rename(c, null, '/home/p/a.txt', null, '/home/p/z', 0)).toBe(-E.EROFS);
    expect(t.countLeaks()).toBe(0);
  });

  test('overlay: the guest sees its changes, the host none', () => {
    const t = hostTest('overlay');
    const { vfs, context: c } = t;
    const file = openOrThrow(t, '/home/p/a.txt', O_RDWR);
    writeText(file, 'A', 0);
    writeText(file, '!', 5);
    file.release();
    expect(textAt(t, '/home/p/a.txt')).toBe('Alpha!');
    makeFile(t, '/home/p/dir/new', 'new');
    expect(vfs.unlink(c, null, '/home/p/dir/b.txt')).toBe(0);
    expect(textAt(t, '/home/p/dir/b.txt')).toBe(-E.ENOENT);
    expect(vfs.rename(c, null, '/home/p/dir', null, '/home/p/moved', 0)).toBe(0);
    expect(textAt(t, '/home/p/moved/new')).toBe('new');
    expect(textAt(t, '/home/p/dir/new')).toBe(-E.ENOENT);
    makeFile(t, '/home/p/moved/b.txt', 'again');
    expect(textAt(t, '/home/p/moved/b.txt')).toBe('again');
    expect(textOf(t.host.bytesOf('/home/p/a.txt')!)).toBe('alpha');
    expect(textOf(t.host.bytesOf('/home/p/dir/b.txt')!)).toBe('beta');
    expect(vfs.droppedFiles()).toEqual(['/home/p/a.txt', '/home/p/moved/b.txt', '/home/p/moved/new']);
    expect(t.countLeaks()).toBe(0);
  });

  test('overlay: holes have no blocks', () => {
    const t = hostTest('overlay');
    const file = openOrThrow(t, '/home/p/new', O_RDWR | O_CREAT);
    expect(file.truncate(2 ** 20)).toBe(0);
    expect([file.inode.size, file.inode.blocks512]).toEqual([2 ** 20, 0]);
    writeText(file, 'x', 300_000);
    expect(file.inode.blocks512).toBe(8);
    file.release();
    expect(t.countLeaks()).toBe(0);
  });

  test('overlay: SEEK_HOLE and SEEK_DATA find what was written, on its way to the store and in it', () => {
    const t = hostTest('overlay');
    const file = openOrThrow(t, '/home/p/a.txt', O_RDWR);
    expect(file.truncate(10 * 4096)).toBe(0);
    writeText(file, 'x', 5 * 4096 + 7);
    const look = () => [
      file.seek(10, SEEK_HOLE),
      file.seek(4096, SEEK_DATA),
      file.seek(5 * 4096, SEEK_HOLE),
      file.seek(6 * 4096, SEEK_DATA),
      file.seek(0, SEEK_DATA),
      file.seek(10 * 4096, SEEK_HOLE),
    ];
    const expected = [4096, 5 * 4096, 6 * 4096, -E.ENXIO, 0, -E.ENXIO];
    expect(look()).toEqual(expected);
    t.memory.pageCache.writeback(file.pages!);
    t.memory.pageCache.invalidate(file.pages!);
    expect(look()).toEqual(expected);
    expect(file.fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096)).toBe(0);
    expect([file.seek(0, SEEK_DATA), file.seek(0, SEEK_HOLE)]).toEqual([5 * 4096, 0]);
    file.release();
    expect(t.countLeaks()).toBe(0);
  });

  test('overlay: what a truncate cut off does not come back', () => {
    const t = hostTest('overlay');
    const file = openOrThrow(t, '/home/p/a.txt', O_RDWR);
    expect(file.truncate(2)).toBe(0);
    expect(file.truncate(5)).toBe(0);
    t.memory.pageCache.writeback(file.pages!);
    t.memory.pageCache.invalidate(file.pages!);
    expect(readText(file, 9, 0)).toBe('al\0\0\0');
    file.release();
    expect(t.countLeaks()).toBe(0);
  });

  test('rw: close writes to the host; deleted open files live on', () => {
    const t = hostTest('rw');
    const { vfs, context: c } = t;
    makeFile(t, '/home/p/a.txt', 'changed');
    expect(textOf(t.host.bytesOf('/home/p/a.txt')!)).toBe('changed');
    const file = openOrThrow(t, '/home/p/a.txt', O_RDWR);
    expect(vfs.unlink(c, null, '/home/p/a.txt')).toBe(0);
    expect(t.host.bytesOf('/home/p/a.txt')).toBe(null);
    t.memory.pageCache.invalidate(file.pages!);
    expect(readText(file, 20, 0)).toBe('changed');
    file.release();
    expect(vfs.rename(c, null, '/home/p/dir', null, '/home/p/d2', 0)).toBe(0);
    makeFile(t, '/home/p/d2/b.txt', 'b2');
    expect(textOf(t.host.bytesOf('/home/p/d2/b.txt')!)).toBe('b2');
    expect(vfs.link(c, null, '/home/p/d2/b.txt', null, '/home/p/hard', AT_SYMLINK_FOLLOW)).toBe(0);
    expect(vfs.unlink(c, null, '/home/p/d2/b.txt')).toBe(0);
    expect(textAt(t, '/home/p/hard')).toBe('b2');
    expect(t.countLeaks()).toBe(0);
  });

  test('rw: an error of the host is what fsync reports, once, and what is said at the end; close is silent', () => {
    const t = hostTest('rw');
    const file = openOrThrow(t, '/home/p/a.txt', O_WRONLY);
    writeText(file, 'zzz');
    const other = openOrThrow(t, '/home/p/a.txt', O_RDONLY);
    t.host.failing.set('write', -E.ENOSPC);
    expect(file.flush()).toBe(0);
    expect([file.fsync(), file.fsync(), other.fsync(), other.fsync()]).toEqual([-E.ENOSPC, 0, -E.ENOSPC, 0]);
    file.release();
    other.release();
    expect(t.vfs.core.hostErrors).toEqual(['/home/p/a.txt: ENOSPC: what the program wrote is not all on the host']);
    expect(t.countLeaks()).toBe(0);
  });

  test('a single file can be mounted', () => {
    const host = new MemoryHostFiles();
    host.addFile('/x/prog', bytesOf('ELF'), 0o755);
    const t = createTestVfs(new MemoryEnvironment({ host }));
    expect(t.vfs.mountHost('/x/prog', '/bin/prog', 'ro')).toBe(0);
    expect(textAt(t, '/bin/prog')).toBe('ELF');
    expect(t.vfs.unlink(t.context, null, '/bin/prog')).toBe(-E.EBUSY);
    expect(t.countLeaks()).toBe(0);
  });
});

describe('devices', () => {
  test('null, zero, full, random', () => {
    const t = createTestVfs();
    expect(t.vfs.mountDev()).toBe(0);
    const open = (name: string) => openOrThrow(t, `/dev/${name}`, O_RDWR);
    const [nul, zero, full, random] = ['null', 'zero', 'full', 'urandom'].map(open);
    expect(readText(nul)).toBe('');
    expect(writeText(nul, 'gone')).toBe(4);
    expect(readText(zero, 3)).toBe('\0\0\0');
    expect(writeText(full, 'x')).toBe(-E.ENOSPC);
    expect(readText(random, 16)).toHaveLength(16);
    expect(t.vfs.open(t.context, null, '/dev/tty', O_RDWR, 0)).toBe(-E.ENXIO);
    for (const file of [nul, zero, full, random]) file.release();
    expect(t.countLeaks()).toBe(0);
  });

  test('memfd, eventfd and pipes name themselves', () => {
    const t = createTestVfs();
    const memfd = t.vfs.memfd('m', 0);
    const event = t.vfs.eventfd(3, 0);
    if (typeof memfd === 'number' || typeof event === 'number') throw new Error('no memory');
    expect(memfd.displayPath()).toBe('/memfd:m (deleted)');
    expect(writeText(memfd, 'abc')).toBe(3);
    expect(event.displayPath()).toBe('anon_inode:[eventfd]');
    expect(readText(event, 8)).toBe('\x03\0\0\0\0\0\0\0');
    expect(readText(event, 8)).toBe(-E.EAGAIN);
    memfd.release();
    event.release();
    expect(t.countLeaks()).toBe(0);
  });
});
