import { EDOM, EFAULT, EINVAL, ENOPROTOOPT, EOPNOTSUPP } from '../../abi/errno.ts';
import * as S from '../../abi/socket.ts';
import type { SocketFile } from '../../fs/socket.ts';
import { INVALID_ID } from '../id-map.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readBytes, readLongs, writeBytes, writeI32s } from '../user-structs.ts';
import type { SyscallRow, SyscallRun } from './row.ts';
import { readRoom, socketAt } from './socket-arguments.ts';

/**
 * getsockopt and setsockopt (net/core/sock.c, net/ipv4/tcp.c). Options about delays, losses and peers that vanish are kept and
 * told: on a loopback without delay or loss there is nothing for them to do.
 */

const TYPE_NUMBERS = { stream: S.SOCK_STREAM, dgram: S.SOCK_DGRAM, seqpacket: S.SOCK_SEQPACKET } as const;
const NS_PER_S = 1_000_000_000;

/** Ints that are set and told, with what they are at first. The last: true for what is told as 0 or 1. */
const KEPT: ReadonlyMap<string, readonly [initial: number, isFlag: boolean]> = new Map([
  [`${S.SOL_SOCKET}:${S.SO_REUSEADDR}`, [0, true]],
  [`${S.SOL_SOCKET}:${S.SO_REUSEPORT}`, [0, true]],
  [`${S.SOL_SOCKET}:${S.SO_BROADCAST}`, [0, true]],
  [`${S.SOL_SOCKET}:${S.SO_KEEPALIVE}`, [0, true]],
  [`${S.SOL_SOCKET}:${S.SO_PRIORITY}`, [0, false]],
  [`${S.IPPROTO_IP}:${S.IP_TOS}`, [0, false]],
  [`${S.IPPROTO_IP}:${S.IP_TTL}`, [64, false]],
  [`${S.IPPROTO_TCP}:${S.TCP_NODELAY}`, [0, true]],
  [`${S.IPPROTO_TCP}:${S.TCP_KEEPIDLE}`, [7200, false]],
  [`${S.IPPROTO_TCP}:${S.TCP_KEEPINTVL}`, [75, false]],
  [`${S.IPPROTO_TCP}:${S.TCP_KEEPCNT}`, [9, false]],
  [`${S.IPPROTO_TCP}:${S.TCP_QUICKACK}`, [1, true]],
  [`${S.IPPROTO_TCP}:${S.TCP_USER_TIMEOUT}`, [0, false]],
]);

function keptOption(socket: SocketFile, level: number, option: number): readonly [number, boolean] | null {
  if (level === S.IPPROTO_IP && socket.family !== 'inet') return null;
  if (level === S.IPPROTO_TCP && (socket.family !== 'inet' || socket.type !== 'stream')) return null;
  return KEPT.get(`${level}:${option}`) ?? null;
}

function noSuchOption(socket: SocketFile, level: number): number {
  const own = socket.type === 'stream' ? S.IPPROTO_TCP : S.IPPROTO_UDP;
  const isKnown = level === S.SOL_SOCKET || (socket.family === 'inet' && (level === S.IPPROTO_IP || level === own));
  return isKnown ? -ENOPROTOOPT : -EOPNOTSUPP;
}

const getsockopt: SyscallRun = (k, t, fd, level, option, address, lengthAddress) => {
  const socket = socketAt(t, fd);
  if (typeof socket === 'number') return socket;
  const room = readRoom(k, t, lengthAddress);
  if (room < 0) return room;
  const value = optionValue(k, t, socket, level, option);
  if (typeof value === 'number') return value;
  const bytes = value.subarray(0, room);
  if (writeBytes(k, t, address, bytes) < 0) return -EFAULT;
  return writeI32s(k, t, lengthAddress, [bytes.length]);
};

const ints = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer);

function optionValue(k: Kernel, t: Task, socket: SocketFile, level: number, option: number): Uint8Array | number {
  const kept = keptOption(socket, level, option);
  if (kept !== null) return ints(socket.options.get(`${level}:${option}`) ?? kept[0]);
  if (level !== S.SOL_SOCKET) return noSuchOption(socket, level);
  switch (option) {
    case S.SO_TYPE:
      return ints(TYPE_NUMBERS[socket.type]);
    case S.SO_ERROR:
      return ints(socket.takeError());
    case S.SO_SNDBUF:
      return ints(socket.sendBufferBytes);
    case S.SO_RCVBUF:
      return ints(socket.options.get('1:8') ?? 212_992);
    case S.SO_DOMAIN:
      return ints(socket.family === 'unix' ? S.AF_UNIX : S.AF_INET);
    case S.SO_ACCEPTCONN:
      return ints(socket.isListening ? 1 : 0);
    case S.SO_PROTOCOL:
      return ints(socket.family === 'unix' ? 0 : socket.type === 'stream' ? S.IPPROTO_TCP : S.IPPROTO_UDP);
    case S.SO_LINGER:
      return ints(socket.options.get('linger') ?? 0, socket.options.get('lingerSeconds') ?? 0);
    case S.SO_PEERCRED: {
      const { pid, uid, gid } = socket.peerCredentials;
      const { uids, gids } = t.cred.userNs;
      return ints(pid, uid === INVALID_ID ? uid : uids.show(uid), gid === INVALID_ID ? gid : gids.show(gid));
    }
    case S.SO_RCVTIMEO:
      return timeval(k, socket.receiveTimeoutNs);
    case S.SO_SNDTIMEO:
      return timeval(k, socket.sendTimeoutNs);
    default:
      return -ENOPROTOOPT;
  }
}

/** struct timeval of longs; no timeout is told as 0. */
function timeval(k: Kernel, timeoutNs: number): Uint8Array {
  const us = timeoutNs === Number.POSITIVE_INFINITY ? 0 : Math.floor(timeoutNs / 1000);
  const { wordBytes } = k.arch;
  const bytes = new Uint8Array(2 * wordBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(us / 1e6), true);
  view.setUint32(wordBytes, us % 1e6, true);
  return bytes;
}

const setsockopt: SyscallRun = (k, t, fd, level, option, address, length) => {
  const socket = socketAt(t, fd);
  if (typeof socket === 'number') return socket;
  if (length < 0) return -EINVAL;
  if (level === S.SOL_SOCKET && (option === S.SO_RCVTIMEO || option === S.SO_SNDTIMEO))
    return setTimeout(k, t, socket, option, address, length);
  const bytes = new Uint8Array(8);
  const wanted = level === S.SOL_SOCKET && option === S.SO_LINGER ? 8 : 4;
  const kept = keptOption(socket, level, option);
  const isKnown = kept !== null || (level === S.SOL_SOCKET && [S.SO_LINGER, S.SO_SNDBUF, S.SO_RCVBUF].includes(option));
  if (!isKnown && level !== S.SOL_SOCKET) return noSuchOption(socket, level);
  if (length < wanted) return -EINVAL;
  if (readBytes(k, t, address, bytes.subarray(0, wanted)) < 0) return -EFAULT;
  if (!isKnown) return -ENOPROTOOPT;
  const value = new DataView(bytes.buffer).getInt32(0, true);
  if (kept !== null) {
    if (level === S.IPPROTO_TCP && !kept[1] && value < (option === S.TCP_USER_TIMEOUT ? 0 : 1)) return -EINVAL;
    socket.options.set(`${level}:${option}`, kept[1] ? Number(value !== 0) : value);
    return 0;
  }
  if (option === S.SO_LINGER) {
    socket.options.set('linger', Number(value !== 0));
    socket.options.set('lingerSeconds', new DataView(bytes.buffer).getInt32(4, true));
  } else if (option === S.SO_SNDBUF) socket.sendBufferBytes = bufferBytes(value, 4608);
  else socket.options.set('1:8', bufferBytes(value, 2304));
  return 0;
};

/** sock_setsockopt: at most net.core.[wr]mem_max, doubled, at least SOCK_MIN_SNDBUF or SOCK_MIN_RCVBUF. */
const bufferBytes = (value: number, least: number): number =>
  Math.max(Math.min(value < 0 ? 0x7fff_ffff : value, 212_992) * 2, least);

/** sock_set_timeout: 0 is none. */
function setTimeout(k: Kernel, t: Task, socket: SocketFile, option: number, address: number, length: number): number {
  if (length < 2 * k.arch.wordBytes) return -EINVAL;
  const words = readLongs(k, t, address, 2);
  if (typeof words === 'number') return words;
  const [seconds, us] = words;
  if (us < 0 || us >= 1e6) return -EDOM;
  const timeoutNs = seconds < 0 ? 0 : seconds * NS_PER_S + us * 1000;
  const value = timeoutNs === 0 && seconds >= 0 ? Number.POSITIVE_INFINITY : timeoutNs;
  if (option === S.SO_RCVTIMEO) socket.receiveTimeoutNs = value;
  else socket.sendTimeoutNs = value;
  return 0;
}

export const socketOptionCalls: readonly SyscallRow[] = [
  {
    name: 'getsockopt',
    args: ['fd', 'int', 'int', 'ptr', 'ptr'],
    run: getsockopt,
    support: 'partial',
    note: 'SOL_SOCKET and IPPROTO_TCP, the usual options',
  },
  {
    name: 'setsockopt',
    args: ['fd', 'int', 'int', 'ptr', 'int'],
    run: setsockopt,
    support: 'partial',
    note: 'SOL_SOCKET and IPPROTO_TCP, the usual options; others ENOPROTOOPT',
  },
];
