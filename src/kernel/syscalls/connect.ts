import { EAGAIN, EINPROGRESS, EINTR, EINVAL, ENOTCONN } from '../../abi/errno.ts';
import { O_CLOEXEC, O_NONBLOCK } from '../../abi/fcntl.ts';
import type { PeerCredentials, SocketFile } from '../../fs/socket.ts';
import { encodeAddress, UNNAMED } from '../../fs/socket-address.ts';
import { acceptFrom, bindSocket, connectSocket, listenOn } from '../../fs/socket-connect.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { ERESTARTSYS } from '../wait-state.ts';
import { row, type SyscallRow, type SyscallRun } from './row.ts';
import { readAddress, socketAt, writeAddress } from './socket-arguments.ts';
import { contextOf, filesOf, installFile } from './user.ts';

/** Sockets and their names (net/socket.c, 6.18). */

export function credentialsOf(t: Task): PeerCredentials {
  return { pid: t.tgid, uid: t.cred.euid, gid: t.cred.egid };
}

/** SOCK_CLOEXEC and SOCK_NONBLOCK are O_CLOEXEC and O_NONBLOCK. */
const socket: SyscallRun = (k, t, domain, type, protocol) => {
  const made = k.vfs.socket(domain, type, protocol);
  return typeof made === 'number' ? made : installFile(t, made, type);
};

const bind: SyscallRun = (k, t, fd, address, length) => {
  const file = socketAt(t, fd);
  if (typeof file === 'number') return file;
  const bytes = readAddress(k, t, address, length);
  return typeof bytes === 'number' ? bytes : bindSocket(file, contextOf(t), bytes);
};

const listen: SyscallRun = (_k, t, fd, backlog) => {
  const file = socketAt(t, fd);
  return typeof file === 'number' ? file : listenOn(file, backlog, credentialsOf(t));
};

const connect: SyscallRun = (k, t, fd, address, length) => {
  const file = socketAt(t, fd);
  if (typeof file === 'number') return file;
  if (t.wait !== null && file.family === 'inet') return waitConnected(k, t, file);
  const bytes = readAddress(k, t, address, length);
  if (typeof bytes === 'number') return bytes;
  const result = connectSocket(file, contextOf(t), bytes, credentialsOf(t));
  const isNonblocking = (file.flags & O_NONBLOCK) !== 0;
  if (typeof result !== 'number') {
    if (isNonblocking) return -EAGAIN;
    return block(k, t, file, result.full);
  }
  return result === -EINPROGRESS && !isNonblocking ? waitConnected(k, t, file) : result;
};

/** inet_wait_for_connect. */
function waitConnected(k: Kernel, t: Task, file: SocketFile): number {
  if (file.connecting === 'waiting') {
    const isLate = t.wait?.woken === 'timeout';
    return isLate ? -EINPROGRESS : block(k, t, file, file);
  }
  if (file.connecting === 'failed') return -file.takeConnectError();
  file.connecting = 'no';
  return 0;
}

function block(k: Kernel, t: Task, file: SocketFile, on: SocketFile): number {
  if (t.wait?.woken === 'timeout') return -EAGAIN;
  return k.block(t, {
    queues: [on.writeQueue],
    deadlineNs: t.wait?.deadlineNs ?? k.clock.nowNs + file.sendTimeoutNs,
    onSignal: file.sendTimeoutNs === Number.POSITIVE_INFINITY ? ERESTARTSYS : EINTR,
    data: [],
  });
}

const accept4: SyscallRun = (k, t, fd, address, lengthAddress, flags) => {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const listener = socketAt(t, fd);
  if (typeof listener === 'number') return listener;
  const end = acceptFrom(listener);
  if (end === -EAGAIN && (listener.flags & O_NONBLOCK) === 0) {
    if (t.wait?.woken === 'timeout') return end;
    return k.block(t, {
      queues: [listener.readQueue],
      deadlineNs: t.wait?.deadlineNs ?? k.clock.nowNs + listener.receiveTimeoutNs,
      onSignal: listener.receiveTimeoutNs === Number.POSITIVE_INFINITY ? ERESTARTSYS : EINTR,
      data: [],
    });
  }
  if (typeof end === 'number') return end;
  end.flags |= flags & O_NONBLOCK;
  const peerName = peerNameOf(end);
  const installed = installFile(t, end, flags);
  if (installed < 0 || address === 0) return installed;
  const written = writeAddress(k, t, peerName, address, lengthAddress);
  if (written === 0) return installed;
  filesOf(t).close(installed);
  return written;
};

const accept: SyscallRun = (k, t, fd, address, lengthAddress) => accept4(k, t, fd, address, lengthAddress, 0, 0, 0);

function peerNameOf(file: SocketFile): Uint8Array {
  return encodeAddress(file.family === 'inet' ? (file.remoteAddress ?? file.address) : (file.peer?.address ?? UNNAMED));
}

const getsockname: SyscallRun = (k, t, fd, address, lengthAddress) => {
  const file = socketAt(t, fd);
  return typeof file === 'number' ? file : writeAddress(k, t, encodeAddress(file.address), address, lengthAddress);
};

const getpeername: SyscallRun = (k, t, fd, address, lengthAddress) => {
  const file = socketAt(t, fd);
  if (typeof file === 'number') return file;
  const isConnected = file.family === 'inet' ? file.remoteAddress !== null : file.peer !== null;
  return isConnected ? writeAddress(k, t, peerNameOf(file), address, lengthAddress) : -ENOTCONN;
};

const WHERE = 'AF_UNIX, and TCP and UDP of AF_INET on loopback; other families EAFNOSUPPORT';

export const connectCalls: readonly SyscallRow[] = [
  row('socket', ['int', 'int', 'int'], socket, WHERE),
  row('bind', ['fd', 'ptr', 'int'], bind, WHERE),
  row('listen', ['fd', 'int'], listen, WHERE),
  row('connect', ['fd', 'ptr', 'int'], connect, WHERE),
  row('accept', ['fd', 'ptr', 'ptr'], accept, WHERE),
  row('accept4', ['fd', 'ptr', 'ptr', 'int'], accept4, WHERE),
  row('getsockname', ['fd', 'ptr', 'ptr'], getsockname, WHERE),
  row('getpeername', ['fd', 'ptr', 'ptr'], getpeername, WHERE),
];
