import { EAFNOSUPPORT, EINVAL, ENOMEM, ENXIO, EOPNOTSUPP, EPROTONOSUPPORT, ESOCKTNOSUPPORT } from '../abi/errno.ts';
import { O_CLOEXEC, O_NONBLOCK, O_RDWR } from '../abi/fcntl.ts';
import {
  AF_INET,
  AF_MAX,
  AF_UNIX,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
} from '../abi/socket.ts';
import { S_IFSOCK } from '../abi/stat.ts';
import { makeAnonPath } from './anon-fs.ts';
import { takeFilpSlot } from './file.ts';
import type { FsCore } from './fs-core.ts';
import { Inode } from './inode.ts';
import { type SocketFamily, SocketFile, type SocketType } from './socket.ts';

/** socket(2) and socketpair(2): each socket is a description on an inode of sockfs. */

export class SocketInode extends Inode {
  open(): number {
    return -ENXIO;
  }
}

function typeOf(type: number): SocketType | number {
  switch (type & 0xf) {
    case SOCK_STREAM:
      return 'stream';
    case SOCK_DGRAM:
      return 'dgram';
    case SOCK_SEQPACKET:
      return 'seqpacket';
    default:
      return -ESOCKTNOSUPPORT;
  }
}

/** socketpair: both ends, or -EAFNOSUPPORT, -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -ENOMEM. `type` may hold O_NONBLOCK. */
export function makeSocketPair(
  core: FsCore,
  domain: number,
  type: number,
  protocol: number,
): [SocketFile, SocketFile] | number {
  if (domain !== AF_UNIX) return domain < 0 || domain >= AF_MAX ? -EAFNOSUPPORT : -EOPNOTSUPP;
  const first = makeSocket(core, domain, type, protocol);
  if (typeof first === 'number') return first;
  const second = makeSocket(core, domain, type, protocol);
  if (typeof second === 'number') {
    first.release();
    return second;
  }
  if (first.type === 'dgram') {
    first.connectDatagrams(second);
    second.connectDatagrams(first);
  } else SocketFile.join(first, second);
  return [first, second];
}

/** socket(2): of AF_UNIX, or TCP or UDP of AF_INET. The families that are not here are -EAFNOSUPPORT, as in a kernel without. */
export function makeSocket(core: FsCore, domain: number, type: number, protocol: number): SocketFile | number {
  if ((type & ~(0xf | O_NONBLOCK | O_CLOEXEC)) !== 0) return -EINVAL;
  if (domain === AF_UNIX) {
    if (protocol !== 0 && protocol !== AF_UNIX) return -EPROTONOSUPPORT;
    // unix_create: BSD programs ask for SOCK_RAW and mean datagrams.
    const socketType = (type & 0xf) === SOCK_RAW ? 'dgram' : typeOf(type);
    return typeof socketType === 'number' ? socketType : newSocket(core, 'unix', socketType, type & O_NONBLOCK);
  }
  if (domain !== AF_INET) return -EAFNOSUPPORT;
  const socketType = typeOf(type);
  if (socketType !== 'stream' && socketType !== 'dgram') return -ESOCKTNOSUPPORT;
  if (protocol !== 0 && protocol !== (socketType === 'stream' ? IPPROTO_TCP : IPPROTO_UDP)) return -EPROTONOSUPPORT;
  return newSocket(core, 'inet', socketType, type & O_NONBLOCK);
}

export function newSocket(core: FsCore, family: SocketFamily, type: SocketType, status: number): SocketFile | number {
  const path = makeAnonPath(core, 'sockfs', 'socket:[%]', (superblock) => {
    const slots = core.mm.slab.cacheNamed('sock_inode_cache');
    const slot = slots.alloc();
    return slot === 0 ? -ENOMEM : new SocketInode(superblock, slots, slot, core.takeIno(), S_IFSOCK | 0o777);
  });
  if (typeof path === 'number') return path;
  const slot = takeFilpSlot(core);
  return slot === 0 ? -ENOMEM : new SocketFile(path, O_RDWR | status, slot, family, type);
}
