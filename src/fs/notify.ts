import { O_PATH } from '../abi/fcntl.ts';
import {
  IN_ATTRIB,
  IN_CLOSE_NOWRITE,
  IN_CLOSE_WRITE,
  IN_DELETE_SELF,
  IN_EXCL_UNLINK,
  IN_ISDIR,
  IN_MODIFY,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
} from '../abi/inotify.ts';
import type { Dentry } from './dentry.ts';
import type { File } from './file.ts';
import type { FsCore } from './fs-core.ts';
import type { Inode } from './inode.ts';

/**
 * What happens to files, told to those who watch (include/linux/fsnotify.h, 6.18). The folder that a file is reached through hears
 * of it by name first, then the file's own watches.
 */

/** Whether there is anybody to tell. */
function isQuiet(core: FsCore): boolean {
  return core.notify.watchCount === 0;
}

const kindOf = (inode: Inode): number => (inode.isDirectory ? IN_ISDIR : 0);

/** `via`: the open file's dentry, which a watch with IN_EXCL_UNLINK must not hear of once its name is gone. */
function tell(inode: Inode, mask: number, name: string | null, cookie: number, via: Dentry | null): void {
  if (inode.watches === null) return;
  for (const watch of [...inode.watches]) {
    if ((watch.mask & mask) === 0) continue;
    if ((watch.mask & IN_EXCL_UNLINK) !== 0 && via?.isDeleted === true) continue;
    watch.owner.handle(watch, mask, cookie, name);
  }
}

function tellBoth(dentry: Dentry, mask: number, via: Dentry | null): void {
  const { inode, parent, name } = dentry;
  const full = mask | kindOf(inode);
  if (parent !== null) tell(parent.inode, full, name, 0, via);
  tell(inode, full, null, 0, via);
}

/** An open file is opened, read, written: IN_OPEN, IN_ACCESS, IN_MODIFY. */
export function notifyFile(file: File, mask: number): void {
  if (isQuiet(file.core) || (file.flags & O_PATH) !== 0) return;
  tellBoth(file.path.dentry, mask, file.path.dentry);
}

/** The last descriptor of an open file is closed (fsnotify_close). */
export function notifyClose(file: File): void {
  notifyFile(file, file.writable ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
}

/** Size, mode, owner or times are set (fsnotify_change): IN_MODIFY, IN_ATTRIB, IN_ACCESS. */
export function notifyChange(dentry: Dentry, mask: number): void {
  if (!isQuiet(dentry.inode.superblock.core)) tellBoth(dentry, mask, null);
}

/** A file of a pseudo file system shows something else of itself (kernfs_notify_workfn): IN_MODIFY. */
export function notifyContents(inode: Inode, folder: { readonly inode: Inode; readonly name: string } | null): void {
  if (isQuiet(inode.superblock.core)) return;
  if (folder !== null) tell(folder.inode, IN_MODIFY, folder.name, 0, null);
  tell(inode, IN_MODIFY, null, 0, null);
}

/** A name in a folder comes or goes: IN_CREATE, IN_DELETE. */
export function notifyName(folder: Inode, mask: number, name: string, named: Inode): void {
  tell(folder, mask | kindOf(named), name, 0, null);
}

/** The number of a file's names has changed (fsnotify_link_count). */
export function notifyLinkCount(inode: Inode): void {
  tell(inode, IN_ATTRIB | kindOf(inode), null, 0, null);
}

/** fsnotify_move: one file, from a name to another; `replaced` had that. */
export function notifyMove(
  from: { readonly folder: Inode; readonly name: string },
  to: { readonly folder: Inode; readonly name: string },
  moved: Inode,
  replaced: Inode | null,
): void {
  const { core } = moved.superblock;
  if (isQuiet(core)) return;
  const cookie = ++core.notify.lastCookie;
  tell(from.folder, IN_MOVED_FROM | kindOf(moved), from.name, cookie, null);
  tell(to.folder, IN_MOVED_TO | kindOf(moved), to.name, cookie, null);
  if (replaced !== null) notifyLinkCount(replaced);
  tell(moved, IN_MOVE_SELF | kindOf(moved), null, 0, null);
}

/** Neither a name nor an open file leads to it any more: its watches end (fsnotify_inoderemove). */
export function notifyGone(inode: Inode): void {
  tell(inode, IN_DELETE_SELF | kindOf(inode), null, 0, null);
  for (const watch of [...(inode.watches ?? [])]) watch.owner.drop(watch);
}
