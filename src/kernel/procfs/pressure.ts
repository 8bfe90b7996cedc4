import { EINVAL, ENOENT } from '../../abi/errno.ts';
import { DT_REG, S_IFDIR, S_IFREG } from '../../abi/stat.ts';
import type { DirEntry, Inode } from '../../fs/inode.ts';
import { PSI_RESOURCES, type PsiResource } from '../psi/psi-group.ts';
import { PROC_DYNAMIC_FIRST } from './ino.ts';
import { PressureInode } from './pressure-file.ts';
import { ProcDirectory } from './proc-directory.ts';
import type { ProcSuperblock } from './proc-superblock.ts';
import type { SeqRow } from './seq-file.ts';

/** /proc/pressure (6.18, kernel/sched/psi.c psi_proc_init): what the whole machine's tasks wait for. */

/** Numbers of /proc/pressure and its files: behind those of /proc/sysvipc. */
const FIRST_INO = PROC_DYNAMIC_FIRST + 2064;

const file = (name: PsiResource): SeqRow => ({
  name,
  mode: 0o666,
  show: (k) => k.cgroups.root.psi.show(name, 'machine', k.clock.nowNs),
  writeError: -EINVAL,
});
export const PRESSURE_FILES: readonly SeqRow[] = PSI_RESOURCES.map(file);

export function ensurePressureFolder(superblock: ProcSuperblock): Inode | number {
  const parts = { superblock, key: 'pressure', ino: FIRST_INO, mode: S_IFDIR | 0o555, subject: null };
  return superblock.ensure('pressure', null, (slot) => new PressureFolder({ ...parts, slot }));
}

export class PressureFolder extends ProcDirectory {
  override lookup(name: string): Inode | number {
    const index = PRESSURE_FILES.findIndex((row) => row.name === name);
    if (index < 0) return -ENOENT;
    const row = PRESSURE_FILES[index];
    const { superblock } = this;
    const key = `pressure/${name}`;
    const parts = { superblock, key, ino: FIRST_INO + 1 + index, mode: S_IFREG | row.mode, subject: null };
    return superblock.ensure(key, null, (slot) => new PressureInode({ ...parts, slot }, row));
  }

  override entries(): DirEntry[] {
    return PRESSURE_FILES.map(({ name }, index) => ({ name, ino: FIRST_INO + 1 + index, type: DT_REG }));
  }
}
