import { E2BIG, EIDRM } from '../../abi/errno.ts';
import { MSG_NOERROR } from '../../abi/ipc.ts';
import { WaitQueue, type WakeList } from '../../base/wait-queue.ts';
import type { Kernel } from '../kernel.ts';
import { wakeTask } from '../scheduler.ts';
import type { Task } from '../task.ts';
import { IpcIds, type IpcObject, type IpcPerm } from './ipc-ids.ts';

export interface Message {
  readonly type: number;
  readonly text: Uint8Array;
}

/** Which message a msgrcv wants (convert_mode). */
export interface Wanted {
  readonly mode: 'any' | 'equal' | 'not-equal' | 'at-most';
  readonly type: number;
}

/** A msgrcv that sleeps (msg_receiver): a sender hands it what it wants without queueing. */
export interface MsgReceiver {
  readonly id: number;
  readonly tid: number;
  readonly wanted: Wanted;
  readonly sizeBytes: number;
  readonly flags: number;
}

/** What a sleeping msgrcv keeps (Wait.data): its receiver's id, and 1 when it has an answer. */
export const RECEIVER_ID = 0;
export const RECEIVER_DONE = 1;

/**
 * msg_queue (6.18, ipc/msg.c).
 *
 * Invariant: G1 bytes is the sum of the messages' texts. G2 No receiver wants a message that is queued.
 */
export class MsgQueue implements IpcObject {
  readonly perm: IpcPerm;
  messages: Message[] = [];
  bytes = 0;
  limitBytes: number;
  stime = 0;
  rtime = 0;
  ctime: number;
  lastSender = 0;
  lastReceiver = 0;
  receivers: MsgReceiver[] = [];
  /** Those for whom there was no room. */
  readonly senders: WaitQueue;

  constructor(perm: IpcPerm, limitBytes: number, ctime: number, wakeList: WakeList) {
    this.perm = perm;
    this.limitBytes = limitBytes;
    this.ctime = ctime;
    this.senders = new WaitQueue(wakeList);
  }

  /** msg_fits_inqueue. */
  fits(sizeBytes: number): boolean {
    return sizeBytes + this.bytes <= this.limitBytes && this.messages.length + 1 <= this.limitBytes;
  }
}

/** The queues of one IPC namespace (kernel.msgmax, msgmnb, msgmni). */
export class MsgNamespace {
  readonly ids = new IpcIds<MsgQueue>();
  maxBytes = 8192;
  queueBytes = 16384;
  maxQueues = 32000;
  lastReceiverId = 0;
  /** What was handed to sleeping receivers, by receiver's id: a message, or -ERRNO. */
  readonly answers = new Map<number, Message | number>();
}

/** testmsg. */
export function isWanted(message: Message, { mode, type }: Wanted): boolean {
  switch (mode) {
    case 'any':
      return true;
    case 'equal':
      return message.type === type;
    case 'not-equal':
      return message.type !== type;
    default:
      return message.type <= type;
  }
}

/** find_msg: the first that is wanted; of those at most a type, the first of the lowest. -1: none. */
export function findMessage(queue: MsgQueue, wanted: Wanted): number {
  let found = -1;
  for (const [i, message] of queue.messages.entries()) {
    if (!isWanted(message, wanted)) continue;
    if (wanted.mode !== 'at-most') return i;
    if (found < 0 || message.type < queue.messages[found].type) found = i;
  }
  return found;
}

function receiverTask(k: Kernel, receiver: MsgReceiver): Task | null {
  const task = k.tasks.get(receiver.tid);
  return task?.wait?.data[RECEIVER_ID] === receiver.id ? task : null;
}

function answer(k: Kernel, ns: MsgNamespace, receiver: MsgReceiver, task: Task, what: Message | number): void {
  ns.answers.set(receiver.id, what);
  task.wait!.data[RECEIVER_DONE] = 1;
  wakeTask(k, task, 'event');
}

/** pipelined_send: hands the message to the first sleeper that wants it; those for whom it is too long get -E2BIG. False: nobody. */
export function handToReceiver(k: Kernel, ns: MsgNamespace, queue: MsgQueue, message: Message): boolean {
  for (const receiver of [...queue.receivers]) {
    const task = receiverTask(k, receiver);
    if (task !== null && !isWanted(message, receiver.wanted)) continue;
    queue.receivers.splice(queue.receivers.indexOf(receiver), 1);
    if (task === null) continue;
    if (receiver.sizeBytes < message.text.length && (receiver.flags & MSG_NOERROR) === 0) {
      answer(k, ns, receiver, task, -E2BIG);
      continue;
    }
    queue.lastReceiver = task.tgid;
    queue.rtime = k.realTime().seconds;
    answer(k, ns, receiver, task, message);
    return true;
  }
  return false;
}

/** expunge_all: every sleeping receiver gets an error. */
function expunge(k: Kernel, ns: MsgNamespace, queue: MsgQueue, error: number): void {
  for (const receiver of queue.receivers.splice(0)) {
    const task = receiverTask(k, receiver);
    if (task !== null) answer(k, ns, receiver, task, error);
  }
}

/** freeque. */
export function removeQueue(k: Kernel, ns: MsgNamespace, queue: MsgQueue): void {
  ns.ids.remove(queue);
  expunge(k, ns, queue, -EIDRM);
  queue.senders.wakeAll();
  queue.messages = [];
}
