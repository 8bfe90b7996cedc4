import type { Mount } from '../../fs/mount.ts';
import { PathRef } from '../../fs/path.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { mangle } from './text.ts';

/** Blanks, tabs, newlines and backslashes in names (mangle). */
const ESCAPED = ' \t\n\\#';

/** Where the mount is, as the reader's root sees it; null: not below it. */
function placeOf(mount: Mount, t: Task): string | null {
  const path = new PathRef(mount, mount.root).displayPath(t.fs?.root ?? null);
  return path.startsWith('(unreachable)') ? null : path;
}

/** show_path: what of the file system the mount shows. */
function rootOf({ root }: Mount): string {
  const names: string[] = [];
  for (let dentry = root; dentry.parent !== null; dentry = dentry.parent) names.push(dentry.name);
  return `/${names.reverse().join('/')}`;
}

function visible(t: Task): { mount: Mount; place: string }[] {
  const rows: { mount: Mount; place: string }[] = [];
  for (const mount of t.mounts?.table.mounts ?? []) {
    const place = placeOf(mount, t);
    if (place !== null) rows.push({ mount, place });
  }
  return rows;
}

/** /proc/PID/mounts (show_vfsmnt): in the order of mounting. */
export function showMounts(_k: Kernel, t: Task): readonly string[] {
  return visible(t).map(
    ({ mount, place }) =>
      `${mangle(mount.source, ESCAPED)} ${mangle(place, ESCAPED)} ${mount.superblock.fsType} ${mount.optionsText()} 0 0\n`,
  );
}

/** /proc/PID/mountinfo (show_mountinfo): mount options before, superblock options behind the dash. */
export function showMountinfo(_k: Kernel, t: Task): readonly string[] {
  return visible(t).map(({ mount, place }) => {
    const { superblock } = mount;
    const parent = mount.at?.mount.id ?? mount.id;
    const superOptions = superblock.showOptions();
    const options = mount.optionsText();
    const ownOptions = options.slice(0, options.length - superOptions.length);
    return (
      `${mount.id} ${parent} ${superblock.devMajor}:${superblock.devMinor} ${mangle(rootOf(mount), ESCAPED)} ${mangle(place, ESCAPED)} ${ownOptions} - ` +
      `${superblock.fsType} ${mangle(mount.source, ESCAPED)} ${superblock.isReadonly ? 'ro' : 'rw'}${superOptions}\n`
    );
  });
}
