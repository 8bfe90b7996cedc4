import { ENOMEM } from '../abi/errno.ts';
import { assert } from '../base/assert.ts';
import type { KmemCache } from '../mm/phys/slab.ts';
import type { Inode } from './inode.ts';
import type { Mount } from './mount.ts';
import { notifyGone } from './notify.ts';

/**
 * One name in the tree (Linux: struct dentry). All who look at a folder share its dentries, so a rename shows in every open
 * file's path at once.
 *
 * Invariants:
 *  D1 A dentry holds one reference to its inode and, if it has one, one to its parent.
 *  D2 attached: parent.children.get(name) is this. A detached dentry is a root, or was unlinked (isDeleted).
 *  D3 refcount = children attached or detached, mounts on it or rooted in it, files, working and root folders.
 */
export class Dentry {
  name: string;
  parent: Dentry | null;
  readonly inode: Inode;
  readonly slot: number;
  readonly children = new Map<string, Dentry>();
  refcount = 0;
  isDeleted = false;
  isAttached = false;
  /** Made with O_TMPFILE: linkat may give it a name though it has none. */
  isLinkable = false;
  /** Mounts on this dentry, newest last (a dentry is seen through several mounts only with bind mounts). */
  readonly mounted: Mount[] = [];
  /** What d_path shows instead of a path: `pipe:[7]`, `anon_inode:[eventfd]`. */
  readonly displayName: string | null;

  constructor(name: string, parent: Dentry | null, inode: Inode, slot: number, displayName: string | null) {
    this.name = name;
    this.parent = parent;
    this.inode = inode;
    this.slot = slot;
    this.displayName = displayName;
  }
}

/**
 * Unused dentries that stay when memory lacks in the middle of a system call, which may hold them without a reference: two walks,
 * each through at most 40 symbolic links (MAXSYMLINKS) to a folder and a name in it.
 */
const NEWEST_KEPT = 2 * (40 + 2);

/** A system call walks at most to so many paths (renameat2, linkat: two, each to a folder and to a name). */
const WALKS_OF_A_CALL = 4;

/**
 * The dentry cache. A dentry without references stays, newest last in `unused`, until the cache is over its limit and a walk
 * begins: what a walk returned therefore stays good for the whole system call without being retained. A holder that lives
 * longer retains (PathRef.retain).
 */
export class DentryCache {
  private readonly slots: KmemCache;
  private readonly unused = new Set<Dentry>();
  private readonly limit: number;
  /** Walks begun. */
  private walks = 0;
  /** Dentries that no walk can find again, by age: unused ones go when the call that made them must have ended. */
  private readonly nameless: { readonly dentry: Dentry; readonly madeAt: number }[] = [];

  constructor(slots: KmemCache, limit: number) {
    this.slots = slots;
    this.limit = limit;
  }

  get unusedCount(): number {
    return this.unused.size;
  }

  /** A dentry without a name in any folder: the root of a file system, a pipe, a deleted temporary file. */
  makeRoot(inode: Inode, displayName: string | null = null): Dentry | number {
    const dentry = this.make('/', null, inode, displayName);
    if (typeof dentry !== 'number' && displayName !== null) this.nameless.push({ dentry, madeAt: this.walks });
    return dentry;
  }

  /** O_TMPFILE: below a folder for its path's sake, in no folder; shown as deleted. */
  makeUnlinked(name: string, parent: Dentry, inode: Inode, kind: 'linkable' | 'final'): Dentry | number {
    const dentry = this.make(name, null, inode, null);
    if (typeof dentry === 'number') return dentry;
    this.retain(parent);
    dentry.parent = parent;
    dentry.isDeleted = true;
    dentry.isLinkable = kind === 'linkable';
    return dentry;
  }

  private make(name: string, parent: Dentry | null, inode: Inode, displayName: string | null): Dentry | number {
    let slot = this.slots.alloc();
    if (slot === 0 && this.shrink(this.unused.size - NEWEST_KEPT) > 0) slot = this.slots.alloc();
    if (slot === 0) return -ENOMEM;
    const dentry = new Dentry(name, parent, inode, slot, displayName);
    inode.retain();
    if (parent !== null) {
      this.retain(parent);
      parent.children.set(name, dentry);
      dentry.isAttached = true;
    }
    this.unused.add(dentry);
    return dentry;
  }

  retain(dentry: Dentry): void {
    if (dentry.refcount++ === 0) this.unused.delete(dentry);
  }

  release(dentry: Dentry): void {
    assert(dentry.refcount > 0, 'fs/dentry.ts: D3 a dentry is released as often as retained');
    if (--dentry.refcount > 0) return;
    if (dentry.isAttached) this.unused.add(dentry);
    else this.kill(dentry);
  }

  /** The child by that name, asked of the inode where it is not cached: a dentry or -ERRNO. */
  lookup(parent: Dentry, name: string): Dentry | number {
    const cached = parent.children.get(name);
    if (cached !== undefined && !parent.inode.superblock.revalidates) {
      if (this.unused.delete(cached)) this.unused.add(cached);
      return cached;
    }
    const inode = parent.inode.lookup(name);
    if (typeof inode === 'number') {
      if (cached !== undefined) this.detach(cached);
      return inode;
    }
    if (cached !== undefined) {
      if (cached.inode === inode) {
        if (this.unused.delete(cached)) this.unused.add(cached);
        return cached;
      }
      inode.retain();
      this.detach(cached);
      const fresh = this.attach(parent, name, inode);
      inode.release();
      return fresh;
    }
    return this.attach(parent, name, inode);
  }

  /** A name that an operation has just made, or that a lookup found. Without memory the inode is let go: -ENOMEM. */
  attach(parent: Dentry, name: string, inode: Inode): Dentry | number {
    inode.retain();
    const dentry = this.make(name, parent, inode, null);
    inode.release();
    return dentry;
  }

  /** The name is gone: unlinked, or replaced by a rename. */
  detach(dentry: Dentry): void {
    if (!dentry.isAttached) return;
    dentry.parent!.children.delete(dentry.name);
    dentry.isAttached = false;
    dentry.isDeleted = true;
    for (const child of [...dentry.children.values()]) if (child.refcount === 0) this.kill(child);
    if (dentry.refcount === 0 && this.unused.has(dentry)) this.kill(dentry);
  }

  move(dentry: Dentry, parent: Dentry, name: string): void {
    const from = dentry.parent!;
    from.children.delete(dentry.name);
    dentry.name = name;
    if (from !== parent) {
      this.retain(parent);
      dentry.parent = parent;
      this.release(from);
    }
    parent.children.set(name, dentry);
  }

  exchange(a: Dentry, b: Dentry): void {
    const aParent = a.parent!;
    const aName = a.name;
    this.retain(aParent);
    const bParent = b.parent!;
    const bName = b.name;
    this.retain(bParent);
    bParent.children.delete(bName);
    this.move(a, bParent, bName);
    b.name = aName;
    this.retain(aParent);
    b.parent = aParent;
    aParent.children.set(aName, b);
    this.release(bParent);
    this.release(bParent);
    this.release(aParent);
  }

  /** At the start of a walk: down to the limit. */
  trim(): void {
    this.walks++;
    while (this.nameless.length > 0 && this.nameless[0].madeAt + WALKS_OF_A_CALL <= this.walks) {
      const { dentry } = this.nameless.shift()!;
      if (this.unused.has(dentry)) this.kill(dentry);
    }
    if (this.unused.size > this.limit) this.shrink(this.unused.size - this.limit);
  }

  /** Drops up to `count` unused dentries, oldest first; returns how many. */
  shrink(count: number): number {
    let dropped = 0;
    for (const dentry of this.unused) {
      if (dropped >= count) break;
      this.kill(dentry);
      dropped++;
    }
    return dropped;
  }

  /** With it go the detached ones above that it alone held: a loop, for a chain of deleted folders may be long. */
  private kill(first: Dentry): void {
    for (let dentry: Dentry | null = first; dentry !== null; ) {
      assert(dentry.refcount === 0, 'fs/dentry.ts: D3 only an unused dentry goes');
      this.unused.delete(dentry);
      const parent: Dentry | null = dentry.parent;
      if (dentry.isAttached) {
        parent!.children.delete(dentry.name);
        dentry.isAttached = false;
      }
      this.slots.free(dentry.slot);
      // dentry_unlink_inode.
      if (dentry.isDeleted && dentry.inode.nlink === 0 && dentry.inode.watches !== null) notifyGone(dentry.inode);
      dentry.inode.release();
      if (parent === null) return;
      assert(parent.refcount > 0, 'fs/dentry.ts: D3 a dentry is released as often as retained');
      if (--parent.refcount > 0) return;
      if (parent.isAttached) this.unused.add(parent);
      dentry = parent.isAttached ? null : parent;
    }
  }
}
