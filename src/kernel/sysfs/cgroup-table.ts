import { CGROUP_OPTIONS, DELEGATABLE_FILES } from '../cgroup/cgroupfs.ts';
import type { SysfsRow } from './sysfs-table.ts';

/** /sys/kernel/cgroup (6.18, kernel/cgroup/cgroup.c cgroup_sysfs_attrs): what a delegatee may write, and the options of a mount. */
export const CGROUP_ROWS: readonly SysfsRow[] = [
  { path: 'kernel/cgroup/delegate', read: () => DELEGATABLE_FILES.join('\n'), write: null },
  { path: 'kernel/cgroup/features', read: () => CGROUP_OPTIONS.join('\n'), write: null },
];
