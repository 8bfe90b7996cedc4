import { ESRCH } from '../abi/errno.ts';
import { FsContext } from '../fs/fs-context.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import { pickMmapLayout } from '../mm/layout.ts';
import { exitSpace } from '../mm/ops/exit.ts';
import { dupSpace } from '../mm/ops/fork.ts';
import { exitTask, releaseFs, releaseProcess } from './exit.ts';
import { FileTable } from './file-table.ts';
import type { Kernel } from './kernel.ts';
import { chargeFs, discardTask, newTask } from './new-task.ts';
import type { Process } from './process.ts';
import { applyMmLimits } from './rlimits.ts';
import type { Task } from './task.ts';

export interface DrivenOptions {
  readonly comm: string;
}

/**
 * A process that TypeScript drives: it has an address space, descriptors and folders but no program; it is never scheduled
 * and does not keep `run` going. End it with `endDriven`, or let shutdown do so. -ENOMEM, with nothing left behind.
 */
export function spawnDriven(k: Kernel, options: DrivenOptions): Task | number {
  const root = k.vfs.rootPath;
  return makeDriven(k, options.comm, k.init, {
    space: () => k.mm.createSpace(),
    files: () => FileTable.create(k),
    fs: () => new FsContext(root, root),
    prepare: (space, task) => {
      applyMmLimits(task.process, space, task.cred);
      pickMmapLayout(k.mm, space);
    },
  });
}

/** fork(2) of a driven process: a child, also driven, with a copy-on-write image of its space. -ENOMEM. */
export function forkDriven(k: Kernel, parent: Task): Task | number {
  const { space, files, fs } = parent;
  if (space === null || files === null || fs === null) return -ESRCH;
  return makeDriven(k, parent.comm, parent.process, {
    space: () => dupSpace(k.mm, space),
    files: () => files.copy(),
    fs: () => fs.copy(),
    prepare: () => {},
  });
}

interface DrivenParts {
  space: () => AddressSpace | number;
  files: () => FileTable | number;
  fs: () => FsContext;
  prepare: (space: AddressSpace, task: Task) => void;
}

function makeDriven(k: Kernel, comm: string, parent: Process, parts: DrivenParts): Task | number {
  const t = newTask(k, {
    kind: 'driven',
    comm: comm.slice(0, 15),
    cred: null,
    process: null,
    parent,
    sighand: null,
    sighandFrom: null,
  });
  if (typeof t === 'number') return t;
  t.state = 'S';
  const space = parts.space();
  const files = parts.files();
  const fs = parts.fs();
  const charged = chargeFs(k, fs);
  if (typeof space === 'number' || typeof files === 'number' || charged < 0) {
    if (typeof files !== 'number') files.release();
    if (charged === 0) t.fs = fs;
    else fs.release();
    releaseFs(k, t);
    if (typeof space !== 'number') exitSpace(k.mm, space);
    discardTask(k, t);
    return typeof space === 'number' ? space : typeof files === 'number' ? files : charged;
  }
  t.space = space;
  t.files = files;
  t.fs = fs;
  parts.prepare(space, t);
  k.liveProcesses++;
  k.drivenProcesses++;
  return t;
}

/** exit: its memory and files are given back at once, and it is reaped. */
export function endDriven(k: Kernel, t: Task): void {
  k.drivenProcesses--;
  exitTask(k, t, 0);
  if (k.processes.has(t.process.pid)) releaseProcess(k, t.process);
}
