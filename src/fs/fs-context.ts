import type { PathRef } from './path.ts';
import { type FsActor, KERNEL_ACTOR } from './permission.ts';

/** A task's root and working folder and its umask (Linux: fs_struct). Holds a reference to both folders. */
export class FsContext {
  root: PathRef;
  cwd: PathRef;
  umask: number;
  /** With whose rights the present call walks: tasks that share the context (CLONE_FS) set it at each call. */
  actor: FsActor = KERNEL_ACTOR;
  /** Tasks that share it (CLONE_FS). */
  users = 1;

  constructor(root: PathRef, cwd: PathRef, umask = 0o022) {
    root.retain();
    cwd.retain();
    this.root = root;
    this.cwd = cwd;
    this.umask = umask;
  }

  setCwd(path: PathRef): void {
    path.retain();
    this.cwd.release();
    this.cwd = path;
  }

  setRoot(path: PathRef): void {
    path.retain();
    this.root.release();
    this.root = path;
  }

  /** fork without CLONE_FS. */
  copy(): FsContext {
    return new FsContext(this.root, this.cwd, this.umask);
  }

  retain(): void {
    this.users++;
  }

  release(): void {
    if (--this.users > 0) return;
    this.root.release();
    this.cwd.release();
  }
}
