import { CAP_SYS_RESOURCE } from '../../abi/capability.ts';
import { E2BIG, EACCES, EAGAIN, EFAULT, EIDRM, EINVAL, ENOMSG, EPERM } from '../../abi/errno.ts';
import {
  IPC_INFO,
  IPC_NOWAIT,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  MSG_COPY,
  MSG_EXCEPT,
  MSG_INFO,
  MSG_NOERROR,
  MSG_STAT,
  MSG_STAT_ANY,
} from '../../abi/ipc.ts';
import { capable } from '../credentials.ts';
import { checkIpcOwner, checkIpcPerm, lookupKey, newPerm, updateIpcPerm } from '../ipc/ipc-ids.ts';
import {
  findMessage,
  handToReceiver,
  type Message,
  MsgQueue,
  RECEIVER_DONE,
  RECEIVER_ID,
  removeQueue,
  type Wanted,
} from '../ipc/msg.ts';
import { decodePerm, permBytes, WordWriter } from '../ipc/structs.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readBytes, readLongs, writeBytes, writeLongs } from '../user-structs.ts';
import { ERESTARTNOHAND } from '../wait-state.ts';
import { BLOCKED, type SyscallRow } from './row.ts';
import { ipcOf } from './user.ts';

/** System V message queues (6.18, ipc/msg.c). */

function msgget(k: Kernel, t: Task, key: number, flags: number): number {
  const { msg: ns, userNs } = ipcOf(t);
  const found = lookupKey(ns.ids, t.cred, key, flags, () => 0);
  if (found !== null) return found;
  const queue = new MsgQueue(newPerm(key, flags, t.cred, userNs), ns.queueBytes, k.realTime().seconds, k.wakeList);
  return ns.ids.add(queue, ns.maxQueues);
}

/** do_msgsnd. A sender that finds no room sleeps and tries again. */
function msgsnd(k: Kernel, t: Task, id: number, address: number, sizeBytes: number, flags: number): number {
  const ns = ipcOf(t).msg;
  const { wordBytes } = k.arch;
  const type = readLongs(k, t, address, 1);
  if (typeof type === 'number') return type;
  if (sizeBytes > ns.maxBytes || id < 0 || type[0] < 1) return -EINVAL;
  const text = new Uint8Array(sizeBytes);
  if (readBytes(k, t, address + wordBytes, text) < 0) return -EFAULT;
  const queue = ns.ids.find(id);
  if (queue === null) return t.wait === null ? -EINVAL : -EIDRM;
  if (checkIpcPerm(t.cred, queue.perm, 0o222) < 0) return -EACCES;
  const message: Message = { type: type[0], text };
  if (!queue.fits(sizeBytes)) {
    if ((flags & IPC_NOWAIT) !== 0) return -EAGAIN;
    return k.block(t, {
      queues: [queue.senders],
      deadlineNs: Number.POSITIVE_INFINITY,
      onSignal: ERESTARTNOHAND,
      data: [],
    });
  }
  queue.lastSender = t.tgid;
  queue.stime = k.realTime().seconds;
  if (!handToReceiver(k, ns, queue, message)) {
    queue.messages.push(message);
    queue.bytes += sizeBytes;
  }
  return 0;
}

/** convert_mode. */
function wantedOf(type: number, flags: number): Wanted {
  if (type === 0) return { mode: 'any', type: 0 };
  if (type < 0) return { mode: 'at-most', type: -type };
  return { mode: (flags & MSG_EXCEPT) !== 0 ? 'not-equal' : 'equal', type };
}

/** do_msgrcv. */
function msgrcv(
  k: Kernel,
  t: Task,
  id: number,
  address: number,
  sizeBytes: number,
  type: number,
  flags: number,
): number {
  const ns = ipcOf(t).msg;
  if (t.wait !== null) return goOn(k, t, id, address, sizeBytes);
  if (id < 0 || sizeBytes >= 2 ** 63) return -EINVAL;
  const isCopy = (flags & MSG_COPY) !== 0;
  if (isCopy && ((flags & MSG_EXCEPT) !== 0 || (flags & IPC_NOWAIT) === 0)) return -EINVAL;
  const queue = ns.ids.find(id);
  if (queue === null) return -EINVAL;
  if (checkIpcPerm(t.cred, queue.perm, 0o444) < 0) return -EACCES;
  const wanted = wantedOf(type, flags);
  const at = isCopy ? (type >= 0 && type < queue.messages.length ? type : -1) : findMessage(queue, wanted);
  if (at >= 0) {
    const message = queue.messages[at];
    if (sizeBytes < message.text.length && (flags & MSG_NOERROR) === 0) return -E2BIG;
    if (!isCopy) {
      queue.messages.splice(at, 1);
      queue.bytes -= message.text.length;
      queue.lastReceiver = t.tgid;
      queue.rtime = k.realTime().seconds;
      queue.senders.wakeAll();
    }
    return give(k, t, message, address, sizeBytes);
  }
  if ((flags & IPC_NOWAIT) !== 0) return -ENOMSG;
  const receiver = { id: ++ns.lastReceiverId, tid: t.tid, wanted, sizeBytes, flags };
  queue.receivers.push(receiver);
  const slept = k.block(t, {
    queues: [],
    deadlineNs: Number.POSITIVE_INFINITY,
    onSignal: ERESTARTNOHAND,
    data: [receiver.id, 0],
  });
  if (slept !== BLOCKED) queue.receivers.pop();
  return slept;
}

/** A sleeping receiver runs again: with what it was handed, or to sleep on, or because of a signal. */
function goOn(k: Kernel, t: Task, id: number, address: number, sizeBytes: number): number {
  const ns = ipcOf(t).msg;
  const { data } = t.wait!;
  const receiver = data[RECEIVER_ID];
  if (data[RECEIVER_DONE] === 1) {
    const got = ns.answers.get(receiver)!;
    ns.answers.delete(receiver);
    return typeof got === 'number' ? got : give(k, t, got, address, sizeBytes);
  }
  const result = k.block(t, {
    queues: [],
    deadlineNs: Number.POSITIVE_INFINITY,
    onSignal: ERESTARTNOHAND,
    data,
  });
  if (result === BLOCKED) return result;
  const queue = ns.ids.find(id);
  if (queue !== null) queue.receivers = queue.receivers.filter((each) => each.id !== receiver);
  return result;
}

/** do_msg_fill: the type, then as much of the text as there is room for. */
function give(k: Kernel, t: Task, message: Message, address: number, sizeBytes: number): number {
  const text = message.text.subarray(0, Math.min(sizeBytes, message.text.length));
  if (writeLongs(k, t, address, [message.type]) < 0) return -EFAULT;
  return writeBytes(k, t, address + k.arch.wordBytes, text) < 0 ? -EFAULT : text.length;
}

function msgctl(k: Kernel, t: Task, id: number, command: number, address: number): number {
  if (id < 0 || command < 0) return -EINVAL;
  const { ids } = ipcOf(t).msg;
  switch (command) {
    case IPC_INFO:
    case MSG_INFO:
      return showLimits(k, t, command, address);
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY: {
      const queue = command === IPC_STAT ? ids.find(id) : ids.at(id);
      if (queue === null) return -EINVAL;
      if (command !== MSG_STAT_ANY && checkIpcPerm(t.cred, queue.perm, 0o444) < 0) return -EACCES;
      const { wordBytes } = k.arch;
      const bytes = new WordWriter(permBytes(wordBytes) + wordBytes * 8 + 8, wordBytes)
        .perm(queue.perm, t.cred.userNs)
        .long(queue.stime, queue.rtime, queue.ctime, queue.bytes, queue.messages.length, queue.limitBytes)
        .int(queue.lastSender, queue.lastReceiver)
        .long(0, 0).bytes;
      if (writeBytes(k, t, address, bytes) < 0) return -EFAULT;
      return command === IPC_STAT ? 0 : queue.perm.id;
    }
    case IPC_SET:
    case IPC_RMID:
      return changeQueue(k, t, id, command, address);
    default:
      return -EINVAL;
  }
}

/** struct msginfo: MSGPOOL, MSGMAP, MSGSSZ, MSGTQL, MSGSEG as Linux has them, or what is in use. */
function showLimits(k: Kernel, t: Task, command: number, address: number): number {
  const { ids, maxBytes, queueBytes, maxQueues } = ipcOf(t).msg;
  const isUse = command === MSG_INFO;
  const queues = ids.list();
  const count = queues.reduce((sum, queue) => sum + queue.messages.length, 0);
  const bytes = queues.reduce((sum, queue) => sum + queue.bytes, 0);
  const info = new WordWriter(32, 4)
    .int(isUse ? ids.count : 512_000, isUse ? count : 16384, maxBytes, queueBytes, maxQueues, 16, isUse ? bytes : 16384)
    .short(0xffff);
  return writeBytes(k, t, address, info.bytes) < 0 ? -EFAULT : ids.highestIndex;
}

/** msgctl_down. */
function changeQueue(k: Kernel, t: Task, id: number, command: number, address: number): number {
  const ns = ipcOf(t).msg;
  const { wordBytes } = k.arch;
  const bytes = new Uint8Array(permBytes(wordBytes) + wordBytes * 6);
  if (command === IPC_SET && readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const queue = ns.ids.find(id);
  if (queue === null) return -EINVAL;
  const allowed = checkIpcOwner(t.cred, queue.perm);
  if (allowed < 0) return allowed;
  if (command === IPC_RMID) {
    removeQueue(k, ns, queue);
    return 0;
  }
  const view = new DataView(bytes.buffer);
  const at = permBytes(wordBytes) + wordBytes * 5;
  const limit = view.getUint32(at, true) + (wordBytes === 8 ? view.getUint32(at + 4, true) * 2 ** 32 : 0);
  if (limit > ns.queueBytes && !capable(t.cred, CAP_SYS_RESOURCE)) return -EPERM;
  const changed = updateIpcPerm(t.cred, queue.perm, decodePerm(bytes));
  if (changed < 0) return changed;
  queue.limitBytes = limit;
  queue.ctime = k.realTime().seconds;
  // Those who sleep look again: there may be room now.
  queue.senders.wakeAll();
  return 0;
}

const full = { support: 'full', note: '' } as const;
export const msgCalls: readonly SyscallRow[] = [
  { name: 'msgget', args: ['int', 'int'], run: msgget, ...full },
  { name: 'msgsnd', args: ['int', 'ptr', 'size', 'int'], run: msgsnd, ...full },
  { name: 'msgrcv', args: ['int', 'ptr', 'size', 'long', 'int'], run: msgrcv, ...full },
  { name: 'msgctl', args: ['int', 'int', 'ptr'], run: msgctl, ...full },
];
