import { EOPNOTSUPP } from '../../abi/errno.ts';
import { PSI_RESOURCES } from '../psi/psi-group.ts';
import type { CgroupFileRow } from './file-row.ts';

/** io.pressure, memory.pressure, cpu.pressure (6.18, kernel/cgroup/cgroup.c cgroup_psi_files): the root's are the machine's. No triggers. */
export const PRESSURE_FILES: readonly CgroupFileRow[] = PSI_RESOURCES.map((resource) => ({
  name: `${resource}.pressure`,
  where: 'everywhere',
  mode: 0o644,
  read: (k, cgroup) => cgroup.psi.show(resource, cgroup.isRoot ? 'machine' : 'cgroup', k.clock.nowNs),
  write: () => -EOPNOTSUPP,
}));
