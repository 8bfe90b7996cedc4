import { CAP_SYS_PTRACE } from '../abi/capability.ts';
import { EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM, ESRCH } from '../abi/errno.ts';
import { O_CLOEXEC, O_NONBLOCK, O_RDONLY } from '../abi/fcntl.ts';
import { POLLERR, POLLIN } from '../abi/poll.ts';
import { UFFD_MSG_BYTES, UFFD_USER_MODE_ONLY, USERFAULTFD_IOC_NEW } from '../abi/userfaultfd.ts';
import type { IoSink } from '../base/io.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import type { DeviceDriver } from '../fs/device-table.ts';
import { File, takeFilpSlot, type UserArg } from '../fs/file.ts';
import type { PathRef } from '../fs/path.ts';
import { UffdContext } from '../mm/uffd/context.ts';
import { releaseContext } from '../mm/uffd/register.ts';
import { capable } from './credentials.ts';
import type { Kernel } from './kernel.ts';
import { installFile } from './syscalls/user.ts';
import type { Task } from './task.ts';
import { uffdIoctl } from './userfaultfd-ioctl.ts';
import { encodeMessage, UFFD_FDINFO_CALLS } from './userfaultfd-message.ts';

/** A descriptor of userfaultfd(2) (fs/userfaultfd.c, 6.18). */
export class UserfaultFile extends File {
  readonly context: UffdContext;
  private readonly k: Kernel;

  constructor(path: PathRef, flags: number, slot: number, k: Kernel, context: UffdContext) {
    super(path, flags, slot);
    this.k = k;
    this.context = context;
  }

  /** Whole messages; only the first is waited for. */
  override read(sink: IoSink): number {
    const { context } = this;
    if (context.features === 0) return -EINVAL;
    let moved = 0;
    for (;;) {
      if (sink.remaining < UFFD_MSG_BYTES) return moved > 0 ? moved : -EINVAL;
      const message = context.takeMessage();
      if (message === null) return moved > 0 ? moved : -EAGAIN;
      let fd = 0;
      if ('forked' in message && message.forked !== null) {
        fd = this.installForked(message.forked);
        if (fd < 0) return moved > 0 ? moved : fd;
      }
      if (sink.put(encodeMessage(context, message, fd)) < UFFD_MSG_BYTES) return moved > 0 ? moved : -EFAULT;
      moved += UFFD_MSG_BYTES;
    }
  }

  /** resolve_userfault_fork: the reader gets a descriptor for the child. */
  private installForked(context: UffdContext): number {
    const { k } = this;
    const reader = k.current;
    if (reader === null) return -ESRCH;
    const file = makeFile(k, context, this.flags & (O_NONBLOCK | O_CLOEXEC));
    if (typeof file === 'number') return file;
    return installFile(reader, file, this.flags);
  }

  override get canPoll(): boolean {
    return true;
  }
  override poll(): number {
    const { context } = this;
    if (context.features === 0 || (this.flags & O_NONBLOCK) === 0) return POLLERR;
    return context.pending.length > 0 || context.events.length > 0 ? POLLIN : 0;
  }
  override waitQueues(): readonly WaitQueue[] {
    return [this.context.readers];
  }
  /** noop_llseek. */
  override seek(): number {
    return this.pos;
  }
  override ioctl(request: number, arg: UserArg): number {
    const t = this.k.current;
    return t === null ? -ESRCH : uffdIoctl(this.k, t, this.context, request, arg);
  }
  override fdinfo(): string {
    const { pending, seen, features } = this.context;
    return `pending:\t${pending.length}\ntotal:\t${pending.length + seen.length}\nAPI:\taa:${features.toString(16)}:${UFFD_FDINFO_CALLS}\n`;
  }
  protected override onLastRelease(): void {
    for (const { forked } of this.context.events) if (forked !== null) releaseContext(this.k.mm, forked);
    releaseContext(this.k.mm, this.context);
  }
}

function makeFile(k: Kernel, context: UffdContext, flags: number): UserfaultFile | number {
  return k.vfs.anonFile(
    'anon_inode:[userfaultfd]',
    (path, slot) => new UserfaultFile(path, O_RDONLY | (flags & O_NONBLOCK), slot, k, context),
  );
}

/** new_userfaultfd: a descriptor, or -EINVAL for flags that are not there. */
function newUserfaultfd(k: Kernel, t: Task, flags: number): number {
  if ((flags & ~(UFFD_USER_MODE_ONLY | O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  if (t.space === null) return -ESRCH;
  const mode = (flags & UFFD_USER_MODE_ONLY) !== 0 ? 'user' : 'any';
  const file = makeFile(k, new UffdContext(t.space, mode, k.vfs.core.makeQueue()), flags);
  return typeof file === 'number' ? file : installFile(t, file, flags);
}

export function mayTrace(t: Task): boolean {
  return capable(t.cred, CAP_SYS_PTRACE);
}

/** userfaultfd(2): faults of the kernel may only be watched with CAP_SYS_PTRACE, or where vm.unprivileged_userfaultfd is 1. */
export function userfaultfd(k: Kernel, t: Task, flags: number): number {
  if ((flags & UFFD_USER_MODE_ONLY) === 0 && k.unprivilegedUserfaultfd === 0 && !mayTrace(t)) return -EPERM;
  return newUserfaultfd(k, t, flags);
}

/** /dev/userfaultfd: who may open it needs no capability. */
export class UserfaultDevice extends File {
  private readonly k: Kernel;

  constructor(path: PathRef, flags: number, slot: number, k: Kernel) {
    super(path, flags, slot);
    this.k = k;
  }

  override ioctl(request: number, arg: UserArg): number {
    const t = this.k.current;
    if (request !== USERFAULTFD_IOC_NEW || t === null) return -EINVAL;
    return newUserfaultfd(this.k, t, arg.value);
  }
}

export class UserfaultDriver implements DeviceDriver {
  private readonly k: Kernel;

  constructor(k: Kernel) {
    this.k = k;
  }
  open(path: PathRef, flags: number): File | number {
    const slot = takeFilpSlot(path.dentry.inode.superblock.core);
    return slot === 0 ? -ENOMEM : new UserfaultDevice(path, flags, slot, this.k);
  }
}
