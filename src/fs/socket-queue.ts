import { EFAULT, ENOMEM } from '../abi/errno.ts';
import type { IoSink, IoSource } from '../base/io.ts';
import { PAGE_SIZE, type Pfn } from '../machine/units.ts';
import { NO_FRAME } from '../mm/phys/frame-table.ts';
import { __GFP_ACCOUNT, GFP_HIGHUSER } from '../mm/phys/gfp.ts';
import type { File } from './file.ts';
import type { FsMemory } from './fs-core.ts';
import type { SocketAddress } from './socket-address.ts';

/** net.core.wmem_default: bytes that may lie unread in one direction. */
export const SEND_BUFFER_BYTES = 212_992;

/** SKB_MAX_HEAD(0): bytes that fit into the linear part of an sk_buff of one page beside skb_shared_info. */
const LINEAR_BYTES = 3776;
/** UNIX_SKB_FRAGS_SZ: a stream's sk_buff carries so much more in pages. */
const FRAGMENT_BYTES = 32_768;
/** The most that a stream sends as one message. */
export const STREAM_MESSAGE_BYTES = LINEAR_BYTES + FRAGMENT_BYTES;
const SHARED_INFO_BYTES = 320;
const SK_BUFF_BYTES = 256;

/** Bytes sent at once (sk_buff), in frames of the kernel; files that travel with them (SCM_RIGHTS). */
export interface Message {
  readonly frames: Pfn[];
  offset: number;
  length: number;
  readonly files: File[];
  /** What it counts against the sender's buffer until it is read whole (skb->truesize). */
  readonly truesize: number;
  /** Whom a datagram is from; null on connections. */
  readonly sender: SocketAddress | null;
}

/**
 * What was sent to a socket and not read (sk_receive_queue).
 *
 * Invariants:
 *  S1 queuedBytes is the sum of the messages' lengths, charged of their truesize; each frame of a message is held once.
 */
export class SocketQueue {
  readonly messages: Message[] = [];
  queuedBytes = 0;
  /** What counts against the sender's buffer (its sk_wmem_alloc). */
  charged = 0;
  private readonly mm: FsMemory;

  constructor(mm: FsMemory) {
    this.mm = mm;
  }

  /** Bytes taken as one message (of a stream: what memory there was for), or -ENOMEM, -EFAULT: then nothing is sent of it. `files` are retained. */
  add(
    source: IoSource,
    total: number,
    files: readonly File[],
    { sender, isStream }: { sender: SocketAddress | null; isStream: boolean },
  ): number {
    const { alloc, ram } = this.mm;
    const message: Message = { frames: [], offset: 0, length: 0, files: [], truesize: truesizeOf(total), sender };
    let error = -ENOMEM;
    while (message.length < total) {
      const frame = alloc.allocFrame(GFP_HIGHUSER | __GFP_ACCOUNT);
      if (frame === NO_FRAME) break;
      message.frames.push(frame as Pfn);
      ram.beforeWrite(frame as Pfn);
      const want = Math.min(PAGE_SIZE, total - message.length);
      const count = source.take(ram.bytesOf(frame as Pfn).subarray(0, want));
      message.length += count;
      if (count < want) {
        error = -EFAULT;
        break;
      }
    }
    const isWhole = message.length === total;
    if (!isWhole && (message.length === 0 || !isStream || error === -EFAULT)) {
      for (const frame of message.frames) alloc.putFrame(frame);
      return error;
    }
    for (const file of files) {
      file.retain();
      message.files.push(file);
    }
    this.messages.push(message);
    this.queuedBytes += message.length;
    this.charged += message.truesize;
    return message.length;
  }

  /** The files that came along go to the receiver, or are let go. Once. */
  takeFiles(message: Message, files: File[] | null): void {
    for (const file of message.files.splice(0)) {
      if (files === null) file.release();
      else files.push(file);
    }
  }

  drop(message: Message): void {
    this.messages.splice(this.messages.indexOf(message), 1);
    this.queuedBytes -= message.length;
    this.charged -= message.truesize;
    for (const frame of message.frames) this.mm.alloc.putFrame(frame);
    for (const file of message.files) file.release();
  }

  /** Bytes of a message that the sink took; a bad address before its end makes it none (skb_copy_datagram_iter). */
  copyOut(message: Message, sink: IoSink): number {
    const { ram } = this.mm;
    let moved = 0;
    while (moved < message.length && sink.remaining > 0) {
      const at = message.offset + moved;
      const start = at % PAGE_SIZE;
      const count = Math.min(PAGE_SIZE - start, message.length - moved);
      const frame = message.frames[Math.floor(at / PAGE_SIZE)];
      const put = sink.put(ram.bytesOf(frame).subarray(start, start + count));
      moved += put;
      if (put < count) break;
    }
    return sink.faulted ? 0 : moved;
  }

  /** The first `bytes` bytes of a stream's message are read; read whole, it is gone. */
  consume(message: Message, bytes: number): void {
    message.offset += bytes;
    message.length -= bytes;
    this.queuedBytes -= bytes;
    if (message.length === 0) this.drop(message);
  }

  clear(): void {
    for (const message of [...this.messages]) this.drop(message);
  }
}

/** What sock_alloc_send_pskb allocates for a message: its head from kmalloc, the rest in pages. */
function truesizeOf(lengthBytes: number): number {
  const inPages = Math.min(lengthBytes, Math.ceil(Math.max(0, lengthBytes - LINEAR_BYTES) / PAGE_SIZE) * PAGE_SIZE);
  const head = 2 ** Math.ceil(Math.log2(lengthBytes - inPages + SHARED_INFO_BYTES));
  return SK_BUFF_BYTES + head + Math.ceil(inPages / PAGE_SIZE) * PAGE_SIZE;
}
