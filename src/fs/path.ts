import { EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV } from '../abi/errno.ts';
import {
  NAME_MAX,
  PATH_MAX,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from '../abi/fcntl.ts';
import type { Dentry } from './dentry.ts';
import type { FsContext } from './fs-context.ts';
import type { Inode } from './inode.ts';
import { crossMounts, type Mount } from './mount.ts';
import { type FsActor, MAY_EXEC, permission } from './permission.ts';

/** MAXSYMLINKS (include/linux/namei.h). */
const MAX_SYMLINKS = 40;

/**
 * A place in the tree of names: a dentry seen through a mount (Linux: struct path). Immutable. What a walk returns is good
 * until the end of the system call; whoever keeps it longer retains it and releases it.
 */
export class PathRef {
  readonly mount: Mount;
  readonly dentry: Dentry;

  constructor(mount: Mount, dentry: Dentry) {
    this.mount = mount;
    this.dentry = dentry;
  }

  get inode(): Inode {
    return this.dentry.inode;
  }

  retain(): void {
    this.mount.refcount++;
    this.mount.superblock.core.dentries.retain(this.dentry);
  }

  release(): void {
    const { mount } = this;
    mount.superblock.core.dentries.release(this.dentry);
    if (--mount.refcount === 0 && mount.isDetached) mount.drop();
  }

  equals(other: PathRef): boolean {
    return this.mount === other.mount && this.dentry === other.dentry;
  }

  /** Its name, or a folder's above it, is gone from the tree. */
  get isDeleted(): boolean {
    return this.dentry.isDeleted;
  }

  /**
   * d_path: the absolute path as seen from `root` (default: the root of the tree), ' (deleted)' behind a name that is gone,
   * '(unreachable)' in front of a path that does not lie below `root`.
   */
  displayPath(root: PathRef | null = null): string {
    if (this.dentry.displayName !== null) return this.dentry.displayName;
    const names: string[] = [];
    let { mount, dentry } = this;
    let prefix = '';
    for (;;) {
      if (root !== null && mount === root.mount && dentry === root.dentry) break;
      if (dentry === mount.root) {
        if (mount.at === null) {
          if (root !== null) prefix = '(unreachable)';
          break;
        }
        ({ mount, dentry } = mount.at);
        continue;
      }
      if (dentry.parent === null) break;
      names.push(dentry.name);
      dentry = dentry.parent;
    }
    const path = `${prefix}/${names.reverse().join('/')}`;
    return this.dentry.isDeleted ? `${path} (deleted)` : path;
  }
}

/** How the last component is treated if it is a symbolic link. A trailing slash makes it followed in any case. */
export type LastLink = 'follow' | 'nofollow';

/** The folder that holds (or is to hold) the last component, and that component's name. */
export interface LastComponent {
  readonly parent: PathRef;
  readonly name: string;
  /** 'root': the path is nothing but slashes. */
  readonly kind: 'normal' | 'dot' | 'dotdot' | 'root';
  readonly hasTrailingSlash: boolean;
}

interface Walk {
  readonly actor: FsActor;
  /** Where '/' leads to, and above which '..' does not go. */
  readonly root: PathRef;
  /** RESOLVE_*. */
  readonly restrict: number;
  at: PathRef;
  links: number;
}

/** path_init: RESOLVE_BENEATH and RESOLVE_IN_ROOT make the start the root. */
function startWalk(context: FsContext, base: PathRef | null, restrict: number): Walk {
  const at = base ?? context.cwd;
  const isScoped = (restrict & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0;
  return { actor: context.actor, root: isScoped ? at : context.root, restrict, at, links: 0 };
}

/** nd_jump_root, for an absolute path and for an absolute link. */
function jumpToRoot(walk: Walk, origin: 'path' | 'link'): number {
  if ((walk.restrict & RESOLVE_BENEATH) !== 0) return -EXDEV;
  const leavesMount = origin === 'link' && walk.at.mount !== walk.root.mount;
  if (leavesMount && (walk.restrict & RESOLVE_NO_XDEV) !== 0) return -EXDEV;
  walk.at = walk.root;
  return 0;
}

/**
 * Walks to a path (filename_lookup, fs/namei.c): a place that exists, or -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG, ....
 * `base` is where a relative path starts; null: the working folder. An empty path is -ENOENT unless `isEmptyAllowed`, when
 * it is `base` itself.
 */
export function resolve(
  context: FsContext,
  base: PathRef | null,
  path: string,
  last: LastLink,
  options?: { readonly isEmptyAllowed?: boolean; readonly restrict?: number },
): PathRef | number {
  context.root.mount.superblock.core.dentries.trim();
  const start = base ?? context.cwd;
  if (path === '') return options?.isEmptyAllowed === true ? start : -ENOENT;
  if (byteLength(path) >= PATH_MAX) return -ENAMETOOLONG;
  const walk = startWalk(context, base, options?.restrict ?? 0);
  const error = walkAll(walk, path, last, 'path');
  return error < 0 ? error : walk.at;
}

/** Walks to the folder of the last component (filename_parentat). */
export function resolveParent(context: FsContext, base: PathRef | null, path: string): LastComponent | number {
  context.root.mount.superblock.core.dentries.trim();
  if (path === '') return -ENOENT;
  if (byteLength(path) >= PATH_MAX) return -ENAMETOOLONG;
  return walkParent(startWalk(context, base, 0), path, 'path');
}

/**
 * For open with O_CREAT: the place where the name would be made, links in the last component followed (to a name that may
 * not be there yet).
 */
export function resolveForCreate(
  context: FsContext,
  base: PathRef | null,
  path: string,
  last: LastLink,
  restrict = 0,
): { component: LastComponent; found: PathRef | null } | number {
  context.root.mount.superblock.core.dentries.trim();
  if (path === '') return -ENOENT;
  if (byteLength(path) >= PATH_MAX) return -ENAMETOOLONG;
  const walk = startWalk(context, base, restrict);
  let text = path;
  for (;;) {
    const component = walkParent(walk, text, walk.links === 0 ? 'path' : 'link');
    if (typeof component === 'number') return component;
    if (component.kind !== 'normal') {
      const error = step(walk, component.name, 'follow');
      return error < 0 ? error : { component, found: walk.at };
    }
    if (component.hasTrailingSlash) return -EISDIR;
    const found = lookupChild(component.parent, component.name);
    if (typeof found === 'number') {
      if (found === -ENOENT) return { component, found: null };
      return found;
    }
    if (found.mount !== component.parent.mount && (restrict & RESOLVE_NO_XDEV) !== 0) return -EXDEV;
    const { inode } = found;
    if (!inode.isSymlink || last === 'nofollow') return { component, found };
    const target = linkTarget(walk, inode);
    if (typeof target === 'number') return target;
    if (target instanceof PathRef) return { component, found: target };
    text = target;
  }
}

/** The child of a folder, what is mounted on it included: a place or -ENOENT, -ENAMETOOLONG .... */
export function lookupChild(parent: PathRef, name: string): PathRef | number {
  if (byteLength(name) > NAME_MAX) return -ENAMETOOLONG;
  const dentry = parent.mount.superblock.core.dentries.lookup(parent.dentry, name);
  return typeof dentry === 'number' ? dentry : crossMounts(new PathRef(parent.mount, dentry));
}

/** One level up, through mounts, not above `root`. */
function parentOf(path: PathRef, root: PathRef): PathRef {
  let at = path;
  for (;;) {
    if (at.equals(root)) return at;
    if (at.dentry !== at.mount.root) break;
    if (at.mount.at === null) return at;
    at = at.mount.at;
  }
  return crossMounts(new PathRef(at.mount, at.dentry.parent ?? at.dentry));
}

/** Splits off the last component, walking all before it: the folder is left in walk.at too. */
function walkParent(walk: Walk, path: string, origin: 'path' | 'link'): LastComponent | number {
  if (path.startsWith('/')) {
    const error = jumpToRoot(walk, origin);
    if (error < 0) return error;
  }
  const names = path.split('/').filter((name) => name !== '');
  const hasTrailingSlash = path.endsWith('/');
  const name = names.pop();
  for (const each of names) {
    const error = maySearch(walk) || step(walk, each, 'follow');
    if (error < 0) return error;
  }
  if (!walk.at.inode.isDirectory) return -ENOTDIR;
  const denied = name === undefined ? 0 : maySearch(walk);
  if (denied < 0) return denied;
  if (name === undefined) return { parent: walk.at, name: '.', kind: 'root', hasTrailingSlash };
  const kind = name === '.' ? 'dot' : name === '..' ? 'dotdot' : 'normal';
  return { parent: walk.at, name, kind, hasTrailingSlash };
}

/** may_lookup: before each name, the last one too. */
function maySearch({ actor, at }: Walk): number {
  return at.inode.isDirectory ? permission(actor, at.inode, MAY_EXEC) : -ENOTDIR;
}

function walkAll(walk: Walk, path: string, last: LastLink, origin: 'path' | 'link'): number {
  const component = walkParent(walk, path, origin);
  if (typeof component === 'number') return component;
  const error = step(walk, component.name, component.hasTrailingSlash ? 'follow' : last);
  if (error < 0) return error;
  return component.hasTrailingSlash && !walk.at.inode.isDirectory ? -ENOTDIR : 0;
}

/** walk_component: moves walk.at to the child. */
function step(walk: Walk, name: string, last: LastLink): number {
  if (!walk.at.inode.isDirectory) return -ENOTDIR;
  if (name === '.') return 0;
  if (name === '..') {
    if ((walk.restrict & RESOLVE_BENEATH) !== 0 && walk.at.equals(walk.root)) return -EXDEV;
    return moveTo(walk, parentOf(walk.at, walk.root));
  }
  const found = lookupChild(walk.at, name);
  if (typeof found === 'number') return found;
  if (!found.inode.isSymlink || last === 'nofollow') return moveTo(walk, found);
  const target = linkTarget(walk, found.inode);
  if (typeof target === 'number') return target;
  if (target instanceof PathRef) {
    walk.at = target;
    return 0;
  }
  return walkAll(walk, target, 'follow', 'link');
}

function moveTo(walk: Walk, to: PathRef): number {
  if (to.mount !== walk.at.mount && (walk.restrict & RESOLVE_NO_XDEV) !== 0) return -EXDEV;
  walk.at = to;
  return 0;
}

function linkTarget(walk: Walk, inode: Inode): string | PathRef | number {
  if (++walk.links > MAX_SYMLINKS || (walk.restrict & RESOLVE_NO_SYMLINKS) !== 0) return -ELOOP;
  const magic = inode.followMagic();
  if (magic !== null) {
    if ((walk.restrict & RESOLVE_NO_MAGICLINKS) !== 0) return -ELOOP;
    // nd_jump_link: such a jump leaves any scope.
    const isScoped = (walk.restrict & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0;
    return isScoped && typeof magic !== 'number' ? -EXDEV : magic;
  }
  const text = inode.readlink();
  return text === '' ? -ENOENT : text;
}

/** Bytes of the name as UTF-8, which is what the limits count. */
export function byteLength(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Each half of a surrogate pair stands for two of its four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
  }
  return bytes;
}
