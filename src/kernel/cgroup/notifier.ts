import type { Cgroup } from './cgroup.ts';

/** Files that wake their watchers (cgroup_file_notify). */
export type NotifyingFile =
  | 'cgroup.events'
  | 'memory.events'
  | 'memory.events.local'
  | 'memory.swap.events'
  | 'pids.events';

/** The file system's end of a change: poll wakes, inotify tells IN_MODIFY (kernfs_notify). */
export interface CgroupNotifier {
  fileChanged(cgroup: Cgroup, file: NotifyingFile): void;
  /** Its directory was removed: what is open of it has ended. */
  cgroupGone(cgroup: Cgroup): void;
}
