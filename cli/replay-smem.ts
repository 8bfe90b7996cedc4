import type { Timeline } from '../src/index.ts';
import { type TarEntry, tarFile } from './tar-file.ts';

/** Files of /proc that smemcap takes, and others that scripts read. */
const OF_MACHINE = ['meminfo', 'version', 'vmstat', 'stat', 'uptime', 'pressure/memory'];
const OF_PROCESS = ['smaps', 'cmdline', 'stat', 'maps', 'smaps_rollup', 'status', 'statm'];

/** /proc at a point of a replay as smemcap packs it (smem 1.5: `N/smaps`, `N/cmdline`, `N/stat`, `meminfo`, `version`). The machine stays as it is. */
export function smemTar(timeline: Timeline): Uint8Array {
  return timeline.asIf(() => {
    const { system } = timeline.replay;
    const read = (path: string): Uint8Array | null => {
      const bytes = system.readFile(`/proc/${path}`);
      return typeof bytes === 'number' ? null : bytes;
    };
    const entries: TarEntry[] = [];
    const add = (name: string, owner: { uid: number; gid: number }): void => {
      const bytes = read(name);
      if (bytes !== null) entries.push({ name, kind: 'file', bytes, ...owner });
    };
    for (const name of OF_MACHINE) add(name, { uid: 0, gid: 0 });
    for (const pid of [...system.kernel.processes.keys()].sort((a, b) => a - b)) {
      const owner = ownerOf(read(`${pid}/status`));
      entries.push({ name: String(pid), kind: 'folder', bytes: new Uint8Array(0), ...owner });
      for (const name of OF_PROCESS) add(`${pid}/${name}`, owner);
    }
    return tarFile(entries);
  });
}

/** Effective ids. */
function ownerOf(status: Uint8Array | null): { uid: number; gid: number } {
  const text = status === null ? '' : new TextDecoder().decode(status);
  const idOf = (name: string): number => Number(new RegExp(`^${name}:\\t\\d+\\t(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { uid: idOf('Uid'), gid: idOf('Gid') };
}
