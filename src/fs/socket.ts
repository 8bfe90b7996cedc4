import {
  EAGAIN,
  ECONNABORTED,
  ECONNREFUSED,
  ECONNRESET,
  EDESTADDRREQ,
  EFAULT,
  EINVAL,
  EMSGSIZE,
  ENOTCONN,
  EPERM,
  EPIPE,
} from '../abi/errno.ts';
import { FIONREAD } from '../abi/ioctl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, POLLRDNORM, POLLWRBAND, POLLWRNORM } from '../abi/poll.ts';
import { AF_INET, INADDR_ANY, INADDR_LOOPBACK, SHUT_RD, SHUT_RDWR, SHUT_WR } from '../abi/socket.ts';
import type { IoSink, IoSource } from '../base/io.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import { File, type UserArg } from './file.ts';
import type { PathRef } from './path.ts';
import { type InetAddress, type SocketAddress, UNNAMED } from './socket-address.ts';
import type { SocketNames } from './socket-names.ts';
import { type Message, SocketQueue, STREAM_MESSAGE_BYTES } from './socket-queue.ts';

/** net.core.wmem_default: bytes that may lie unread in one direction. */
export const SEND_BUFFER_BYTES = 212_992;
/** net.unix.max_dgram_qlen: datagrams that wait unread where the receiver is not connected back. */
const MAX_DGRAM_QLEN = 10;
/** 65,535 less the headers of IP and UDP. */
const UDP_MAX_BYTES = 65_507;
/** What a receive tells. */
export interface Received {
  readonly bytes: number;
  /** The datagram's own length. */
  readonly messageBytes: number;
  readonly sender: SocketAddress | null;
}

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
 * them where nothing is lost and nothing takes time). socket-connect.ts binds and connects.
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
  private readonly senders: SocketFile[] = [];
  peerCredentials: PeerCredentials = NO_CREDENTIALS;
  /** Values given by setsockopt, as "level:option". */
  readonly options = new Map<string, number>();
  sendBufferBytes = SEND_BUFFER_BYTES;
  receiveTimeoutNs = Number.POSITIVE_INFINITY;
  sendTimeoutNs = Number.POSITIVE_INFINITY;
  private readonly queue: SocketQueue;
  private isReadShut = false;
  private isWriteShut = false;
  /** sk_err: reported once. */
  private error = 0;
  /** inet: bytes went to an end that was closed; there is nothing more to say to it. */
  private isReset = false;
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
  get isReceiveShut(): boolean {
    return this.isReadShut;
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
    const received = this.receive(sink, { isPeek: false, files: null });
    return typeof received === 'number' ? received : received.bytes;
  }

  override write(source: IoSource): number {
    return this.send(source, []);
  }

  /**
   * recvmsg: bytes moved, the whole message's length, and whether it was cut. `files` takes what came along (the receiver owns
   * the references then); null lets them go. -EAGAIN, -EFAULT, a pending error. `bytes` 0 on a stream is the end.
   */
  receive(sink: IoSink, options: { isPeek: boolean; files: File[] | null }): Received | number {
    if (this.error !== 0 && (this.family === 'unix' || this.queue.messages.length === 0)) return -this.takeError();
    if (this.queue.messages.length === 0) {
      if (this.type !== 'dgram' && !this.wasConnected) return this.refuseReceive();
      const isEnd = this.isReadShut || (this.type !== 'dgram' && (this.peer === null || this.peer.isWriteShut));
      return isEnd ? { bytes: 0, messageBytes: 0, sender: null } : -EAGAIN;
    }
    if (this.type !== 'stream') {
      const message = this.queue.messages[0];
      const bytes = this.queue.copyOut(message, sink);
      if (bytes === 0 && sink.faulted) {
        // unix_dgram_recvmsg, udp_recvmsg (6.18): the message is gone all the same, with the files in it.
        this.finish(message, { isPeek: options.isPeek, files: null });
        return -EFAULT;
      }
      const result = { bytes, messageBytes: message.length, sender: message.sender };
      this.finish(message, options);
      return result;
    }
    if (sink.remaining === 0) return { bytes: 0, messageBytes: 0, sender: null };
    let bytes = 0;
    for (const message of [...this.queue.messages]) {
      if (sink.remaining === 0 || sink.faulted) break;
      // Bytes do not run together past a message that carries files.
      if (bytes > 0 && message.files.length > 0) break;
      const moved = this.queue.copyOut(message, sink);
      if (sink.faulted) break;
      bytes += moved;
      if (options.isPeek) continue;
      this.queue.takeFiles(message, options.files);
      this.queue.consume(message, moved);
      if (message.length > 0) break;
    }
    if (bytes === 0 && sink.faulted) return -EFAULT;
    if (!options.isPeek) this.peer?.writeQueue.wakeAll();
    return { bytes, messageBytes: bytes, sender: null };
  }

  /** A stream that is in no connection: unix -EINVAL, seqpackets and TCP -ENOTCONN; a TCP socket that connects waits. */
  private refuseReceive(): number {
    if (this.connecting === 'waiting') return -EAGAIN;
    return this.family === 'unix' && this.type === 'stream' ? -EINVAL : -ENOTCONN;
  }

  private finish(message: Message, options: { isPeek: boolean; files: File[] | null }): void {
    if (options.isPeek) return;
    this.queue.takeFiles(message, options.files);
    this.queue.drop(message);
    this.peer?.writeQueue.wakeAll();
    for (const sender of this.senders) sender.writeQueue.wakeAll();
    this.writeQueue.wakeAll();
  }

  /**
   * sendmsg: bytes sent, less on a stream whose buffer is full. `files` are retained here and travel along; `to` is the
   * receiver of a datagram in place of the peer. -EAGAIN, -EPIPE, -EMSGSIZE, -ECONNREFUSED (a datagram to a closed end),
   * -ENOTCONN, -ENOMEM, -EFAULT.
   */
  send(source: IoSource, files: readonly File[], to: SocketFile | null = null): number {
    // unix_stream_sendmsg looks at the other end before it looks for an error.
    const isUnixStream = this.family === 'unix' && this.type === 'stream';
    if (isUnixStream && (this.isWriteShut || (this.wasConnected && this.peer === null))) return -EPIPE;
    if (this.error !== 0) return -this.takeError();
    if (this.isWriteShut) return -EPIPE;
    if (this.type === 'dgram') return this.sendDatagram(to ?? this.peer, source, files);
    const { peer } = this;
    if (peer === null) return this.sendToNobody(source);
    if (peer.isReadShut && this.family === 'unix') return -EPIPE;
    const total = source.remaining;
    if (this.type === 'stream') return total === 0 ? 0 : this.sendStream(peer, source, files);
    if (total > this.sendBufferBytes - 32) return -EMSGSIZE;
    return peer.queue.charged >= this.sendBufferBytes ? -EAGAIN : peer.enqueue(source, total, files, null);
  }

  private sendToNobody(source: IoSource): number {
    if (this.connecting === 'waiting') return -EAGAIN;
    if (!this.wasConnected) return this.family === 'unix' ? -ENOTCONN : -EPIPE;
    if (this.family === 'unix' || this.isReset) return -EPIPE;
    // The bytes leave; what comes back is a reset (tcp_reset in TCP_CLOSE_WAIT).
    this.isReset = true;
    this.setError(EPIPE);
    let left = 0;
    const scratch = new Uint8Array(PAGE_SIZE);
    while (source.remaining > 0) {
      const count = source.take(scratch.subarray(0, Math.min(PAGE_SIZE, source.remaining)));
      if (count === 0) break;
      left += count;
    }
    return left === 0 && source.faulted ? -EFAULT : left;
  }

  private sendDatagram(to: SocketFile | null, source: IoSource, files: readonly File[]): number {
    const total = source.remaining;
    if (to === null) {
      if (!this.wasConnected) return this.family === 'unix' ? -ENOTCONN : -EDESTADDRREQ;
      if (this.family === 'unix') this.wasConnected = false;
      return -ECONNREFUSED;
    }
    if (this.family === 'inet') {
      if (total > UDP_MAX_BYTES) return -EMSGSIZE;
      // __udp_enqueue_schedule_skb: without room it is lost, and nobody is told.
      return to.queue.charged >= SEND_BUFFER_BYTES ? total : to.enqueue(source, total, files, this.sourceAddress);
    }
    // unix_may_send.
    if (to.peer !== null && to.peer !== this) return -EPERM;
    if (to.isReadShut) return -EPIPE;
    if (total > this.sendBufferBytes - 32) return -EMSGSIZE;
    const isFull = to.peer === null && to.queue.messages.length > MAX_DGRAM_QLEN;
    if (isFull || to.queue.charged >= this.sendBufferBytes) return -EAGAIN;
    return to.enqueue(source, total, files, this.address);
  }

  /** unix_stream_sendmsg: sk_buff after sk_buff while the buffer has not reached its limit. */
  private sendStream(peer: SocketFile, source: IoSource, files: readonly File[]): number {
    let sent = 0;
    while (source.remaining > 0 && peer.queue.charged < this.sendBufferBytes) {
      const size = Math.min(source.remaining, this.sendBufferBytes / 2 - 64, STREAM_MESSAGE_BYTES);
      const result = peer.enqueue(source, size, sent === 0 ? files : [], null);
      if (result < 0) return sent > 0 ? sent : result;
      sent += result;
      if (result < size) break;
    }
    return sent > 0 ? sent : -EAGAIN;
  }

  private enqueue(source: IoSource, total: number, files: readonly File[], sender: SocketAddress | null): number {
    const result = this.queue.add(source, total, files, { sender, isStream: this.type === 'stream' });
    if (result >= 0) this.readQueue.wakeAll();
    return result;
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
