import { EIO, ENOENT } from '../../abi/errno.ts';
import { DT_REG, S_IFDIR, S_IFREG } from '../../abi/stat.ts';
import type { DirEntry, Inode } from '../../fs/inode.ts';
import type { IpcPerm } from '../ipc/ipc-ids.ts';
import { currentIpc } from '../ipc/namespace.ts';
import type { Kernel } from '../kernel.ts';
import { PROC_DYNAMIC_FIRST } from './ino.ts';
import { ProcDirectory } from './proc-directory.ts';
import type { ProcSuperblock } from './proc-superblock.ts';
import { SeqInode, type SeqRow } from './seq-file.ts';

/** /proc/sysvipc (6.18, ipc/util.c sysvipc_proc_show, and each kind's own show function): a header and a row an object. */

/** Numbers of /proc/sysvipc and its files: behind those of /proc, before those of /proc/sys. */
const FIRST_INO = PROC_DYNAMIC_FIRST + 2048;

const pad = (width: number) => (value: number | bigint) => String(value).padStart(width);
const signed10 = pad(10);
const five = pad(5);

/** Owner and maker as the reader numbers them. */
function ownersOf(k: Kernel, perm: IpcPerm): number[] {
  const { uids, gids } = k.current?.cred.userNs ?? k.initialUser;
  return [uids.show(perm.uid), gids.show(perm.gid), uids.show(perm.cuid), gids.show(perm.cgid)];
}

function showShm(k: Kernel): readonly string[] {
  const header =
    '       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ' +
    'ctime                   rss                  swap\n';
  const rows = currentIpc(k)
    .shm.ids.list()
    .map((segment) => {
      const { perm } = segment;
      const mode = perm.mode.toString(8).padStart(4);
      const ids = ownersOf(k, perm).map(five).join(' ');
      const times = [segment.atime, segment.dtime, segment.ctime].map(signed10).join(' ');
      return (
        `${signed10(perm.key)} ${signed10(perm.id)}  ${mode} ${pad(21)(segment.sizeBytes)} ` +
        `${five(segment.creatorPid)} ${five(segment.lastPid)}  ${five(segment.nattch)} ${ids} ${times} ` +
        `${pad(21)(segment.residentBytes)} ${pad(21)(segment.swappedBytes)}\n`
      );
    });
  return [header, ...rows];
}

function showSem(k: Kernel): readonly string[] {
  const header = '       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n';
  const rows = currentIpc(k)
    .sem.ids.list()
    .map((set) => {
      const { perm } = set;
      const ids = ownersOf(k, perm).map(five).join(' ');
      return (
        `${signed10(perm.key)} ${signed10(perm.id)}  ${perm.mode.toString(8).padStart(4)} ${signed10(set.values.length)} ` +
        `${ids} ${signed10(set.otime)} ${signed10(set.ctime)}\n`
      );
    });
  return [header, ...rows];
}

function showMsg(k: Kernel): readonly string[] {
  const header =
    '       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n';
  const rows = currentIpc(k)
    .msg.ids.list()
    .map((queue) => {
      const { perm } = queue;
      const ids = [queue.lastSender, queue.lastReceiver, ...ownersOf(k, perm)].map(five).join(' ');
      const times = [queue.stime, queue.rtime, queue.ctime].map(signed10).join(' ');
      return (
        `${signed10(perm.key)} ${signed10(perm.id)}  ${perm.mode.toString(8).padStart(4)}  ${signed10(queue.bytes)} ` +
        `${signed10(queue.messages.length)} ${ids} ${times}\n`
      );
    });
  return [header, ...rows];
}

const file = (name: string, show: SeqRow['show']): SeqRow => ({ name, mode: 0o444, show, writeError: -EIO });
export const SYSVIPC_FILES: readonly SeqRow[] = [file('msg', showMsg), file('sem', showSem), file('shm', showShm)];

export function ensureSysvipcFolder(superblock: ProcSuperblock): Inode | number {
  const parts = { superblock, key: 'sysvipc', ino: FIRST_INO, mode: S_IFDIR | 0o555, subject: null };
  return superblock.ensure('sysvipc', null, (slot) => new SysvipcFolder({ ...parts, slot }));
}

export class SysvipcFolder extends ProcDirectory {
  override lookup(name: string): Inode | number {
    const index = SYSVIPC_FILES.findIndex((row) => row.name === name);
    if (index < 0) return -ENOENT;
    const row = SYSVIPC_FILES[index];
    const { superblock } = this;
    const key = `sysvipc/${name}`;
    const parts = { superblock, key, ino: FIRST_INO + 1 + index, mode: S_IFREG | row.mode, subject: null };
    return superblock.ensure(key, null, (slot) => new SeqInode({ ...parts, slot }, row));
  }

  override entries(): DirEntry[] {
    return SYSVIPC_FILES.map(({ name }, index) => ({ name, ino: FIRST_INO + 1 + index, type: DT_REG }));
  }
}
