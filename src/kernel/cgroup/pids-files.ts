import { EINVAL } from '../../abi/errno.ts';
import type { PidsState } from './cgroup.ts';
import { type CgroupFileRow, limitText, parseLimit } from './file-row.ts';

/** PID_MAX_LIMIT of a 64-bit kernel: a limit above it is none (PIDS_MAX). */
const PID_MAX_LIMIT = 4 * 1024 * 1024;

function row(name: string, of: (pids: PidsState) => string): CgroupFileRow {
  return {
    name,
    where: 'below root',
    mode: 0o444,
    read: (_k, { pids }) => (pids === null ? -EINVAL : `${of(pids)}\n`),
  };
}

/** pids_files (6.18, kernel/cgroup/pids.c). */
export const PIDS_FILES: readonly CgroupFileRow[] = [
  {
    ...row('pids.max', ({ max }) => limitText(max)),
    mode: 0o644,
    write: (_k, { pids }, text) => {
      const max = parseLimit(text);
      if (pids === null || max === null || (max > PID_MAX_LIMIT && text !== 'max')) return -EINVAL;
      pids.max = max;
      return 0;
    },
  },
  row('pids.current', ({ current }) => String(current)),
  row('pids.peak', ({ peak }) => String(peak)),
  {
    // mount option pids_localevents.
    ...row('pids.events', ({ events }) => `max ${events}`),
    read: (k, { pids }) => {
      if (pids === null) return -EINVAL;
      return `max ${k.cgroups.options.localPidsEvents ? pids.localEvents : pids.events}\n`;
    },
  },
  row('pids.events.local', ({ localEvents }) => `max ${localEvents}`),
];
