import {
  EAGAIN,
  EBADF,
  EFAULT,
  EINTR,
  EINVAL,
  EISCONN,
  EMSGSIZE,
  EOPNOTSUPP,
  EPIPE,
  ETOOMANYREFS,
} from '../../abi/errno.ts';
import { O_CLOEXEC, O_NONBLOCK } from '../../abi/fcntl.ts';
import { SIGPIPE } from '../../abi/signal.ts';
import {
  AF_UNIX,
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  SCM_MAX_FD,
  SCM_RIGHTS,
  SOL_SOCKET,
} from '../../abi/socket.ts';
import type { File } from '../../fs/file.ts';
import type { SocketFile } from '../../fs/socket.ts';
import { encodeAddress } from '../../fs/socket-address.ts';
import { findReceiver } from '../../fs/socket-connect.ts';
import { type Received, receiveFrom } from '../../fs/socket-receive.ts';
import { sendTo } from '../../fs/socket-send.ts';
import type { IoVec } from '../../mm/user-access.ts';
import { UserIo } from '../../mm/user-io.ts';
import type { Kernel } from '../kernel.ts';
import { sendToTask, userInfo } from '../signals/send.ts';
import type { Task } from '../task.ts';
import { readBytes, writeBytes, writeI32s } from '../user-structs.ts';
import { ERESTARTSYS } from '../wait-state.ts';
import { connectCalls } from './connect.ts';
import { BLOCKED, row, type SyscallRow, type SyscallRun } from './row.ts';
import { readAddress, SOCKADDR_MAX, socketAt, writeAddress } from './socket-arguments.ts';
import { socketOptionCalls } from './socket-options.ts';
import {
  contextOf,
  fileAt,
  installFile,
  readWords,
  singleVector,
  spaceOf,
  totalBytes,
  vectorArgument,
  vectorsAfter,
} from './user.ts';

/** Messages over sockets (net/socket.c, net/unix/af_unix.c, net/ipv4/{tcp,udp}.c, 6.18). Names: connect.ts; options: socket-options.ts. */

// struct msghdr, as words: name, namelen (int), iov, iovlen, control, controllen, flags (int). Ints have padding behind them.
const HEADER_WORDS = 7;

interface Header {
  /** The sockaddr given, or empty. */
  readonly name: Uint8Array;
  readonly nameAddress: number;
  readonly nameBytes: number;
  readonly vectors: IoVec[];
  readonly control: number;
  readonly controlBytes: number;
}

function readHeader(k: Kernel, t: Task, address: number): Header | number {
  const words = readWords(k, t, address, HEADER_WORDS);
  if (typeof words === 'number') return words;
  const [name, nameLength, iov, count, control, controlBytes] = words;
  if (count > 1024) return -EMSGSIZE;
  const vectors = vectorArgument(k, t, iov, count);
  if (typeof vectors === 'number') return vectors;
  const nameBytes = name === 0 ? 0 : (nameLength % 2 ** 32) | 0;
  if (nameBytes < 0) return -EINVAL;
  return { name: NO_NAME, nameAddress: name, nameBytes, vectors, control, controlBytes };
}

/** What the message at a struct msghdr wants to send, in bytes. */
export function messageBytes(k: Kernel, t: Task, address: number): number {
  const header = readHeader(k, t, address);
  return typeof header === 'number' ? 0 : totalBytes(header.vectors);
}

const NO_NAME = new Uint8Array(0);
function wait(
  k: Kernel,
  t: Task,
  socket: SocketFile,
  done: number,
  forNs: number,
  receiver: SocketFile | null,
): number {
  if (t.wait?.woken === 'timeout') return done > 0 ? done : -EAGAIN;
  const isTimed = forNs !== Number.POSITIVE_INFINITY;
  const blocked = k.block(t, {
    queues: receiver === null ? socket.waitQueues() : [...socket.waitQueues(), receiver.writeQueue],
    deadlineNs: t.wait?.deadlineNs ?? k.clock.nowNs + forNs,
    // sock_intr_errno: with a timeout it is not run again.
    onSignal: isTimed ? EINTR : ERESTARTSYS,
    data: [done],
  });
  return blocked !== BLOCKED && done > 0 ? done : blocked;
}

const isNonblocking = (socket: SocketFile, flags: number): boolean =>
  (socket.flags & O_NONBLOCK) !== 0 || (flags & MSG_DONTWAIT) !== 0;

/** Whom the message reaches; null: the peer, 'lost': nobody, and it counts as sent. */
function receiverOf(t: Task, socket: SocketFile, name: Uint8Array): SocketFile | 'lost' | null | number {
  if (socket.type !== 'dgram') {
    if (name.length === 0 || socket.family === 'inet') return null;
    return socket.peer !== null ? -EISCONN : -EOPNOTSUPP;
  }
  // A pending error comes first (sock_alloc_send_skb, ip_append_data).
  if (socket.hasError) return null;
  const found = findReceiver(socket, contextOf(t), name);
  return found === 'peer' ? null : found;
}

/** `files` go with the first byte. */
function send(k: Kernel, t: Task, socket: SocketFile, header: Header, files: readonly File[], flags: number): number {
  if ((flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
  const total = totalBytes(header.vectors);
  let done = t.wait?.data[0] ?? 0;
  const to = receiverOf(t, socket, header.name);
  if (typeof to === 'number') return to;
  if (to === 'lost') return total;
  for (;;) {
    const io = new UserIo(k.mm, spaceOf(t), vectorsAfter(header.vectors, done));
    const result = sendTo(socket, io, done === 0 ? files : [], to);
    if (result === -EAGAIN) {
      if (isNonblocking(socket, flags)) return done > 0 ? done : result;
      return wait(k, t, socket, done, socket.sendTimeoutNs, to ?? socket.peer);
    }
    if (result < 0) {
      // unix_stream_sendmsg and sk_stream_error alone raise the signal.
      if (result === -EPIPE && socket.type === 'stream' && (flags & MSG_NOSIGNAL) === 0)
        sendToTask(k, t, userInfo(t, SIGPIPE));
      return done > 0 ? done : result;
    }
    done += result;
    if (done >= total || result === 0 || io.faulted || socket.type !== 'stream') return done;
  }
}

const sendto: SyscallRun = (k, t, fd, address, length, flags, name, nameBytes) => {
  const socket = socketAt(t, fd);
  if (typeof socket === 'number') return socket;
  const vectors = singleVector(address, length);
  if (typeof vectors === 'number') return vectors;
  const to = name === 0 ? NO_NAME : readAddress(k, t, name, nameBytes);
  if (typeof to === 'number') return to;
  const header = { name: to, nameAddress: 0, nameBytes: 0, vectors, control: 0, controlBytes: 0 };
  return send(k, t, socket, header, [], flags);
};

export const sendmsg: SyscallRun = (k, t, fd, address, flags) => {
  const socket = socketAt(t, fd);
  if (typeof socket === 'number') return socket;
  const header = readHeader(k, t, address);
  if (typeof header === 'number') return header;
  const to = readAddress(k, t, header.nameAddress, Math.min(header.nameBytes, SOCKADDR_MAX));
  if (typeof to === 'number') return to;
  const files = filesToSend(k, t, header);
  return typeof files === 'number' ? files : send(k, t, socket, { ...header, name: to }, files, flags);
};

/** __scm_send: the files of SCM_RIGHTS messages, not retained; -EBADF, -EINVAL, -ETOOMANYREFS. */
function filesToSend(k: Kernel, t: Task, { control, controlBytes }: Header): File[] | number {
  const { wordBytes } = k.arch;
  const headBytes = wordBytes + 8;
  const files: File[] = [];
  if (controlBytes > 65_536) return -EINVAL;
  const bytes = new Uint8Array(controlBytes);
  if (readBytes(k, t, control, bytes) < 0) return -EFAULT;
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + headBytes <= controlBytes; ) {
    const length = view.getUint32(at, true) + (wordBytes === 8 ? view.getUint32(at + 4, true) * 2 ** 32 : 0);
    if (length < headBytes || length > controlBytes - at) return -EINVAL;
    const level = view.getInt32(at + wordBytes, true);
    const type = view.getInt32(at + wordBytes + 4, true);
    if (level === SOL_SOCKET) {
      if (type !== SCM_RIGHTS) return -EINVAL;
      for (let each = at + headBytes; each + 4 <= at + length; each += 4) {
        const file = fileAt(t, view.getInt32(each, true));
        if (typeof file === 'number') return -EBADF;
        files.push(file);
      }
    }
    at += Math.ceil(length / wordBytes) * wordBytes;
  }
  return files.length > SCM_MAX_FD ? (files.length > 1000 ? -ETOOMANYREFS : -EINVAL) : files;
}

const cutShort = (done: number): Received => ({ bytes: done, messageBytes: done, sender: null });

/** A negative number is an error or BLOCKED. `files` is filled when the message is taken. */
function receive(
  k: Kernel,
  t: Task,
  socket: SocketFile,
  vectors: readonly IoVec[],
  flags: number,
  files: File[] | null,
): Received | number {
  if ((flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
  const total = totalBytes(vectors);
  const isPeek = (flags & MSG_PEEK) !== 0;
  let done = t.wait?.data[0] ?? 0;
  for (;;) {
    const result = receiveFrom(socket, new UserIo(k.mm, spaceOf(t), vectorsAfter(vectors, done)), { isPeek, files });
    if (result === -EAGAIN) {
      if (isNonblocking(socket, flags)) return done > 0 ? cutShort(done) : result;
      const blocked = wait(k, t, socket, done, socket.receiveTimeoutNs, null);
      return blocked >= 0 && blocked === done && done > 0 ? cutShort(done) : blocked;
    }
    if (typeof result === 'number') return done > 0 ? cutShort(done) : result;
    done += result.bytes;
    const wantsAll = (flags & MSG_WAITALL) !== 0 && socket.type === 'stream' && !isPeek;
    if (!wantsAll || done >= total || result.bytes === 0)
      return { bytes: done, messageBytes: done - result.bytes + result.messageBytes, sender: result.sender };
  }
}

/** What recv returns: with MSG_TRUNC a datagram's own length. */
const lengthOf = (socket: SocketFile, received: Received, flags: number): number =>
  (flags & MSG_TRUNC) !== 0 && socket.type !== 'stream' ? received.messageBytes : received.bytes;

/** The sender's sockaddr; nothing on a connection and from a unix socket without a name. */
function senderName({ sender }: Received): Uint8Array {
  if (sender === null || (sender.family === AF_UNIX && sender.name === '')) return NO_NAME;
  return encodeAddress(sender);
}

const recvfrom: SyscallRun = (k, t, fd, address, length, flags, name, nameLength) => {
  const socket = socketAt(t, fd);
  if (typeof socket === 'number') return socket;
  const vectors = singleVector(address, length);
  if (typeof vectors === 'number') return vectors;
  const received = receive(k, t, socket, vectors, flags, null);
  if (typeof received === 'number') return received;
  if (name !== 0) {
    const written = writeAddress(k, t, senderName(received), name, nameLength);
    if (written < 0) return written;
  }
  return lengthOf(socket, received, flags);
};

export const recvmsg: SyscallRun = (k, t, fd, address, flags) => {
  const socket = socketAt(t, fd);
  if (typeof socket === 'number') return socket;
  const header = readHeader(k, t, address);
  if (typeof header === 'number') return header;
  const files: File[] = [];
  const received = receive(k, t, socket, header.vectors, flags, files);
  if (typeof received === 'number') return received;
  const { wordBytes } = k.arch;
  let outFlags = received.messageBytes > received.bytes ? MSG_TRUNC : 0;
  if ((flags & MSG_CMSG_CLOEXEC) !== 0) outFlags |= MSG_CMSG_CLOEXEC;
  let used = 0;
  if (files.length > 0) {
    used = installReceived(k, t, files, header, (flags & MSG_CMSG_CLOEXEC) !== 0 ? O_CLOEXEC : 0);
    if (used < 0 || files.length > 0) outFlags |= MSG_CTRUNC;
    used = Math.max(0, used);
    for (const file of files) file.release();
  }
  const words = new Uint8Array(wordBytes);
  new DataView(words.buffer).setUint32(0, used, true);
  if (header.nameAddress !== 0) {
    const from = senderName(received);
    if (writeBytes(k, t, header.nameAddress, from.subarray(0, header.nameBytes)) < 0) return -EFAULT;
    if (writeI32s(k, t, address + wordBytes, [from.length]) < 0) return -EFAULT;
  }
  if (writeBytes(k, t, address + 5 * wordBytes, words) < 0) return -EFAULT;
  if (writeI32s(k, t, address + 6 * wordBytes, [outFlags]) < 0) return -EFAULT;
  return lengthOf(socket, received, flags);
};

/**
 * scm_detach_fds: as many files as have room in the control buffer and in the table become descriptors and leave `files`.
 * Bytes used of the buffer, or -1 where none was.
 */
function installReceived(k: Kernel, t: Task, files: File[], { control, controlBytes }: Header, flags: number): number {
  const { wordBytes } = k.arch;
  const headBytes = wordBytes + 8;
  const room = Math.floor((controlBytes - headBytes) / 4);
  const descriptors: number[] = [];
  while (descriptors.length < room && files.length > 0) {
    // The table takes over the reference, or lets it go when it is full.
    files[0].retain();
    const fd = installFile(t, files[0], flags);
    if (fd < 0) break;
    files.shift()!.release();
    descriptors.push(fd);
  }
  if (descriptors.length === 0) return -1;
  const length = headBytes + descriptors.length * 4;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setInt32(wordBytes, SOL_SOCKET, true);
  view.setInt32(wordBytes + 4, SCM_RIGHTS, true);
  for (const [i, fd] of descriptors.entries()) view.setInt32(headBytes + i * 4, fd, true);
  if (writeBytes(k, t, control, bytes) < 0) return -1;
  return Math.min(controlBytes, Math.ceil(length / wordBytes) * wordBytes);
}

const shutdown: SyscallRun = (_k, t, fd, how) => {
  const socket = socketAt(t, fd);
  return typeof socket === 'number' ? socket : socket.shutdown(how);
};

const WHERE = 'AF_UNIX, and AF_INET on loopback';

export const socketCalls: readonly SyscallRow[] = [
  row('sendto', ['fd', 'ptr', 'size', 'uint', 'ptr', 'int'], sendto, WHERE),
  row('recvfrom', ['fd', 'ptr', 'size', 'uint', 'ptr', 'ptr'], recvfrom, WHERE),
  row('sendmsg', ['fd', 'ptr', 'uint'], sendmsg, `${WHERE}; SCM_RIGHTS, no SCM_CREDENTIALS`),
  row('recvmsg', ['fd', 'ptr', 'uint'], recvmsg, `${WHERE}; SCM_RIGHTS, no SCM_CREDENTIALS`),
  row('shutdown', ['fd', 'int'], shutdown, WHERE),
  ...connectCalls,
  ...socketOptionCalls,
];
