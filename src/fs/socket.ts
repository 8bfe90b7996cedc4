import { EAGAIN, ECONNABORTED, ECONNREFUSED, ECONNRESET, EINVAL, ENOTCONN } from '../abi/errno.ts';
import { FIONREAD } from '../abi/ioctl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, POLLRDNORM, POLLWRBAND, POLLWRNORM } from '../abi/poll.ts';
import { AF_INET, INADDR_ANY, INADDR_LOOPBACK, SHUT_RD, SHUT_RDWR, SHUT_WR } from '../abi/socket.ts';
import type { IoSink, IoSource } from '../base/io.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import { File, type UserArg } from './file.ts';
import type { PathRef } from './path.ts';
import { type InetAddress, type SocketAddress, UNNAMED } from './socket-address.ts';
import type { SocketNames } from './socket-names.ts';
import { SEND_BUFFER_BYTES, SocketQueue } from './socket-queue.ts';
import { receiveFrom } from './socket-receive.ts';
import { sendTo } from './socket-send.ts';

/** struct ucred. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** getpeercred of a socket that was never connected. */
const NO_CREDENTIALS: PeerCredentials = { pid: 0, uid: 0xffff_ffff, gid: 0xffff_ffff };

export type SocketType = 'stream' | 'dgram' | 'seqpacket';

export type SocketFamily = 'unix' | 'inet';

/**
 * A socket: AF_UNIX (net/unix/af_unix.c), or AF_INET on the machine's own loopback (net/ipv4/{tcp,udp}.c as a program sees
 * them where nothing is lost and nothing takes time). socket-connect.ts binds and connects, socket-send.ts and socket-receive.ts move
 * messages.
 *
 *            bind       listen                     accept (other end)
 *   fresh ---------> named ------> listening <--- pending connection
 *     |  connect       | connect
 *     +------------> connected --- shutdown, release of either end ---> ended
 *
 * Invariants:
 *  S1 On streams and seqpackets a.peer === b exactly when b.peer === a; a datagram socket is in its peer's `senders`.
 *  S2 pending holds one reference to each end that was not accepted yet; null unless the socket listens.
 */
export class SocketFile extends File {
  readonly family: SocketFamily;
  readonly type: SocketType;
  /** Those of its network namespace: its maker's. */
  readonly names: SocketNames;
  peer: SocketFile | null = null;
  /** getsockname: UNNAMED, or for inet host and port 0, before it is bound. */
  address: SocketAddress;
  /** inet: where it is connected to, for as long as it lives. */
  remoteAddress: InetAddress | null = null;
  /** unix: the name in the tree, one reference held. */
  boundPath: PathRef | null = null;
  /** True when `address` is in `names`. */
  isBound = false;
  pending: SocketFile[] | null = null;
  backlog = 0;
  /** inet: connections for which the backlog has no room yet. */
  readonly waiting: SocketFile[] = [];
  /** inet: connect has begun and has not told its result, which is known when it is 'done' or 'failed'. */
  connecting: 'no' | 'waiting' | 'done' | 'failed' = 'no';
  /** True once it was connected, also after the other end is gone. */
  wasConnected = false;
  /** Datagram sockets that are connected to this one. */
  readonly senders: SocketFile[] = [];
  peerCredentials: PeerCredentials = NO_CREDENTIALS;
  /** Values given by setsockopt, as "level:option". */
  readonly options = new Map<string, number>();
  sendBufferBytes = SEND_BUFFER_BYTES;
  receiveTimeoutNs = Number.POSITIVE_INFINITY;
  sendTimeoutNs = Number.POSITIVE_INFINITY;
  /** What lies unread here. */
  readonly queue: SocketQueue;
  isReadShut = false;
  isWriteShut = false;
  /** sk_err: reported once. */
  private error = 0;
  /** inet: bytes went to an end that was closed; there is nothing more to say to it. */
  isReset = false;
  readonly readQueue: WaitQueue;
  /** Woken when there is room: for senders to this socket too (datagrams), and for connects to a listener. */
  readonly writeQueue: WaitQueue;

  constructor(path: PathRef, flags: number, slot: number, family: SocketFamily, type: SocketType) {
    super(path, flags, slot);
    this.family = family;
    this.type = type;
    this.names = this.core.sockets;
    this.address = family === 'unix' ? UNNAMED : { family: AF_INET, host: INADDR_ANY, port: 0 };
    this.queue = new SocketQueue(this.core.mm);
    this.readQueue = this.core.makeQueue();
    this.writeQueue = this.core.makeQueue();
  }

  get isListening(): boolean {
    return this.pending !== null;
  }
  get isReuseAddress(): boolean {
    return (this.options.get('1:2') ?? 0) !== 0;
  }
  get isReusePort(): boolean {
    return (this.options.get('1:15') ?? 0) !== 0;
  }
  /** inet: what a datagram's receiver sees as its sender (the address of lo where any is bound). */
  get sourceAddress(): InetAddress | null {
    const { address } = this;
    if (address.family !== AF_INET) return null;
    return address.host === INADDR_ANY ? { ...address, host: INADDR_LOOPBACK } : address;
  }
  /** An error waits to be told. */
  get hasError(): boolean {
    return this.error !== 0;
  }

  /** Both ends of a connection (streams, seqpackets, pairs). */
  static join(a: SocketFile, b: SocketFile): void {
    for (const [end, other] of [
      [a, b],
      [b, a],
    ]) {
      end.peer = other;
      end.wasConnected = true;
      end.wakeBoth();
    }
  }

  /** A datagram socket's default receiver, or none. */
  connectDatagrams(to: SocketFile | null): void {
    if (this.peer !== null) removeFrom(this.peer.senders, this);
    this.peer = to;
    this.wasConnected = to !== null;
    to?.senders.push(this);
    this.wakeBoth();
  }

  /** sk_err, told by the next operation. */
  setError(error: number): void {
    this.error = error;
    this.wakeBoth();
  }

  /** inet: connect came to nothing (tcp_done: it is as a connection that was reset). */
  failConnect(error: number): void {
    this.connecting = 'failed';
    this.isReset = true;
    this.setError(error);
  }

  /** tcp_disconnect, after connect(2) has told of the failure: the error's number. */
  takeConnectError(): number {
    this.connecting = 'no';
    this.isReset = false;
    return this.takeError() || ECONNABORTED;
  }

  /** A read or a write gives up after SO_RCVTIMEO and SO_SNDTIMEO. */
  override get readTimeoutNs(): number {
    return this.receiveTimeoutNs;
  }
  override get writeTimeoutNs(): number {
    return this.sendTimeoutNs;
  }
  override get timeoutResult(): number {
    return -EAGAIN;
  }

  wakeBoth(): void {
    this.readQueue.wakeAll();
    this.writeQueue.wakeAll();
  }

  override read(sink: IoSink): number {
    const received = receiveFrom(this, sink, { isPeek: false, files: null });
    return typeof received === 'number' ? received : received.bytes;
  }

  override write(source: IoSource): number {
    return sendTo(this, source, []);
  }

  /** SO_ERROR: the pending error's number or 0; it is told once. */
  takeError(): number {
    const { error } = this;
    this.error = 0;
    return error;
  }

  /** The next call, or SO_ERROR, tells it (sk_err). */
  noteError(error: number): void {
    this.error = error;
  }

  /** shutdown(2): how is SHUT_RD, SHUT_WR or SHUT_RDWR. */
  shutdown(how: number): number {
    if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
    if (this.isListening) {
      if (this.family === 'inet' && how !== SHUT_WR) this.stopListening();
    } else if (this.family === 'inet' && !this.wasConnected) return -ENOTCONN;
    if (how !== SHUT_WR) this.isReadShut = true;
    if (how !== SHUT_RD) this.isWriteShut = true;
    this.wakeBoth();
    this.peer?.wakeBoth();
    return 0;
  }

  /** accept: the next connection with its reference, or null. Room in the backlog lets a waiting connect in. */
  takePending(): SocketFile | null {
    const next = this.pending?.shift() ?? null;
    if (next !== null) this.writeQueue.wakeAll();
    return next;
  }

  /** Who waits in the backlog is cut off: unix tells ECONNRESET (unix_release_sock, embrion), TCP sends a reset. */
  private stopListening(): void {
    const { pending } = this;
    this.pending = null;
    for (const end of pending ?? []) {
      const client = end.peer;
      if (client !== null) {
        client.error = ECONNRESET;
        client.isReset = true;
      }
      end.release();
    }
    for (const client of this.waiting.splice(0)) {
      client.failConnect(ECONNREFUSED);
    }
  }

  protected override onLastRelease(): void {
    const { peer } = this;
    this.stopListening();
    this.forgetName();
    if (this.type === 'dgram') {
      this.connectDatagrams(null);
      // The address goes on as it was for inet: the port is free for another socket (socket-connect.ts finds it).
      for (const sender of this.senders.splice(0)) {
        sender.peer = null;
        sender.wakeBoth();
      }
    } else if (peer !== null) {
      if (this.queue.messages.length > 0) {
        peer.error = ECONNRESET;
        peer.isReset = true;
      }
      peer.peer = null;
      peer.wakeBoth();
      this.peer = null;
    }
    this.queue.clear();
  }

  private forgetName(): void {
    const { names, address, boundPath } = this;
    if (this.isBound) {
      if (address.family === AF_INET) names.releasePort(this, address);
      else if (boundPath !== null) names.byInode.delete(boundPath.dentry.inode);
      else names.abstract.delete(`${this.type}${address.name}`);
    }
    this.isBound = false;
    this.boundPath = null;
    boundPath?.release();
  }

  override knowsNowait(): boolean {
    return true;
  }
  override get canPoll(): boolean {
    return true;
  }
  override poll(): number {
    const { pending, peer } = this;
    if (pending !== null) return pending.length > 0 ? POLLIN | POLLRDNORM : 0;
    const isConnection = this.type !== 'dgram';
    if (isConnection && this.connecting === 'waiting') return 0;
    const isPeerDone = isConnection && (peer === null || peer.isWriteShut);
    const isFresh = isConnection && !this.wasConnected && !this.isReset;
    let mask = 0;
    if (this.queue.messages.length > 0 || this.isReadShut || (isPeerDone && !isFresh)) mask |= POLLIN | POLLRDNORM;
    if (this.isReadShut || (isPeerDone && !isFresh)) mask |= POLLRDHUP;
    if (isFresh) mask |= POLLHUP;
    if (isConnection && this.isHungUp(isPeerDone)) mask |= POLLHUP;
    if (this.error !== 0) mask |= POLLERR;
    // unix_writable: a quarter of the buffer.
    if (peer === null || peer.queue.charged * 4 <= this.sendBufferBytes) mask |= POLLOUT | POLLWRNORM | POLLWRBAND;
    return this.family === 'inet' ? mask & ~POLLWRBAND : mask;
  }
  private isHungUp(isPeerDone: boolean): boolean {
    if (this.isReadShut && this.isWriteShut) return true;
    if (this.family === 'unix') return this.peer === null;
    return this.isReset || (isPeerDone && this.isWriteShut);
  }
  override waitQueues(): readonly WaitQueue[] {
    return [this.readQueue, this.writeQueue];
  }
  override ioctl(request: number, arg: UserArg): number {
    if (request !== FIONREAD) return super.ioctl(request, arg);
    const bytes = new Uint8Array(4);
    const count = this.type === 'stream' ? this.queue.queuedBytes : (this.queue.messages[0]?.length ?? 0);
    new DataView(bytes.buffer).setInt32(0, count, true);
    return arg.write(bytes);
  }
}

function removeFrom<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
}
