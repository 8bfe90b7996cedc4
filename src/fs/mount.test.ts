import { describe, expect, test } from 'vitest';
import { O_CREAT, O_RDWR } from '../abi/fcntl.ts';
import type { File } from './file.ts';
import { PathRef, resolve } from './path.ts';
import { createTestVfs } from './testing/test-vfs.ts';

describe('MountTable', () => {
  test('a copy has the same mounts on the same places, and goes its own way', () => {
    const t = createTestVfs();
    expect(t.vfs.mountTmpfs('/a')).toBe(0);
    expect(t.vfs.mountTmpfs('/a/b')).toBe(0);
    const { table, copies } = t.vfs.mounts.copy('lesser');
    expect(table.mounts.map(({ at }) => at?.displayPath() ?? '/')).toEqual(['/', '/a', '/a/b']);
    expect(table.mounts.map(({ isLocked }) => isLocked)).toEqual([false, true, true]);
    for (const [original, copy] of copies) {
      expect(copy.root).toBe(original.root);
      expect(copy.at === null || table.mounts.includes(copy.at.mount)).toBe(true);
    }
    const inCopy = table.mounts[1];
    table.detach(inCopy);
    expect(table.mounts).toHaveLength(1);
    expect(t.vfs.mounts.mounts).toHaveLength(3);
    expect(typeof resolve(t.context, null, '/a/b', 'follow')).toBe('object');
    table.detach(table.mounts[0]);
    expect(t.countLeaks()).toBe(0);
  });

  test('a file system ends with its last mount, or with the last path on that', () => {
    const t = createTestVfs();
    expect(t.vfs.mountTmpfs('/a')).toBe(0);
    const file = t.vfs.open(t.context, null, '/a/file', O_CREAT | O_RDWR, 0o600) as File;
    const at = resolve(t.context, null, '/a', 'follow') as PathRef;
    const { superblock } = at.mount;
    expect(t.vfs.umount(at, 'unused')).toBeLessThan(0);
    expect(t.vfs.umount(at, 'lazy')).toBe(0);
    expect([superblock.mountCount, file.path.displayPath()]).toEqual([1, '/file']);
    file.release();
    expect(superblock.mountCount).toBe(0);
    expect(t.countLeaks()).toBe(0);
  });

  test('a moved mount shows where it went', () => {
    const t = createTestVfs();
    expect(t.vfs.mountTmpfs('/a')).toBe(0);
    expect(t.vfs.mkdir(t.context, null, '/b', 0o755)).toBe(0);
    const from = resolve(t.context, null, '/a', 'follow') as PathRef;
    t.vfs.mounts.move(from.mount, resolve(t.context, null, '/b', 'follow') as PathRef);
    expect((resolve(t.context, null, '/b', 'follow') as PathRef).mount).toBe(from.mount);
    expect(new PathRef(from.mount, from.mount.root).displayPath()).toBe('/b');
    expect((resolve(t.context, null, '/a', 'follow') as PathRef).mount).not.toBe(from.mount);
    expect(t.countLeaks()).toBe(0);
  });
});
