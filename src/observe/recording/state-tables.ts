import { ALL_OWNERS } from '../../fs/permission.ts';
import { ALL_FILES } from '../../kernel/cgroup/cgroupfs.ts';
import { FDINFO } from '../../kernel/procfs/fd-dir.ts';
import { PROCESS_ENTRIES, THREAD_ENTRIES } from '../../kernel/procfs/pid-entries.ts';
import { PRESSURE_FILES } from '../../kernel/procfs/pressure.ts';
import { ROOT_ENTRIES } from '../../kernel/procfs/root-dir.ts';
import { SYSCTLS } from '../../kernel/procfs/sysctl-table.ts';
import { SYSVIPC_FILES } from '../../kernel/procfs/sysvipc.ts';

/** Constants of the program with functions in them that a machine's state comes to refer to after its start. */
export const STATE_TABLES: readonly object[] = [
  PROCESS_ENTRIES,
  THREAD_ENTRIES,
  ROOT_ENTRIES,
  SYSVIPC_FILES,
  PRESSURE_FILES,
  SYSCTLS,
  ALL_FILES,
  FDINFO,
  ALL_OWNERS,
];
