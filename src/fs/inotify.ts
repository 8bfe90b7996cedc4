import { EAGAIN, EBADF, EEXIST, EFAULT, EINVAL, EMFILE, ENOSPC } from '../abi/errno.ts';
import { O_NONBLOCK, O_RDONLY } from '../abi/fcntl.ts';
import {
  IN_ALL_EVENTS,
  IN_DELETE_SELF,
  IN_EXCL_UNLINK,
  IN_IGNORED,
  IN_ISDIR,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_MOVE_SELF,
  IN_ONESHOT,
  IN_Q_OVERFLOW,
  INOTIFY_EVENT_BYTES,
} from '../abi/inotify.ts';
import { FIONREAD } from '../abi/ioctl.ts';
import { POLLIN, POLLRDNORM } from '../abi/poll.ts';
import type { IoSink } from '../base/io.ts';
import { encodeUtf8 } from '../base/utf8.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import { makeAnonFile } from './anon-fs.ts';
import { File, type UserArg } from './file.ts';
import type { FsCore } from './fs-core.ts';
import type { Inode } from './inode.ts';
import type { PathRef } from './path.ts';

/** One watch (inotify_inode_mark): it holds a reference to its inode, in whose `watches` it stands. */
export interface InotifyWatch {
  readonly owner: InotifyFile;
  readonly id: number;
  readonly inode: Inode;
  /** IN_ALL_EVENTS bits, IN_ONESHOT, IN_EXCL_UNLINK. */
  mask: number;
}

interface QueuedEvent {
  readonly id: number;
  readonly mask: number;
  readonly cookie: number;
  /** null: the event is about the watched file itself. */
  readonly name: string | null;
  readonly bytes: Uint8Array;
}

/** What a watch keeps of the mask that it is made with (inotify_arg_to_mask). */
const KEPT = (IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT) >>> 0;

/** An inotify instance (fs/notify/inotify, 6.18): its watches, by rising numbers that do not come back, and what is unread. */
export class InotifyFile extends File {
  private readonly uid: number;
  private readonly watches = new Map<number, InotifyWatch>();
  private readonly events: QueuedEvent[] = [];
  private readonly queue: WaitQueue;
  private lastId = 0;

  constructor(path: PathRef, flags: number, slot: number, uid: number) {
    super(path, flags, slot);
    this.uid = uid;
    this.queue = this.core.makeQueue();
  }

  /** inotify_update_watch: the number of the inode's watch, new or changed; -EEXIST (IN_MASK_CREATE), -ENOSPC. */
  watch(inode: Inode, mask: number): number {
    const known = inode.watches?.find((watch) => watch.owner === this);
    const kept = (mask & KEPT) >>> 0;
    if (known !== undefined) {
      if ((mask & IN_MASK_CREATE) !== 0) return -EEXIST;
      known.mask = (mask & IN_MASK_ADD) !== 0 ? (known.mask | kept) >>> 0 : kept;
      return known.id;
    }
    if (!this.core.notify.charge('watches', this.uid)) return -ENOSPC;
    const id = ++this.lastId;
    const watch = { owner: this, id, inode, mask: kept };
    inode.retain();
    inode.watches ??= [];
    inode.watches.push(watch);
    this.watches.set(id, watch);
    return id;
  }

  /** inotify_rm_watch: 0 or -EINVAL. */
  unwatch(id: number): number {
    const watch = this.watches.get(id);
    if (watch === undefined) return -EINVAL;
    this.drop(watch);
    return 0;
  }

  /** The watch goes and says so (fsnotify_destroy_mark, inotify_ignored_and_remove_idr). */
  drop(watch: InotifyWatch): void {
    this.enqueue(watch.id, IN_IGNORED, 0, null);
    this.forget(watch);
  }

  private forget(watch: InotifyWatch): void {
    const { inode } = watch;
    this.watches.delete(watch.id);
    const rest = inode.watches?.filter((each) => each !== watch) ?? [];
    inode.watches = rest.length > 0 ? rest : null;
    this.core.notify.uncharge('watches', this.uid);
    inode.release();
  }

  /** inotify_handle_inode_event. `mask` has IN_ISDIR where it is about a folder. */
  handle(watch: InotifyWatch, mask: number, cookie: number, name: string | null): void {
    const shown = (mask & (IN_MOVE_SELF | IN_DELETE_SELF)) !== 0 ? mask & ~IN_ISDIR : mask;
    this.enqueue(watch.id, shown, cookie, name);
    if ((watch.mask & IN_ONESHOT) !== 0) this.drop(watch);
  }

  /** One like the last unread one is not told again; one too many is told as that. */
  private enqueue(id: number, mask: number, cookie: number, name: string | null): void {
    const last = this.events.at(-1);
    if (last !== undefined && last.mask !== IN_IGNORED && last.mask === mask && last.id === id && last.name === name)
      return;
    if (this.events.length >= this.core.notify.maxQueuedEvents) {
      if (last?.mask !== IN_Q_OVERFLOW) this.push(-1, IN_Q_OVERFLOW, 0, null);
      return;
    }
    this.push(id, mask, cookie, name);
  }

  private push(id: number, mask: number, cookie: number, name: string | null): void {
    this.events.push({ id, mask, cookie, name, bytes: encodeEvent(id, mask, cookie, name) });
    this.queue.wakeAll();
  }

  /** Whole events; a buffer too small for the first is -EINVAL. */
  override read(sink: IoSink): number {
    let moved = 0;
    for (;;) {
      const event = this.events.at(0);
      if (event === undefined) return moved > 0 ? moved : -EAGAIN;
      if (event.bytes.length > sink.remaining) return moved > 0 ? moved : -EINVAL;
      this.events.shift();
      if (sink.put(event.bytes) < event.bytes.length) return moved > 0 ? moved : -EFAULT;
      moved += event.bytes.length;
    }
  }

  override write(): number {
    return -EBADF;
  }
  /** noop_llseek. */
  override seek(): number {
    return this.pos;
  }
  override get canPoll(): boolean {
    return true;
  }
  override poll(): number {
    return this.events.length > 0 ? POLLIN | POLLRDNORM : 0;
  }
  override waitQueues(): readonly WaitQueue[] {
    return [this.queue];
  }
  override ioctl(request: number, arg: UserArg): number {
    if (request !== FIONREAD) return super.ioctl(request, arg);
    const bytes = new Uint8Array(4);
    const unread = this.events.reduce((sum, event) => sum + event.bytes.length, 0);
    new DataView(bytes.buffer).setInt32(0, unread, true);
    return arg.write(bytes);
  }
  /** inotify_fdinfo, without file handles, which no file system here gives. */
  override fdinfo(): string {
    let text = '';
    for (const { id, inode, mask } of this.watches.values()) {
      const device = inode.superblock.devMajor * 2 ** 20 + inode.superblock.devMinor;
      const shown = [id, inode.ino, device, mask].map((value) => value.toString(16));
      text += `inotify wd:${shown[0]} ino:${shown[1]} sdev:${shown[2]} mask:${shown[3]} ignored_mask:0 \n`;
    }
    return text;
  }

  protected override onLastRelease(): void {
    for (const watch of [...this.watches.values()]) this.forget(watch);
    this.core.notify.uncharge('instances', this.uid);
  }
}

/** struct inotify_event: the name is filled up with zeroes to a multiple of the structure, one at least (round_event_name_len). */
function encodeEvent(id: number, mask: number, cookie: number, name: string | null): Uint8Array {
  const text = name === null ? new Uint8Array(0) : encodeUtf8(name);
  const nameBytes = name === null ? 0 : Math.ceil((text.length + 1) / INOTIFY_EVENT_BYTES) * INOTIFY_EVENT_BYTES;
  const bytes = new Uint8Array(INOTIFY_EVENT_BYTES + nameBytes);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, id, true);
  view.setUint32(4, mask, true);
  view.setUint32(8, cookie, true);
  view.setUint32(12, nameBytes, true);
  bytes.set(text, INOTIFY_EVENT_BYTES);
  return bytes;
}

/** inotify_init1: -EMFILE where the user has too many. flags: O_NONBLOCK (O_CLOEXEC is the file table's). */
export function makeInotifyFile(core: FsCore, flags: number, uid: number): InotifyFile | number {
  if (!core.notify.charge('instances', uid)) return -EMFILE;
  const file = makeAnonFile(
    core,
    'anon_inode:inotify',
    (path, slot) => new InotifyFile(path, O_RDONLY | (flags & O_NONBLOCK), slot, uid),
  );
  if (typeof file === 'number') core.notify.uncharge('instances', uid);
  return file;
}
