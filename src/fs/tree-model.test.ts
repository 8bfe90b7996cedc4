import { expect, test } from 'vitest';
import { fc } from '../../test/property.ts';
import { EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY } from '../abi/errno.ts';
import { O_CREAT, O_RDONLY, O_RDWR } from '../abi/fcntl.ts';
import { MemoryEnvironment, MemoryHostFiles } from '../machine/memory-environment.ts';
import { resolve } from './path.ts';
import { bytesOf, createTestVfs, openOrThrow, readText, type TestVfs, writeText } from './testing/test-vfs.ts';

/** The plainest file tree: a folder is a Map, a file is an array of bytes. */
type Node = Map<string, Node> | { text: string };

class Model {
  readonly root: Map<string, Node> = new Map();

  at(names: readonly string[]): Node | number {
    let node: Node = this.root;
    for (const name of names) {
      if (!(node instanceof Map)) return -ENOTDIR;
      const next: Node | undefined = node.get(name);
      if (next === undefined) return -ENOENT;
      node = next;
    }
    return node;
  }

  folder(path: string): { folder: Map<string, Node>; name: string } | number {
    const names = path.split('/').slice(1);
    const name = names.pop()!;
    const folder = this.at(names);
    if (typeof folder === 'number') return folder;
    return folder instanceof Map ? { folder, name } : -ENOTDIR;
  }

  mkdir(path: string): number {
    const at = this.folder(path);
    if (typeof at === 'number') return at;
    if (at.folder.has(at.name)) return -EEXIST;
    at.folder.set(at.name, new Map());
    return 0;
  }

  write(path: string, pos: number, text: string): number {
    const at = this.folder(path);
    if (typeof at === 'number') return at;
    const found = at.folder.get(at.name);
    if (found instanceof Map) return -EISDIR;
    const old = found?.text ?? '';
    at.folder.set(at.name, { text: old.padEnd(pos, '\0').slice(0, pos) + text + old.slice(pos + text.length) });
    return 0;
  }

  truncate(path: string, size: number): number {
    const node = this.at(path.split('/').slice(1));
    if (typeof node === 'number') return node;
    if (node instanceof Map) return -EISDIR;
    node.text = node.text.slice(0, size).padEnd(size, '\0');
    return 0;
  }

  remove(path: string, kind: 'unlink' | 'rmdir'): number {
    const at = this.folder(path);
    if (typeof at === 'number') return at;
    const found = at.folder.get(at.name);
    if (found === undefined) return -ENOENT;
    if (kind === 'unlink' && found instanceof Map) return -EISDIR;
    if (kind === 'rmdir' && !(found instanceof Map)) return -ENOTDIR;
    if (found instanceof Map && found.size > 0) return -ENOTEMPTY;
    at.folder.delete(at.name);
    return 0;
  }

  rename(from: string, to: string): number {
    const source = this.folder(from);
    if (typeof source === 'number') return source;
    const target = this.folder(to);
    if (typeof target === 'number') return target;
    const moved = source.folder.get(source.name);
    if (moved === undefined) return -ENOENT;
    if (`${to}/`.startsWith(`${from}/`) && to !== from) return moved instanceof Map ? -EINVAL : -ENOTDIR;
    const replaced = target.folder.get(target.name);
    if (`${from}/`.startsWith(`${to}/`) && to !== from) return -ENOTEMPTY;
    if (replaced === moved) return 0;
    if (replaced !== undefined) {
      if (moved instanceof Map && !(replaced instanceof Map)) return -ENOTDIR;
      if (!(moved instanceof Map) && replaced instanceof Map) return -EISDIR;
      if (replaced instanceof Map && replaced.size > 0) return -ENOTEMPTY;
    }
    source.folder.delete(source.name);
    target.folder.set(target.name, moved);
    return 0;
  }
}

/** What the file system holds, in the model's shape with sorted names. */
function dumpTree(t: TestVfs, path: string): unknown {
  const place = resolve(t.context, null, path, 'nofollow');
  if (typeof place === 'number') return place;
  const entries = place.inode.entries();
  if (typeof entries !== 'number') {
    const names = entries.map((entry) => entry.name).sort();
    return names.map((name) => [name, dumpTree(t, `${path}/${name}`)]);
  }
  const file = openOrThrow(t, path, O_RDONLY);
  const text = readText(file, 200_000);
  file.release();
  return text;
}

function dumpModel(node: Node): unknown {
  if (!(node instanceof Map)) return node.text;
  return [...node.keys()].sort().map((name) => [name, dumpModel(node.get(name)!)]);
}

const path = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((names) => `/${names.join('/')}`);
const step = fc.oneof(
  fc.record({ do: fc.constant('mkdir' as const), path }),
  fc.record({
    do: fc.constant('write' as const),
    path,
    pos: fc.constantFrom(0, 3, 4096, 5000),
    text: fc.constantFrom('x', 'hello', 'z'.repeat(5000)),
  }),
  fc.record({ do: fc.constant('truncate' as const), path, size: fc.constantFrom(0, 2, 4096, 6000) }),
  fc.record({ do: fc.constant('unlink' as const), path }),
  fc.record({ do: fc.constant('rmdir' as const), path }),
  fc.record({ do: fc.constant('rename' as const), path, to: path }),
  fc.record({ do: fc.constant('reclaim' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function runStep(t: TestVfs, model: Model, top: string, s: Step): void {
  const { vfs, context: c } = t;
  switch (s.do) {
    case 'mkdir':
      expect(vfs.mkdir(c, null, top + s.path, 0o755)).toBe(model.mkdir(s.path));
      return;
    case 'write': {
      const expected = model.write(s.path, s.pos, s.text);
      const file = vfs.open(c, null, top + s.path, O_RDWR | O_CREAT, 0o644);
      expect(typeof file === 'number' ? file : 0).toBe(expected);
      if (typeof file === 'number') return;
      expect(writeText(file, s.text, s.pos)).toBe(s.text.length);
      expect(file.flush()).toBe(0);
      file.release();
      return;
    }
    case 'truncate': {
      const place = resolve(c, null, top + s.path, 'follow');
      expect(typeof place === 'number' ? place : vfs.truncate(place, s.size, c.actor)).toBe(
        model.truncate(s.path, s.size),
      );
      return;
    }
    case 'unlink':
      expect(vfs.unlink(c, null, top + s.path)).toBe(model.remove(s.path, 'unlink'));
      return;
    case 'rmdir':
      expect(vfs.rmdir(c, null, top + s.path)).toBe(model.remove(s.path, 'rmdir'));
      return;
    case 'rename':
      expect(vfs.rename(c, null, top + s.path, null, top + s.to, 0)).toBe(model.rename(s.path, s.to));
      return;
    case 'reclaim':
      t.memory.pageCache.writebackAll();
      t.memory.pageCache.invalidateAll();
      vfs.core.dentries.shrink(1000);
  }
}

test.each(['tmpfs', 'overlay', 'rw'] as const)('%s behaves like a plain tree', (kind) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const host = new MemoryHostFiles();
      const model = new Model();
      host.addFolder('/h');
      if (kind !== 'tmpfs') {
        host.addFile('/h/a/b', bytesOf('old'.repeat(2000)));
        host.addFile('/h/a/c/a', bytesOf('deep'));
        host.addFile('/h/b', bytesOf('short'));
        model.mkdir('/a');
        model.mkdir('/a/c');
        model.write('/a/b', 0, 'old'.repeat(2000));
        model.write('/a/c/a', 0, 'deep');
        model.write('/b', 0, 'short');
      }
      const t = createTestVfs(new MemoryEnvironment({ host }));
      expect(kind === 'tmpfs' ? t.vfs.mountTmpfs('/m') : t.vfs.mountHost('/h', '/m', kind)).toBe(0);
      for (const each of steps) runStep(t, model, '/m', each);
      expect(dumpTree(t, '/m')).toEqual(dumpModel(model.root));
      expect(t.countLeaks()).toBe(0);
    }),
    { numRuns: 150 },
  );
});
