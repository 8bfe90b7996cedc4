import { ENOTDIR } from '../abi/errno.ts';
import type { File } from '../fs/file.ts';
import { FsContext } from '../fs/fs-context.ts';
import { resolve } from '../fs/path.ts';
import { machineCapabilities } from './credentials.ts';
import { commOf, execve } from './exec.ts';
import { openForExec } from './exec-program.ts';
import { dropSpace, releaseFs } from './exit.ts';
import { FileTable } from './file-table.ts';
import type { Kernel } from './kernel.ts';
import { chargeFs, discardTask, newTask } from './new-task.ts';
import { makeRunnable } from './scheduler.ts';
import { NO_RESULT } from './syscalls/row.ts';
import type { Task } from './task.ts';

export interface SpawnOptions {
  /** Absolute guest path. */
  readonly cwd: string;
  /** Descriptors 0, 1, 2; taken over. Default: vfs.openStdio. */
  readonly stdio?: readonly (File | null)[];
}

/** A new process in a session of its own that runs a program; its pid, or -ERRNO with nothing left behind. */
export function spawnProgram(
  k: Kernel,
  program: string,
  argv: readonly string[],
  env: readonly string[],
  options: SpawnOptions,
): number {
  const t = newTask(k, {
    kind: 'user',
    comm: commOf(encode(program)),
    cred: null,
    process: null,
    parent: k.init,
    sighand: null,
    sighandFrom: null,
  });
  if (typeof t === 'number') return t;
  t.process.pgrp = t.tid;
  t.process.session = t.tid;
  const { uid } = t.cred;
  k.vfs.core.current = { tgid: t.tid, pgrp: t.tid, session: t.tid, uid, capEffective: machineCapabilities(t.cred) };
  // Faults of the exec count as the new task's, though another one may have the CPU.
  const before = k.events.currentPid;
  k.events.currentPid = t.tid;
  const result = startProgram(k, t, program, argv, env, options);
  k.events.currentPid = before;
  return result;
}

function startProgram(
  k: Kernel,
  t: Task,
  program: string,
  argv: readonly string[],
  env: readonly string[],
  options: SpawnOptions,
): number {
  const failed = giveFiles(k, t, options);
  if (failed < 0) return giveUp(k, t, failed);
  const file = openForExec(k, t, null, program);
  if (typeof file === 'number') return giveUp(k, t, file);
  const result = execve(k, t, { file, filename: encode(program), argv: argv.map(encode), envp: env.map(encode) });
  // With a space of its own it is past the point of no return: a failure ends it by the SIGSEGV that waits for it.
  if (result !== NO_RESULT && t.space === null) return giveUp(k, t, result);
  k.liveProcesses++;
  k.spawnedStatus.set(t.tid, null);
  makeRunnable(k, t);
  return t.tid;
}

function giveFiles(k: Kernel, t: Task, options: SpawnOptions): number {
  const files = FileTable.create(k);
  if (typeof files === 'number') return files;
  t.files = files;
  const root = k.vfs.rootPath;
  const fs = new FsContext(root, root);
  const charged = chargeFs(k, fs);
  if (charged < 0) {
    fs.release();
    return charged;
  }
  t.fs = fs;
  const cwd = resolve(fs, null, options.cwd, 'follow');
  if (typeof cwd === 'number') return cwd;
  if ((cwd.inode.mode & 0o170000) !== 0o040000) return -ENOTDIR;
  fs.setCwd(cwd);
  for (const descriptor of [0, 1, 2] as const) {
    const file = options.stdio === undefined ? k.vfs.openStdio(descriptor) : options.stdio[descriptor];
    if (typeof file === 'number') return file;
    if (file === null || file === undefined) continue;
    const installed = files.install(file, 0);
    if (installed < 0) return installed;
    k.adoptTerminal(t, file);
  }
  return 0;
}

function giveUp(k: Kernel, t: Task, error: number): number {
  t.files?.release();
  t.files = null;
  releaseFs(k, t);
  if (t.space !== null) dropSpace(k, t);
  discardTask(k, t);
  return error;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
