import { describe, expect, test } from 'vitest';
import { ENOMEM } from '../abi/errno.ts';
import type { Pfn } from '../machine/units.ts';
import { NO_FRAME } from '../mm/phys/frame-table.ts';
import { GFP_KERNEL } from '../mm/phys/gfp.ts';
import type { Dentry } from './dentry.ts';
import { resolve } from './path.ts';
import { createTestVfs, type TestVfs } from './testing/test-vfs.ts';

/** Takes all memory: frames, and the slots of the dentry cache, with dentries that are in use. Returns what gives it back. */
function exhaust(t: TestVfs, root: Dentry): () => void {
  const { dentries } = t.vfs.core;
  const frames: Pfn[] = [];
  for (;;) {
    const frame = t.memory.alloc.allocFrame(GFP_KERNEL);
    if (frame === NO_FRAME) break;
    frames.push(frame as Pfn);
  }
  const held: Dentry[] = [];
  for (;;) {
    const made = dentries.makeUnlinked(`held${held.length}`, root, root.inode, 'final');
    if (typeof made === 'number') break;
    dentries.retain(made);
    held.push(made);
  }
  return () => {
    for (const dentry of held) dentries.release(dentry);
    for (const frame of frames) t.memory.alloc.putFrame(frame);
  };
}

/** A folder, held. */
function makeFolder(t: TestVfs, path: string): Dentry {
  expect(t.vfs.mkdir(t.context, null, path, 0o755)).toBe(0);
  const found = resolve(t.context, null, path, 'follow');
  if (typeof found === 'number') throw new Error(`${path}: ${found}`);
  t.vfs.core.dentries.retain(found.dentry);
  return found.dentry;
}

describe('without memory for a dentry', () => {
  test('what a walk has just found is not dropped', () => {
    const t = createTestVfs();
    const { dentries } = t.vfs.core;
    const folder = makeFolder(t, '/folder');
    const root = folder.parent as Dentry;
    const giveBack = exhaust(t, root);
    dentries.release(folder);
    expect(dentries.lookup(root, 'folder')).toBe(folder);
    expect(dentries.attach(folder, 'new', root.inode)).toBe(-ENOMEM);
    expect(folder.isAttached).toBe(true);
    giveBack();
    expect(t.countLeaks()).toBe(0);
  });

  test('old names that nobody uses make room', () => {
    const t = createTestVfs();
    const { dentries } = t.vfs.core;
    const old = Array.from({ length: 200 }, (_, i) => makeFolder(t, `/old${i}`));
    const folder = makeFolder(t, '/folder');
    const root = folder.parent as Dentry;
    const giveBack = exhaust(t, root);
    for (const dentry of [...old, folder]) dentries.release(dentry);
    const made = dentries.attach(folder, 'new', root.inode);
    expect(typeof made).not.toBe('number');
    expect(old[0].isAttached).toBe(false);
    expect(folder.children.get('new')).toBe(made);
    giveBack();
    expect(t.countLeaks()).toBe(0);
  });
});
