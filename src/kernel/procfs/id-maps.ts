import { CAP_SETFCAP, CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { EACCES, EINVAL, EPERM } from '../../abi/errno.ts';
import { type Credentials, nsCapable } from '../credentials.ts';
import { type IdExtent, type IdMap, INVALID_ID, parseExtents } from '../id-map.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import type { UserNamespace } from '../user-namespace.ts';
import type { ProcAccess } from './seq-file.ts';

/** /proc/PID/uid_map, gid_map, projid_map and setgroups (6.18, kernel/user_namespace.c). */

type Kind = 'uids' | 'gids' | 'projects';

/** uid_m_show: the outer ids as the reader's namespace numbers them, or the parent where the reader is in this one. */
function showMap({ userNs, opener }: ProcAccess, kind: Kind): readonly string[] {
  const reader = opener.userNs === userNs && userNs.parent !== null ? userNs.parent : opener.userNs;
  const field = (value: number): string => String(value).padStart(10);
  return userNs[kind].extents.map(
    ({ first, lowerFirst, count }) => `${field(first)} ${field(reader[kind].fromKernel(lowerFirst))} ${field(count)}\n`,
  );
}

/** verify_root_map: the parent's root is given only by who has CAP_SETFCAP there. */
function mayMapRoot({ userNs, opener }: ProcAccess, extents: readonly IdExtent[]): boolean {
  if (extents.every(({ lowerFirst }) => lowerFirst !== 0)) return true;
  if (opener.userNs === userNs) return userNs.makerCouldSetfcap;
  return nsCapable(opener, userNs.parent as UserNamespace, CAP_SETFCAP);
}

/** new_idmap_permitted: the owner may map himself, alone; all else is for who has the capability in the parent. */
function isPermitted(writer: Credentials, access: ProcAccess, kind: Kind, extents: readonly IdExtent[]): boolean {
  const { userNs, opener } = access;
  const parent = userNs.parent as UserNamespace;
  if (kind === 'uids' && !mayMapRoot(access, extents)) return false;
  const [{ lowerFirst, count }] = extents;
  if (extents.length === 1 && count === 1 && userNs.ownerUid === opener.euid) {
    if (kind === 'uids' && parent.uids.toKernel(lowerFirst) === opener.euid) return true;
    const isOwnGroup = parent.gids.toKernel(lowerFirst) === opener.egid;
    if (kind === 'gids' && !userNs.setgroupsAllowed && isOwnGroup) return true;
  }
  if (kind === 'projects') return true;
  const capability = kind === 'uids' ? CAP_SETUID : CAP_SETGID;
  return nsCapable(writer, parent, capability) && nsCapable(opener, parent, capability);
}

/** map_write: once, as a whole, at the front of the file. */
function writeMap(k: Kernel, access: ProcAccess, kind: Kind, text: string): number {
  const { userNs, opener, pos } = access;
  const { parent } = userNs;
  if (parent === null || (opener.userNs !== userNs && opener.userNs !== parent)) return -EPERM;
  if (pos !== 0) return -EINVAL;
  const map: IdMap = userNs[kind];
  if (map.isSet) return -EPERM;
  if (kind !== 'projects' && !nsCapable(opener, userNs, CAP_SYS_ADMIN)) return -EPERM;
  const extents = parseExtents(text);
  if (extents === null) return -EINVAL;
  const writer = k.current?.cred ?? opener;
  if (!isPermitted(writer, access, kind, extents)) return -EPERM;
  const mapped = extents.map((extent) => ({
    ...extent,
    lowerFirst: parent[kind].rangeToKernel(extent.lowerFirst, extent.count),
  }));
  if (mapped.some(({ lowerFirst }) => lowerFirst === INVALID_ID)) return -EPERM;
  map.extents = mapped;
  return 0;
}

type Show = (k: Kernel, t: Task, space: unknown, access: ProcAccess) => readonly string[];
type Write = (k: Kernel, t: Task, text: string, access: ProcAccess) => number;

export const showUidMap: Show = (_k, _t, _space, access) => showMap(access, 'uids');
export const showGidMap: Show = (_k, _t, _space, access) => showMap(access, 'gids');
export const showProjidMap: Show = (_k, _t, _space, access) => showMap(access, 'projects');
export const writeUidMap: Write = (k, _t, text, access) => writeMap(k, access, 'uids', text);
export const writeGidMap: Write = (k, _t, text, access) => writeMap(k, access, 'gids', text);
export const writeProjidMap: Write = (k, _t, text, access) => writeMap(k, access, 'projects', text);

export function showSetgroups(_k: Kernel, _t: Task, _space: unknown, { userNs }: ProcAccess): string {
  return userNs.setgroupsAllowed ? 'allow\n' : 'deny\n';
}

/** proc_setgroups_open. */
export function checkSetgroups(t: Task, opener: Credentials, wanted: 'read' | 'write'): number {
  return wanted === 'write' && !nsCapable(opener, t.cred.userNs, CAP_SYS_ADMIN) ? -EACCES : 0;
}

/** proc_setgroups_write: what has been denied stays denied, and is denied before there is a gid_map. */
export function writeSetgroups(_k: Kernel, _t: Task, text: string, { userNs, pos }: ProcAccess): number {
  if (pos !== 0 || text.length >= 8) return -EINVAL;
  const word = text.trimEnd();
  if (word === 'allow') return userNs.setgroupsAllowed ? 0 : -EPERM;
  if (word !== 'deny') return -EINVAL;
  if (userNs.gids.isSet) return -EPERM;
  userNs.setgroupsAllowed = false;
  return 0;
}
