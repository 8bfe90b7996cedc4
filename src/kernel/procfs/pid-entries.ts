import { EINVAL, ENOENT } from '../../abi/errno.ts';
import { File } from '../../fs/file.ts';
import type { Task } from '../task.ts';
import type { BytesRow } from './bytes-file.ts';
import { writeClearRefs } from './clear-refs.ts';
import {
  checkSetgroups,
  showGidMap,
  showProjidMap,
  showSetgroups,
  showUidMap,
  writeGidMap,
  writeProjidMap,
  writeSetgroups,
  writeUidMap,
} from './id-maps.ts';
import { showLimits } from './limits.ts';
import { showMaps } from './maps.ts';
import { readAuxv, readCmdline, readEnviron, readMem, writeMem } from './mem.ts';
import { showMountinfo, showMounts } from './mounts.ts';
import { showNumaMaps } from './numa-maps.ts';
import { readPagemap } from './pagemap.ts';
import { pagemapIoctl } from './pagemap-scan.ts';
import {
  showCgroup,
  showComm,
  showCoredumpFilter,
  showIo,
  showKsmMergingPages,
  showKsmStat,
  showOomAdj,
  showOomScore,
  showOomScoreAdj,
  showPersonality,
  showSyscall,
  showTimerSlack,
  showUnsetId,
  showWchan,
  writeComm,
  writeCoredumpFilter,
  writeOomAdj,
  writeOomScoreAdj,
  writeTimerSlack,
} from './pid-files.ts';
import type { MagicTarget } from './proc-link.ts';
import type { SeqRow } from './seq-file.ts';
import { showSmaps, showSmapsRollup } from './smaps.ts';
import { showProcessStat, showStatm, showThreadStat } from './stat.ts';
import { showStatus } from './status.ts';
import { showTimeOffsets, writeTimeOffsets } from './timens-offsets.ts';

export interface LinkRow {
  readonly name: string;
  readonly target: MagicTarget;
}
export interface FolderRow {
  readonly name: 'task' | 'fd' | 'fdinfo' | 'map_files' | 'ns';
  readonly folder: 'task' | 'fd' | 'fdinfo' | 'map_files' | 'ns';
  readonly mode: number;
}
export type PidEntry = SeqRow | BytesRow | LinkRow | FolderRow;

type Show = SeqRow['show'];

const seq = (name: string, mode: number, show: Show, more: Partial<SeqRow> = {}): SeqRow => ({
  name,
  mode,
  show,
  writeError: -EINVAL,
  ...more,
});
const bytes = (name: string, mode: number, readAt: BytesRow['readAt'], more: Partial<BytesRow> = {}): BytesRow => ({
  name,
  mode,
  readAt,
  writeError: -EINVAL,
  space: 'open',
  seeks: 'set',
  ...more,
});

/** mounts_open_common: a task that has exited is in no mount namespace. */
const hasMounts = (t: Task): number => (t.fs === null ? -EINVAL : 0);

const exeLink: LinkRow = {
  name: 'exe',
  target: (_k, t) => {
    const exe = t.space?.exeFile ?? null;
    return exe instanceof File ? exe.path : -ENOENT;
  },
};
const cwdLink: LinkRow = { name: 'cwd', target: (_k, t) => t.fs?.cwd ?? -ENOENT };
const rootLink: LinkRow = { name: 'root', target: (_k, t) => t.fs?.root ?? -ENOENT };

/** tgid_base_stuff in its order (fs/proc/base.c, 6.18), as far as this kernel has what they show. */
export const PROCESS_ENTRIES: readonly PidEntry[] = [
  { name: 'task', folder: 'task', mode: 0o555 },
  { name: 'fd', folder: 'fd', mode: 0o500 },
  { name: 'map_files', folder: 'map_files', mode: 0o500 },
  { name: 'fdinfo', folder: 'fdinfo', mode: 0o555 },
  { name: 'ns', folder: 'ns', mode: 0o511 },
  bytes('environ', 0o400, readEnviron),
  bytes('auxv', 0o400, readAuxv, { seeks: 'generic' }),
  seq('status', 0o444, showStatus),
  seq('personality', 0o400, showPersonality),
  seq('limits', 0o444, showLimits),
  seq('uid_map', 0o644, showUidMap, { write: writeUidMap }),
  seq('gid_map', 0o644, showGidMap, { write: writeGidMap }),
  seq('projid_map', 0o644, showProjidMap, { write: writeProjidMap }),
  seq('setgroups', 0o644, showSetgroups, { write: writeSetgroups, check: checkSetgroups }),
  seq('timens_offsets', 0o644, showTimeOffsets, { write: writeTimeOffsets }),
  seq('comm', 0o644, showComm, { write: writeComm }),
  seq('syscall', 0o400, showSyscall),
  bytes('cmdline', 0o444, readCmdline, { space: 'now', seeks: 'generic' }),
  seq('stat', 0o444, showProcessStat),
  seq('statm', 0o444, showStatm),
  seq('numa_maps', 0o444, showNumaMaps, { holdsSpace: 'any' }),
  seq('maps', 0o444, showMaps, { holdsSpace: 'any' }),
  bytes('mem', 0o600, readMem, { writeAt: writeMem }),
  cwdLink,
  rootLink,
  exeLink,
  seq('mounts', 0o444, showMounts, { check: hasMounts }),
  seq('mountinfo', 0o444, showMountinfo, { check: hasMounts }),
  seq('clear_refs', 0o200, () => -EINVAL, { write: writeClearRefs, pwrite: 'works' }),
  seq('smaps', 0o444, showSmaps, { holdsSpace: 'any' }),
  seq('smaps_rollup', 0o444, showSmapsRollup, { holdsSpace: 'needed' }),
  { ...bytes('pagemap', 0o400, readPagemap), ioctl: pagemapIoctl },
  seq('wchan', 0o444, showWchan),
  seq('cgroup', 0o444, showCgroup),
  seq('oom_score', 0o444, showOomScore),
  seq('oom_adj', 0o644, showOomAdj, { write: writeOomAdj, pwrite: 'works' }),
  seq('oom_score_adj', 0o644, showOomScoreAdj, { write: writeOomScoreAdj, pwrite: 'works' }),
  seq('loginuid', 0o444, showUnsetId),
  seq('sessionid', 0o444, showUnsetId),
  seq('coredump_filter', 0o644, showCoredumpFilter, { write: writeCoredumpFilter, pwrite: 'works' }),
  seq('io', 0o400, showIo),
  seq('timerslack_ns', 0o666, showTimerSlack, { write: writeTimerSlack }),
  seq('ksm_merging_pages', 0o400, showKsmMergingPages),
  seq('ksm_stat', 0o400, showKsmStat),
];

const NOT_OF_THREADS = ['task', 'map_files', 'timens_offsets', 'coredump_filter', 'timerslack_ns'];

/** tid_base_stuff: the same without those that are a whole process's; stat is the thread's own. */
export const THREAD_ENTRIES: readonly PidEntry[] = PROCESS_ENTRIES.filter(
  (row) => !NOT_OF_THREADS.includes(row.name),
).map((row) => (row.name === 'stat' ? seq('stat', 0o444, showThreadStat) : row));
