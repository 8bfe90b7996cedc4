import { EAGAIN, EFAULT, EINVAL, ENOTCONN } from '../abi/errno.ts';
import type { IoSink } from '../base/io.ts';
import type { File } from './file.ts';
import type { SocketFile } from './socket.ts';
import type { SocketAddress } from './socket-address.ts';
import type { Message } from './socket-queue.ts';

/** Taking messages from a socket (unix_stream_recvmsg, unix_dgram_recvmsg, tcp_recvmsg, udp_recvmsg; 6.18). */

/** What a receive tells. */
export interface Received {
  readonly bytes: number;
  /** The datagram's own length. */
  readonly messageBytes: number;
  readonly sender: SocketAddress | null;
}

/**
 * recvmsg: bytes moved, the whole message's length, and whether it was cut. `files` takes what came along (the receiver owns
 * the references then); null lets them go. -EAGAIN, -EFAULT, a pending error. `bytes` 0 on a stream is the end.
 */
export function receiveFrom(
  socket: SocketFile,
  sink: IoSink,
  options: { isPeek: boolean; files: File[] | null },
): Received | number {
  if (socket.hasError && (socket.family === 'unix' || socket.queue.messages.length === 0)) return -socket.takeError();
  if (socket.queue.messages.length === 0) {
    if (socket.type !== 'dgram' && !socket.wasConnected) return refuseReceive(socket);
    const isEnd = socket.isReadShut || (socket.type !== 'dgram' && (socket.peer === null || socket.peer.isWriteShut));
    return isEnd ? { bytes: 0, messageBytes: 0, sender: null } : -EAGAIN;
  }
  if (socket.type !== 'stream') {
    const message = socket.queue.messages[0];
    const bytes = socket.queue.copyOut(message, sink);
    if (bytes === 0 && sink.faulted) {
      // unix_dgram_recvmsg, udp_recvmsg (6.18): the message is gone all the same, with the files in it.
      finish(socket, message, { isPeek: options.isPeek, files: null });
      return -EFAULT;
    }
    const result = { bytes, messageBytes: message.length, sender: message.sender };
    finish(socket, message, options);
    return result;
  }
  if (sink.remaining === 0) return { bytes: 0, messageBytes: 0, sender: null };
  let bytes = 0;
  for (const message of [...socket.queue.messages]) {
    if (sink.remaining === 0 || sink.faulted) break;
    // Bytes do not run together past a message that carries files.
    if (bytes > 0 && message.files.length > 0) break;
    const moved = socket.queue.copyOut(message, sink);
    if (sink.faulted) break;
    bytes += moved;
    if (options.isPeek) continue;
    socket.queue.takeFiles(message, options.files);
    socket.queue.consume(message, moved);
    if (message.length > 0) break;
  }
  if (bytes === 0 && sink.faulted) return -EFAULT;
  if (!options.isPeek) socket.peer?.writeQueue.wakeAll();
  return { bytes, messageBytes: bytes, sender: null };
}

/** A stream that is in no connection: unix -EINVAL, seqpackets and TCP -ENOTCONN; a TCP socket that connects waits. */
function refuseReceive(socket: SocketFile): number {
  if (socket.connecting === 'waiting') return -EAGAIN;
  return socket.family === 'unix' && socket.type === 'stream' ? -EINVAL : -ENOTCONN;
}

function finish(socket: SocketFile, message: Message, options: { isPeek: boolean; files: File[] | null }): void {
  if (options.isPeek) return;
  socket.queue.takeFiles(message, options.files);
  socket.queue.drop(message);
  socket.peer?.writeQueue.wakeAll();
  for (const sender of socket.senders) sender.writeQueue.wakeAll();
  socket.writeQueue.wakeAll();
}
