import { EAGAIN, ECONNREFUSED, EDESTADDRREQ, EFAULT, EMSGSIZE, ENOTCONN, EPERM, EPIPE } from '../abi/errno.ts';
import type { IoSource } from '../base/io.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import type { File } from './file.ts';
import type { SocketFile } from './socket.ts';
import type { SocketAddress } from './socket-address.ts';
import { SEND_BUFFER_BYTES, STREAM_MESSAGE_BYTES } from './socket-queue.ts';

/** Putting messages into the queue of the other end (unix_stream_sendmsg, unix_dgram_sendmsg, tcp_sendmsg, udp_sendmsg; 6.18). */

/** net.unix.max_dgram_qlen: datagrams that wait unread where the receiver is not connected back. */
const MAX_DGRAM_QLEN = 10;
/** 65,535 less the headers of IP and UDP. */
const UDP_MAX_BYTES = 65_507;

/**
 * sendmsg: bytes sent, less on a stream whose buffer is full. `files` are retained here and travel along; `to` is the
 * receiver of a datagram in place of the peer. -EAGAIN, -EPIPE, -EMSGSIZE, -ECONNREFUSED (a datagram to a closed end),
 * -ENOTCONN, -ENOMEM, -EFAULT.
 */
export function sendTo(
  socket: SocketFile,
  source: IoSource,
  files: readonly File[],
  to: SocketFile | null = null,
): number {
  // unix_stream_sendmsg looks at the other end before it looks for an error.
  const isUnixStream = socket.family === 'unix' && socket.type === 'stream';
  if (isUnixStream && (socket.isWriteShut || (socket.wasConnected && socket.peer === null))) return -EPIPE;
  if (socket.hasError) return -socket.takeError();
  if (socket.isWriteShut) return -EPIPE;
  if (socket.type === 'dgram') return sendDatagram(socket, to ?? socket.peer, source, files);
  const { peer } = socket;
  if (peer === null) return sendToNobody(socket, source);
  if (peer.isReadShut && socket.family === 'unix') return -EPIPE;
  const total = source.remaining;
  if (socket.type === 'stream') return total === 0 ? 0 : sendStream(socket, peer, source, files);
  if (total > socket.sendBufferBytes - 32) return -EMSGSIZE;
  return peer.queue.charged >= socket.sendBufferBytes ? -EAGAIN : enqueue(peer, source, total, files, null);
}

function sendToNobody(socket: SocketFile, source: IoSource): number {
  if (socket.connecting === 'waiting') return -EAGAIN;
  if (!socket.wasConnected) return socket.family === 'unix' ? -ENOTCONN : -EPIPE;
  if (socket.family === 'unix' || socket.isReset) return -EPIPE;
  // The bytes leave; what comes back is a reset (tcp_reset in TCP_CLOSE_WAIT).
  socket.isReset = true;
  socket.setError(EPIPE);
  let left = 0;
  const scratch = new Uint8Array(PAGE_SIZE);
  while (source.remaining > 0) {
    const count = source.take(scratch.subarray(0, Math.min(PAGE_SIZE, source.remaining)));
    if (count === 0) break;
    left += count;
  }
  return left === 0 && source.faulted ? -EFAULT : left;
}

function sendDatagram(socket: SocketFile, to: SocketFile | null, source: IoSource, files: readonly File[]): number {
  const total = source.remaining;
  if (to === null) {
    if (!socket.wasConnected) return socket.family === 'unix' ? -ENOTCONN : -EDESTADDRREQ;
    if (socket.family === 'unix') socket.wasConnected = false;
    return -ECONNREFUSED;
  }
  if (socket.family === 'inet') {
    if (total > UDP_MAX_BYTES) return -EMSGSIZE;
    // __udp_enqueue_schedule_skb: without room it is lost, and nobody is told.
    return to.queue.charged >= SEND_BUFFER_BYTES ? total : enqueue(to, source, total, files, socket.sourceAddress);
  }
  // unix_may_send.
  if (to.peer !== null && to.peer !== socket) return -EPERM;
  if (to.isReadShut) return -EPIPE;
  if (total > socket.sendBufferBytes - 32) return -EMSGSIZE;
  const isFull = to.peer === null && to.queue.messages.length > MAX_DGRAM_QLEN;
  if (isFull || to.queue.charged >= socket.sendBufferBytes) return -EAGAIN;
  return enqueue(to, source, total, files, socket.address);
}

/** unix_stream_sendmsg: sk_buff after sk_buff while the buffer has not reached its limit. */
function sendStream(socket: SocketFile, peer: SocketFile, source: IoSource, files: readonly File[]): number {
  let sent = 0;
  while (source.remaining > 0 && peer.queue.charged < socket.sendBufferBytes) {
    const size = Math.min(source.remaining, socket.sendBufferBytes / 2 - 64, STREAM_MESSAGE_BYTES);
    const result = enqueue(peer, source, size, sent === 0 ? files : [], null);
    if (result < 0) return sent > 0 ? sent : result;
    sent += result;
    if (result < size) break;
  }
  return sent > 0 ? sent : -EAGAIN;
}

function enqueue(
  receiver: SocketFile,
  source: IoSource,
  total: number,
  files: readonly File[],
  sender: SocketAddress | null,
): number {
  const result = receiver.queue.add(source, total, files, { sender, isStream: receiver.type === 'stream' });
  if (result >= 0) receiver.readQueue.wakeAll();
  return result;
}
