import {
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  EAGAIN,
  EALREADY,
  ECONNREFUSED,
  EEXIST,
  EINPROGRESS,
  EINVAL,
  EISCONN,
  ENETUNREACH,
  ENOMEM,
  EOPNOTSUPP,
  EPERM,
  EPROTOTYPE,
} from '../abi/errno.ts';
import { AF_INET, AF_UNIX, AF_UNSPEC, INADDR_ANY, INADDR_LOOPBACK, SOMAXCONN } from '../abi/socket.ts';
import { S_IFSOCK } from '../abi/stat.ts';
import type { FsContext } from './fs-context.ts';
import { mknodAt, unlinkAt } from './name-operations.ts';
import { resolve } from './path.ts';
import { MAY_WRITE, permission } from './permission.ts';
import { type PeerCredentials, SocketFile } from './socket.ts';
import { decodeInet, decodeUnix, type InetAddress, type SocketAddress, type UnixAddress } from './socket-address.ts';
import { newSocket } from './socket-make.ts';

/**
 * bind, listen, connect, accept of sockets (net/unix/af_unix.c, net/ipv4/af_inet.c), and whom a datagram reaches. Hosts are
 * those of the interface lo, 127.0.0.0/8: every other is unreachable.
 */

/** inet_addr_type: also of an interface that is down. */
const isLocal = (host: number): boolean => host === INADDR_ANY || host >>> 24 === 127;

/** ip_route_output: 0.0.0.0 means lo too. */
function canReach(socket: SocketFile, { host }: InetAddress): boolean {
  return socket.names.loopback === 'up' && isLocal(host);
}

/** A sockaddr of the socket's own family; -EINVAL, -EAFNOSUPPORT. */
function decodeFor(socket: SocketFile, bytes: Uint8Array): SocketAddress | number {
  return socket.family === 'unix' ? decodeUnix(bytes) : decodeInet(bytes);
}

/** bind(2): 0, -EADDRINUSE, -EINVAL (it has a name), -EADDRNOTAVAIL (no host of ours), or what making the path answers. */
export function bindSocket(socket: SocketFile, context: FsContext, bytes: Uint8Array): number {
  if (socket.family === 'inet') {
    const address = decodeInet(bytes);
    if (typeof address === 'number') return address;
    if (!isLocal(address.host)) return -EADDRNOTAVAIL;
    if (socket.isBound || socket.wasConnected) return -EINVAL;
    return bindInet(socket, address);
  }
  const address = decodeUnix(bytes);
  if (typeof address === 'number') return address;
  if (address.name === '') return socket.isBound ? 0 : autobind(socket);
  if (address.name.startsWith('\0')) {
    if (socket.isBound) return -EINVAL;
    if (socket.names.abstract.has(`${socket.type}${address.name}`)) return -EADDRINUSE;
    return nameAbstract(socket, address);
  }
  return bindPath(socket, context, address);
}

function nameAbstract(socket: SocketFile, address: UnixAddress): number {
  socket.names.abstract.set(`${socket.type}${address.name}`, socket);
  socket.address = address;
  socket.isBound = true;
  return 0;
}

function autobind(socket: SocketFile): number {
  return nameAbstract(socket, { family: AF_UNIX, name: socket.names.takeAbstractName(socket.type) });
}

/** unix_bind_bsd: the node is made first; a socket that has a name already takes it away again. */
function bindPath(socket: SocketFile, context: FsContext, address: UnixAddress): number {
  const made = mknodAt(context, null, address.name, S_IFSOCK | 0o777, 0);
  if (made < 0) return made === -EEXIST ? -EADDRINUSE : made;
  if (socket.isBound) {
    unlinkAt(context, null, address.name);
    return -EINVAL;
  }
  const path = resolve(context, null, address.name, 'nofollow');
  if (typeof path === 'number') return path;
  path.retain();
  socket.names.byInode.set(path.dentry.inode, socket);
  socket.boundPath = path;
  socket.address = address;
  socket.isBound = true;
  return 0;
}

function bindInet(socket: SocketFile, wanted: InetAddress): number {
  const address = socket.names.bindPort(socket, wanted);
  if (typeof address === 'number') return address;
  socket.address = address;
  socket.isBound = true;
  return 0;
}

function ensurePort(socket: SocketFile): number {
  return socket.isBound ? 0 : bindInet(socket, { family: AF_INET, host: INADDR_ANY, port: 0 });
}

/** listen(2): 0, -EOPNOTSUPP (datagrams), -EINVAL (no name, or connected), -EADDRINUSE. */
export function listenOn(socket: SocketFile, backlog: number, credentials: PeerCredentials): number {
  if (socket.type === 'dgram') return -EOPNOTSUPP;
  if (socket.wasConnected || socket.connecting !== 'no') return -EINVAL;
  if (socket.family === 'unix' && !socket.isBound) return -EINVAL;
  if (socket.family === 'inet' && !socket.isListening) {
    const bound = ensurePort(socket);
    if (bound < 0) return bound;
    if (socket.address.family === AF_INET && socket.names.isListenRefused(socket, socket.address)) return -EADDRINUSE;
  }
  socket.backlog = backlog < 0 || backlog > SOMAXCONN ? SOMAXCONN : backlog;
  socket.pending ??= [];
  socket.peerCredentials = credentials;
  return 0;
}

/** sk_acceptq_is_full: one more than the backlog fits. */
const isFull = (listener: SocketFile): boolean => (listener.pending?.length ?? 0) > listener.backlog;

/**
 * connect(2): 0, -ECONNREFUSED, -EISCONN, -EPROTOTYPE, ..., or -EAGAIN and the listener to wait on (its writeQueue; unix), or
 * -EINPROGRESS (inet: wait until `connecting` is not 'waiting').
 */
export function connectSocket(
  socket: SocketFile,
  context: FsContext,
  bytes: Uint8Array,
  credentials: PeerCredentials,
): number | { readonly full: SocketFile } {
  if (bytes.length < 2) return -EINVAL;
  if ((bytes[0] | (bytes[1] << 8)) === AF_UNSPEC && socket.type === 'dgram') return disconnect(socket);
  const address = decodeFor(socket, bytes);
  if (typeof address === 'number') return address;
  if (socket.type === 'dgram') return connectDatagrams(socket, context, address);
  return address.family === AF_INET ? connectInet(socket, address) : connectUnix(socket, context, address, credentials);
}

function disconnect(socket: SocketFile): number {
  socket.connectDatagrams(null);
  socket.remoteAddress = null;
  return 0;
}

function connectDatagrams(socket: SocketFile, context: FsContext, address: SocketAddress): number {
  if (address.family === AF_INET) {
    if (!canReach(socket, address)) return -ENETUNREACH;
    const bound = ensurePort(socket);
    if (bound < 0) return bound;
    const host = address.host === INADDR_ANY ? INADDR_LOOPBACK : address.host;
    socket.remoteAddress = { ...address, host };
    if (socket.address.family === AF_INET && socket.address.host === INADDR_ANY)
      socket.address = { ...socket.address, host: host };
    return 0;
  }
  const to = findUnix(socket, context, address);
  if (typeof to === 'number') return to;
  // unix_may_send.
  if (to.peer !== null && to.peer !== socket) return -EPERM;
  socket.connectDatagrams(to);
  return 0;
}

/** unix_find_other: -ECONNREFUSED where nobody has the name, -EPROTOTYPE for another type, or a path error. */
function findUnix(socket: SocketFile, context: FsContext, address: UnixAddress): SocketFile | number {
  const sockets = socket.names;
  const { name } = address;
  if (name === '') return -EINVAL;
  let found: SocketFile | undefined;
  if (name.startsWith('\0')) found = sockets.abstract.get(`${socket.type}${name}`);
  else {
    const path = resolve(context, null, name, 'follow');
    if (typeof path === 'number') return path;
    const denied = permission(context.actor, path.inode, MAY_WRITE);
    if (denied < 0) return denied;
    found = sockets.byInode.get(path.dentry.inode);
  }
  if (found === undefined) return -ECONNREFUSED;
  return found.type === socket.type ? found : -EPROTOTYPE;
}

function connectUnix(
  socket: SocketFile,
  context: FsContext,
  address: UnixAddress,
  credentials: PeerCredentials,
): number | { readonly full: SocketFile } {
  const listener = findUnix(socket, context, address);
  if (typeof listener === 'number') return listener;
  if (!listener.isListening || listener.isReadShut) return -ECONNREFUSED;
  if (isFull(listener)) return { full: listener };
  if (socket.wasConnected) return -EISCONN;
  if (socket.isListening) return -EINVAL;
  const end = pendingEnd(listener);
  if (typeof end === 'number') return end;
  end.peerCredentials = credentials;
  socket.peerCredentials = listener.peerCredentials;
  join(listener, socket, end);
  return 0;
}

/** The other end of a connection: not accepted yet. It has the listener's name. */
function pendingEnd(listener: SocketFile): SocketFile | number {
  const end = newSocket(listener.core, listener.family, listener.type, 0);
  if (typeof end !== 'number') end.address = listener.address;
  return end;
}

function join(listener: SocketFile, client: SocketFile, end: SocketFile): void {
  SocketFile.join(client, end);
  listener.pending?.push(end);
  listener.readQueue.wakeAll();
}

/** __inet_stream_connect. */
function connectInet(socket: SocketFile, address: InetAddress): number {
  if (socket.connecting === 'waiting') return -EALREADY;
  if (socket.connecting === 'done') {
    socket.connecting = 'no';
    return 0;
  }
  if (socket.wasConnected || socket.isListening) return -EISCONN;
  if (socket.connecting === 'failed') return -socket.takeConnectError();
  if (!canReach(socket, address)) return -ENETUNREACH;
  const bound = ensurePort(socket);
  if (bound < 0) return bound;
  if (socket.address.family !== AF_INET) return -EAFNOSUPPORT;
  const host = address.host === INADDR_ANY ? INADDR_LOOPBACK : address.host;
  const remote = { ...address, host };
  const listener = socket.names.findPort('stream', remote, null);
  if (listener === null) {
    socket.failConnect(ECONNREFUSED);
    return -EINPROGRESS;
  }
  if (socket.address.host === INADDR_ANY) socket.address = { ...socket.address, host: INADDR_LOOPBACK };
  socket.remoteAddress = remote;
  socket.connecting = 'waiting';
  if (isFull(listener)) listener.waiting.push(socket);
  else finishConnect(listener, socket);
  return -EINPROGRESS;
}

function finishConnect(listener: SocketFile, socket: SocketFile): void {
  const end = pendingEnd(listener);
  if (typeof end === 'number') {
    socket.failConnect(ENOMEM);
    return;
  }
  end.address = socket.remoteAddress ?? listener.address;
  end.remoteAddress = socket.address.family === AF_INET ? socket.address : null;
  for (const [option, value] of listener.options) end.options.set(option, value);
  socket.connecting = 'done';
  join(listener, socket, end);
}

/** accept(2): the connection with its reference, -EAGAIN, -EINVAL (it does not listen), -EOPNOTSUPP. */
export function acceptFrom(listener: SocketFile): SocketFile | number {
  if (listener.type === 'dgram') return -EOPNOTSUPP;
  if (!listener.isListening) return -EINVAL;
  const end = listener.takePending();
  if (end === null) return listener.isReadShut ? -EINVAL : -EAGAIN;
  const next = listener.waiting.shift();
  if (next !== undefined) finishConnect(listener, next);
  return end;
}

/**
 * Whom a datagram reaches: `bytes` is the sockaddr given to sendto, or empty: the one connected to. 'lost': nobody, and
 * nobody is told. The sender has an address afterwards (inet).
 */
export function findReceiver(
  socket: SocketFile,
  context: FsContext,
  bytes: Uint8Array,
): SocketFile | 'peer' | 'lost' | number {
  if (socket.family === 'unix') {
    if (bytes.length === 0) return 'peer';
    const address = decodeUnix(bytes);
    if (typeof address === 'number') return address;
    const to = findUnix(socket, context, address);
    if (typeof to === 'number') return to;
    return to.peer !== null && to.peer !== socket ? -EPERM : to;
  }
  // inet_send_prepare: it has a port, whatever comes.
  const bound = ensurePort(socket);
  if (bound < 0) return bound;
  const given = bytes.length === 0 ? socket.remoteAddress : decodeInet(bytes);
  if (given === null) return 'peer';
  if (typeof given === 'number') return given;
  if (given.port === 0) return -EINVAL;
  if (!canReach(socket, given)) return -ENETUNREACH;
  const remote = { ...given, host: given.host === INADDR_ANY ? INADDR_LOOPBACK : given.host };
  const to = socket.names.findPort('dgram', remote, socket.sourceAddress);
  if (to !== null) return to;
  // icmp_send of ICMP_PORT_UNREACH: only a connected socket hears of it, at its next operation.
  if (socket.remoteAddress !== null) socket.setError(ECONNREFUSED);
  return 'lost';
}
