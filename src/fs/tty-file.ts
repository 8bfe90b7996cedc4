import { EBADF, EFAULT, EINVAL, EIO, ENOTTY, EPERM, ESRCH } from '../abi/errno.ts';
import { O_NOCTTY } from '../abi/fcntl.ts';
import {
  FIONREAD,
  TCFLSH,
  TCGETS,
  TCGETS2,
  TCIFLUSH,
  TCIOFLUSH,
  TCOFLUSH,
  TCOOFF,
  TCOON,
  TCSBRK,
  TCSBRKP,
  TCSETS,
  TCSETS2,
  TCSETSF,
  TCSETSF2,
  TCSETSW,
  TCSETSW2,
  TCXONC,
  TIOCGETD,
  TIOCGPGRP,
  TIOCGSID,
  TIOCGWINSZ,
  TIOCNOTTY,
  TIOCOUTQ,
  TIOCSCTTY,
  TIOCSETD,
  TIOCSPGRP,
  TIOCSTI,
  TIOCSWINSZ,
} from '../abi/ioctl.ts';
import { POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import type { IoSink, IoSource } from '../base/io.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import { File, type UserArg } from './file.ts';
import type { PathRef } from './path.ts';
import { decodeTermios, encodeTermios, TERMIOS_BYTES, TERMIOS2_BYTES } from './termios.ts';
import type { Tty } from './tty.ts';

const SIGHUP = 1;
const SIGCONT = 18;
const SIGWINCH = 28;

/** An open terminal. Before read, write and the changing ioctls the kernel asks `tty.checkJobControl`. */
export class TtyFile extends File {
  readonly tty: Tty;

  constructor(path: PathRef, flags: number, slot: number, tty: Tty) {
    super(path, flags, slot);
    this.tty = tty;
    const { current } = this.core;
    const isLeader = current.tgid !== 0 && current.tgid === current.session;
    if ((flags & O_NOCTTY) === 0 && isLeader && tty.session === 0) {
      tty.session = current.session;
      tty.foregroundPgrp = current.pgrp;
    }
  }

  override get isTty(): boolean {
    return true;
  }
  override read(sink: IoSink): number {
    return this.readable ? this.tty.read(sink) : -EBADF;
  }
  override write(source: IoSource): number {
    return this.writable ? this.tty.write(source) : -EBADF;
  }
  override get readTimeoutNs(): number {
    return this.tty.readTimeoutNs;
  }
  override get canPoll(): boolean {
    return true;
  }
  override poll(): number {
    const { tty } = this;
    let mask = 0;
    if (tty.isReadable) mask |= POLLIN | POLLRDNORM;
    if (tty.isHungUp) mask |= POLLHUP;
    if (!tty.isStopped) mask |= POLLOUT | POLLWRNORM;
    return mask;
  }
  override waitQueues(): readonly WaitQueue[] {
    return [this.tty.readQueue, this.tty.writeQueue];
  }

  /** The ioctls that a background process is stopped for (tty_check_change). */
  static isChange(request: number): boolean {
    switch (request) {
      case TCSETS:
      case TCSETSW:
      case TCSETSF:
      case TCSETS2:
      case TCSETSW2:
      case TCSETSF2:
      case TCSBRK:
      case TCSBRKP:
      case TCXONC:
      case TCFLSH:
      case TIOCSPGRP:
      case TIOCSETD:
        return true;
      default:
        return false;
    }
  }

  override ioctl(request: number, arg: UserArg): number {
    const { tty } = this;
    switch (request) {
      case TCGETS:
        return arg.write(encodeTermios(tty.termios, TERMIOS_BYTES));
      case TCGETS2:
        return arg.write(encodeTermios(tty.termios, TERMIOS2_BYTES));
      case TCSETS:
      case TCSETSW:
      case TCSETSF:
        return this.setTermios(arg, TERMIOS_BYTES, request === TCSETSF);
      case TCSETS2:
      case TCSETSW2:
      case TCSETSF2:
        return this.setTermios(arg, TERMIOS2_BYTES, request === TCSETSF2);
      case TIOCGWINSZ:
      case TIOCSWINSZ:
        return this.windowSize(request, arg);
      case TIOCGPGRP:
      case TIOCSPGRP:
      case TIOCGSID:
      case TIOCSCTTY:
      case TIOCNOTTY:
        return this.sessionIoctl(request, arg);
      case FIONREAD:
        return writeInt(arg, tty.readableBytes);
      case TIOCOUTQ:
      case TIOCGETD:
        return writeInt(arg, 0);
      case TIOCSETD: {
        const bytes = new Uint8Array(4);
        if (arg.read(bytes) < 0) return -EFAULT;
        return bytes.every((byte) => byte === 0) ? 0 : -EINVAL;
      }
      case TCSBRK:
      case TCSBRKP:
        return 0;
      case TCFLSH:
        if (arg.value !== TCIFLUSH && arg.value !== TCOFLUSH && arg.value !== TCIOFLUSH) return -EINVAL;
        if (arg.value !== TCOFLUSH) tty.flushInput();
        return 0;
      case TCXONC:
        if (arg.value < 0 || arg.value > 3) return -EINVAL;
        if (arg.value === TCOOFF) tty.isStopped = true;
        else if (arg.value === TCOON && tty.isStopped) tty.start();
        return 0;
      case TIOCSTI: {
        // dev.tty.legacy_tiocsti is 0 in 6.2 and later.
        return -EIO;
      }
      default:
        return -ENOTTY;
    }
  }

  private setTermios(arg: UserArg, lengthBytes: number, flushes: boolean): number {
    const bytes = new Uint8Array(lengthBytes);
    if (arg.read(bytes) < 0) return -EFAULT;
    if (flushes) this.tty.flushInput();
    this.tty.setTermios(decodeTermios(bytes));
    return 0;
  }

  private windowSize(request: number, arg: UserArg): number {
    const { tty } = this;
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    const [rows, columns] = tty.windowSize ?? this.core.environment.windowSize();
    if (request === TIOCGWINSZ) {
      view.setUint16(0, rows, true);
      view.setUint16(2, columns, true);
      return arg.write(bytes);
    }
    if (arg.read(bytes) < 0) return -EFAULT;
    const size = [view.getUint16(0, true), view.getUint16(2, true)] as const;
    tty.windowSize = size;
    if (size[0] !== rows || size[1] !== columns) tty.signal(SIGWINCH);
    return 0;
  }

  /** tty_jobctrl_ioctl (drivers/tty/tty_jobctrl.c). */
  private sessionIoctl(request: number, arg: UserArg): number {
    const { tty } = this;
    const { current, jobControl } = this.core;
    const isOurs = tty.session !== 0 && current.session === tty.session;
    const isLeader = current.tgid === current.session;
    switch (request) {
      case TIOCGPGRP:
        return isOurs ? writeInt(arg, tty.foregroundPgrp) : -ENOTTY;
      case TIOCGSID:
        return isOurs ? writeInt(arg, tty.session) : -ENOTTY;
      case TIOCSPGRP: {
        if (!isOurs) return -ENOTTY;
        const bytes = new Uint8Array(4);
        if (arg.read(bytes) < 0) return -EFAULT;
        const pgrp = new DataView(bytes.buffer).getInt32(0, true);
        if (pgrp < 0) return -EINVAL;
        const session = jobControl === null ? current.session : jobControl.sessionOfGroup(pgrp);
        if (session === 0) return -ESRCH;
        if (session !== current.session) return -EPERM;
        tty.foregroundPgrp = pgrp;
        return 0;
      }
      case TIOCSCTTY:
        if (isLeader && isOurs) return 0;
        if (!isLeader) return -EPERM;
        if (tty.session !== 0 && arg.value !== 1) return -EPERM;
        tty.session = current.session;
        tty.foregroundPgrp = current.pgrp;
        return 0;
      default:
        if (!isOurs) return -ENOTTY;
        // disassociate_ctty: the leader's leaving takes the terminal from the whole session.
        if (isLeader) {
          tty.signal(SIGHUP);
          tty.signal(SIGCONT);
          tty.session = 0;
          tty.foregroundPgrp = 0;
        }
        return 0;
    }
  }
}

function writeInt(arg: UserArg, value: number): number {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return arg.write(bytes);
}
