import { EBUSY, ENODEV, ENOENT, ENOTDIR } from '../abi/errno.ts';
import { O_RDONLY, O_RDWR, O_WRONLY } from '../abi/fcntl.ts';
import { S_IFDIR } from '../abi/stat.ts';
import { assert } from '../base/assert.ts';
import type { Timespec } from '../base/timespec.ts';
import type { WakeList } from '../base/wait-queue.ts';
import type { VirtualClock } from '../machine/clock.ts';
import type { Environment } from '../machine/environment.ts';
import { makeAnonFile } from './anon-fs.ts';
import { accessPath, chmodPath, chownPath, setTimesOfPath, truncatePath } from './attributes.ts';
import { registerCharDevices } from './char-devices.ts';
import { makeDevRoot } from './dev-fs.ts';
import { makeEventFile } from './eventfd.ts';
import type { File } from './file.ts';
import { FsContext } from './fs-context.ts';
import { FsCore, type FsMemory } from './fs-core.ts';
import { HostSuperblock } from './host-superblock.ts';
import type { Inode } from './inode.ts';
import { makeMemfd } from './memfd.ts';
import type { MemoryInode } from './memory-inode.ts';
import { MemorySuperblock } from './memory-superblock.ts';
import { type Mount, MountTable } from './mount.ts';
import { linkAt, mkdirAt, mknodAt, renameAt, rmdirAt, symlinkAt, unlinkAt } from './name-operations.ts';
import { openAt, openPath } from './open.ts';
import type { OverlayInode } from './overlay-inode.ts';
import { OverlaySuperblock } from './overlay-superblock.ts';
import { PathRef, resolve } from './path.ts';
import type { FsActor } from './permission.ts';
import { makePipe } from './pipe.ts';
import { makeSecretFile } from './secretmem.ts';
import type { SocketFile } from './socket.ts';
import { makeSocket, makeSocketPair } from './socket-make.ts';
import { makeStdioFile, type StdioFile } from './stdio-file.ts';
import type { StatFs } from './superblock.ts';
import { Tty } from './tty.ts';

export type HostMountMode = 'ro' | 'rw' | 'overlay';

/**
 * The file system of one machine: its mounts, and the operations on paths. `base` is where a relative path starts (the path of
 * the dirfd); null: the working folder. Everything returns 0 or more, or -ERRNO.
 *
 * The root is an empty tmpfs; the composition root mounts host folders, /dev and /proc on it.
 */
export class Vfs {
  readonly core: FsCore;
  readonly mounts: MountTable;
  /** The kernel's own tmpfs, in no tree: memfd. */
  private readonly shm: MemorySuperblock;
  private stdin: StdioFile | null = null;

  /** Throws KernelPanic if there is no memory for the root: a machine that small does not boot. */
  constructor(mm: FsMemory, environment: Environment, wakeList: WakeList, clock: VirtualClock) {
    this.core = new FsCore(mm, environment, wakeList, clock);
    this.mounts = new MountTable(this.core);
    registerCharDevices(this.core);
    this.shm = new MemorySuperblock(this.core, { huge: 'machine' });
    const superblock = new MemorySuperblock(this.core);
    const root = superblock.makeInode(0o040755);
    assert(typeof root !== 'number', 'fs/vfs.ts: memory for the root folder');
    superblock.treeRoot = root;
    const dentry = this.core.dentries.makeRoot(root);
    assert(typeof dentry !== 'number', 'fs/vfs.ts: memory for the root folder');
    this.mounts.mount(dentry, null, 0, 'rootfs');
    if (environment.stdio.includes('tty')) {
      const { stdio } = environment;
      this.core.console = new Tty(this.core, stdio[1] === 'tty' ? 1 : stdio[2] === 'tty' ? 2 : null);
    }
  }

  /** The root of the first namespace's tree, what is mounted on it included. */
  get rootPath(): PathRef {
    return this.mounts.rootPath;
  }

  /** For the first process, and for the composition root's own walks. The caller releases it. */
  makeContext(): FsContext {
    return new FsContext(this.rootPath, this.rootPath);
  }

  /** restrict: RESOLVE_*. */
  open(
    context: FsContext,
    base: PathRef | null,
    path: string,
    flags: number,
    mode: number,
    restrict = 0,
  ): File | number {
    return openAt(context, base, path, flags, mode, restrict);
  }
  /** A new description of what is at a place already walked to (/proc/self/fd/N, exec of a descriptor). */
  openPath(path: PathRef, flags: number, actor: FsActor | null): File | number {
    return openPath(path, flags, actor);
  }
  mknod(context: FsContext, base: PathRef | null, path: string, mode: number, rdev: number): number {
    return mknodAt(context, base, path, mode, rdev);
  }
  mkdir(context: FsContext, base: PathRef | null, path: string, mode: number): number {
    return mkdirAt(context, base, path, mode);
  }
  symlink(context: FsContext, target: string, base: PathRef | null, path: string): number {
    return symlinkAt(context, target, base, path);
  }
  /** flags: AT_SYMLINK_FOLLOW, AT_EMPTY_PATH. */
  link(
    context: FsContext,
    oldBase: PathRef | null,
    oldPath: string,
    newBase: PathRef | null,
    newPath: string,
    flags: number,
  ): number {
    return linkAt(context, oldBase, oldPath, newBase, newPath, flags);
  }
  unlink(context: FsContext, base: PathRef | null, path: string): number {
    return unlinkAt(context, base, path);
  }
  rmdir(context: FsContext, base: PathRef | null, path: string): number {
    return rmdirAt(context, base, path);
  }
  /** flags: RENAME_NOREPLACE, RENAME_EXCHANGE. */
  rename(
    context: FsContext,
    oldBase: PathRef | null,
    oldPath: string,
    newBase: PathRef | null,
    newPath: string,
    flags: number,
  ): number {
    return renameAt(context, oldBase, oldPath, newBase, newPath, flags);
  }

  /** truncate(2): the file at the place, link followed. */
  truncate(path: PathRef, sizeBytes: number, actor: FsActor): number {
    return truncatePath(path, sizeBytes, actor);
  }
  chmod(path: PathRef, mode: number, actor: FsActor): number {
    return chmodPath(path, mode, actor);
  }
  /** -1 leaves an owner as it is. */
  chown(path: PathRef, uid: number, gid: number, actor: FsActor): number {
    return chownPath(path, uid, gid, actor);
  }
  /** `wanted` 'now': both times are the present, for which the right to write is enough. */
  setTimes(
    path: PathRef,
    atime: Timespec | null,
    mtime: Timespec | null,
    wanted: 'now' | 'given',
    actor: FsActor,
  ): number {
    return setTimesOfPath(path, atime, mtime, wanted, actor);
  }
  /** F_OK, R_OK, W_OK, X_OK: 0, -EACCES, -EROFS. */
  access(path: PathRef, mode: number, actor: FsActor): number {
    return accessPath(path, mode, actor);
  }
  statfs(mount: Mount): StatFs {
    return mount.superblock.statfs();
  }

  /** [read end, write end]. flags: O_NONBLOCK. */
  pipe(flags: number): [File, File] | number {
    return makePipe(this.core, flags);
  }
  socketpair(domain: number, type: number, protocol: number): [SocketFile, SocketFile] | number {
    return makeSocketPair(this.core, domain, type, protocol);
  }
  socket(domain: number, type: number, protocol: number): SocketFile | number {
    return makeSocket(this.core, domain, type, protocol);
  }
  eventfd(count: number, flags: number): File | number {
    return makeEventFile(this.core, count, flags);
  }
  memfd(name: string, flags: number): File | number {
    return makeMemfd(this.core, this.shm, name, flags);
  }
  secretmem(): File | number {
    return makeSecretFile(this.core);
  }
  /** A description without a name, for timerfd, signalfd, epoll: `make` builds the File. */
  anonFile<T extends File>(displayName: string, make: (path: PathRef, slot: number) => T): T | number {
    return makeAnonFile(this.core, displayName, make);
  }

  /** Descriptors 0, 1, 2 of the first process, by what they are on the host. /dev must be mounted. */
  openStdio(descriptor: 0 | 1 | 2): File | number {
    const kind = this.core.environment.stdio[descriptor];
    if (kind === 'tty' || kind === 'null') {
      const context = this.makeContext();
      const name = kind === 'tty' ? '/dev/console' : '/dev/null';
      const flags = kind === 'tty' ? O_RDWR : descriptor === 0 ? O_RDONLY : O_WRONLY;
      const file = openAt(context, null, name, flags, 0);
      context.release();
      return file;
    }
    const file = makeStdioFile(this.core, descriptor, kind);
    if (descriptor === 0 && typeof file !== 'number') this.stdin = file;
    return file;
  }

  /** A task sleeps in read(2) or poll(2) on the host's input. */
  get isInputAwaited(): boolean {
    return this.core.console?.isInputAwaited === true || this.stdin?.isInputAwaited === true;
  }

  /** Takes what the host's input has now: keys go through the line discipline, sleepers wake. True if something came. */
  pumpInput(): boolean {
    const { console: tty, environment } = this.core;
    if (tty === null || environment.stdio[0] !== 'tty') {
      return this.stdin?.isInputAwaited === true && this.stdin.wakeReaders();
    }
    if (tty.isHungUp) return false;
    let came = false;
    for (;;) {
      const bytes = environment.readInput(4096);
      if (bytes === 'later') return came;
      came = true;
      if (bytes === 'eof') {
        tty.hangUp();
        return true;
      }
      tty.receive(bytes);
    }
  }

  // Mounts

  /** Mounts a file system (its root inode) at a place of the tree. flags: MS_*. */
  mountInode(root: Inode, at: PathRef, flags: number, source: string): Mount | number {
    if (root.isDirectory !== at.inode.isDirectory) return -ENOTDIR;
    const dentry = this.core.dentries.makeRoot(root);
    return typeof dentry === 'number' ? dentry : (at.mount.table as MountTable).mount(dentry, at, flags, source);
  }

  /** Mounts a new tmpfs; missing folders above are made. limitPages: default half of RAM. */
  mountTmpfs(guestPath: string, flags = 0, limitPages?: number, source = 'tmpfs'): number {
    // shmem_default_max_inodes: half of RAM has as many pages (6.18, mm/shmem.c).
    const limitInodes = Math.floor(this.core.mm.alloc.totalCount / 2);
    const superblock = new MemorySuperblock(this.core, {
      limitInodes,
      ...(limitPages === undefined ? {} : { limitPages }),
    });
    const root = superblock.makeInode(0o041777);
    if (typeof root === 'number') return root;
    return this.mountTree(superblock, root, guestPath, flags, source);
  }

  /** /dev: devtmpfs. */
  mountDev(guestPath = '/dev'): number {
    const root = makeDevRoot(this.core);
    return typeof root === 'number' ? root : this.mountTree(root.superblock, root, guestPath, 0, 'devtmpfs');
  }

  /** Mounts a host folder or file; missing guest folders above are made. flags: MS_*. */
  mountHost(host: string, guestPath: string, mode: HostMountMode, flags = 0): number {
    if (this.core.environment.host === null) return -ENODEV;
    if (mode === 'rw') {
      const root = new HostSuperblock(this.core, host).rootInode();
      return typeof root === 'number' ? root : this.mountMade(root, guestPath, flags, host);
    }
    const superblock = new OverlaySuperblock(this.core, host, mode);
    const root = superblock.rootInode();
    return typeof root === 'number' ? root : this.mountTree(superblock, root, guestPath, flags, host);
  }

  /** mount(2) of a file system in memory that was made for it, at a place that was walked to. */
  mountMemory(
    superblock: MemorySuperblock,
    owner: { readonly mode: number; readonly uid: number; readonly gid: number },
    at: PathRef,
    flags: number,
    source: string,
  ): number {
    const root = superblock.makeInode(S_IFDIR | owner.mode);
    if (typeof root === 'number') return root;
    root.uid = owner.uid;
    root.gid = owner.gid;
    superblock.treeRoot = root;
    root.retain();
    const mount = this.mountInode(root, at, flags, source);
    root.release();
    if (typeof mount !== 'number') return 0;
    superblock.kill();
    return mount;
  }

  private mountTree(
    superblock: MemorySuperblock,
    root: MemoryInode,
    guestPath: string,
    flags: number,
    source: string,
  ): number {
    superblock.treeRoot = root;
    const error = this.mountMade(root, guestPath, flags, source);
    if (error < 0) superblock.kill();
    return error;
  }

  private mountMade(root: Inode, guestPath: string, flags: number, source: string): number {
    root.retain();
    const context = this.makeContext();
    const at = this.ensurePlace(context, guestPath, root.isDirectory ? 'folder' : 'file');
    const result = typeof at === 'number' ? at : this.mountInode(root, at, flags, source);
    context.release();
    root.release();
    return typeof result === 'number' ? result : 0;
  }

  /** mkdir -p, and an empty file at the end for the mount of a file. */
  private ensurePlace(context: FsContext, guestPath: string, kind: 'folder' | 'file'): PathRef | number {
    const names = guestPath.split('/').filter((name) => name !== '');
    let path = '';
    for (const [i, name] of names.entries()) {
      path += `/${name}`;
      const found = resolve(context, null, path, 'follow');
      if (typeof found !== 'number') continue;
      if (found !== -ENOENT) return found;
      const isFile = kind === 'file' && i === names.length - 1;
      const error = isFile ? mknodAt(context, null, path, 0o100644, 0) : mkdirAt(context, null, path, 0o755);
      if (error < 0) return error;
    }
    return resolve(context, null, path === '' ? '/' : path, 'follow');
  }

  /** do_umount: -EBUSY (in use). 'lazy': it goes out of sight now, and away when nobody uses it any more. */
  umount({ mount }: PathRef, manner: 'unused' | 'lazy'): number {
    const table = mount.table as MountTable;
    if (mount.at === null) return -EBUSY;
    // Cached dentries hold the dentry, not the mount: only paths that somebody keeps count.
    if (manner === 'unused' && (table.childOf(mount) !== null || mount.refcount > 0)) return -EBUSY;
    table.detach(mount);
    return 0;
  }

  /** sync(2): 0 or the first error. */
  sync(): number {
    let first = 0;
    for (const mount of this.mounts.mounts) {
      const error = mount.superblock.sync();
      if (error < 0 && first === 0) first = error;
    }
    return first;
  }

  /** Files in overlays that the guest made or changed and that end with the run, as guest paths, sorted. Before shutdown. */
  droppedFiles(): string[] {
    const found: string[] = [];
    for (const mount of this.mounts.mounts) {
      const { superblock } = mount;
      if (!(superblock instanceof OverlaySuperblock) || superblock.isReadonly) continue;
      const top = new PathRef(mount, mount.root).displayPath();
      const places = new Set(this.mounts.mounts.map((other) => other.at?.inode));
      const root = mount.root.inode as OverlayInode;
      if (!root.isDirectory) {
        if (root.isContentChanged) found.push(top);
        continue;
      }
      for (const path of superblock.changedPaths(root, (inode) => places.has(inode)))
        found.push(top === '/' ? `/${path}` : `${top}/${path}`);
    }
    return found.sort();
  }

  /**
   * Writes back, drops every cache and unmounts all: all frames and slots are free again, provided that nobody has a file open.
   * Errors of the host are in core.hostErrors.
   */
  shutdown(): void {
    const { dentries, mm } = this.core;
    for (const mount of this.mounts.mounts) mount.superblock.sync('start');
    dentries.shrink(Number.POSITIVE_INFINITY);
    for (const mount of [...this.mounts.mounts].reverse()) this.mounts.detach(mount);
    this.core.anonMounts.shutdown();
    dentries.shrink(Number.POSITIVE_INFINITY);
    mm.slab.shrink();
  }
}
