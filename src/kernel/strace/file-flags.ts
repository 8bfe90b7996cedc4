import type { FlagTable } from './text.ts';

/** Names of files, sockets and polling for the trace, in strace's order (which is the order of printing). asm-generic values. */
export const ACCESS_MODES = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'] as const;
export const OPEN_FLAGS: FlagTable = [
  [0o100, 'O_CREAT'],
  [0o200, 'O_EXCL'],
  [0o400, 'O_NOCTTY'],
  [0o1000, 'O_TRUNC'],
  [0o2000, 'O_APPEND'],
  [0o4000, 'O_NONBLOCK'],
  [0o4010000, 'O_SYNC'],
  [0o10000, 'O_DSYNC'],
  [0o40000, 'O_DIRECT'],
  [0o100000, 'O_LARGEFILE'],
  [0o400000, 'O_NOFOLLOW'],
  [0o1000000, 'O_NOATIME'],
  [0o2000000, 'O_CLOEXEC'],
  [0o10000000, 'O_PATH'],
  [0o20200000, 'O_TMPFILE'],
  [0o200000, 'O_DIRECTORY'],
];
export const AT_FLAGS: FlagTable = [
  [0x100, 'AT_SYMLINK_NOFOLLOW'],
  [0x200, 'AT_REMOVEDIR'],
  [0x400, 'AT_SYMLINK_FOLLOW'],
  [0x800, 'AT_NO_AUTOMOUNT'],
  [0x1000, 'AT_EMPTY_PATH'],
];
export const STATX_SYNC: FlagTable = [
  [0, 'AT_STATX_SYNC_AS_STAT'],
  [0x2000, 'AT_STATX_FORCE_SYNC'],
  [0x4000, 'AT_STATX_DONT_SYNC'],
];
export const STATX_MASK: FlagTable = [
  [0xfff, 'STATX_ALL'],
  [0x7ff, 'STATX_BASIC_STATS'],
  [1, 'STATX_TYPE'],
  [2, 'STATX_MODE'],
  [4, 'STATX_NLINK'],
  [8, 'STATX_UID'],
  [0x10, 'STATX_GID'],
  [0x20, 'STATX_ATIME'],
  [0x40, 'STATX_MTIME'],
  [0x80, 'STATX_CTIME'],
  [0x100, 'STATX_INO'],
  [0x200, 'STATX_SIZE'],
  [0x400, 'STATX_BLOCKS'],
  [0x800, 'STATX_BTIME'],
  [0x1000, 'STATX_MNT_ID'],
  [0x2000, 'STATX_DIOALIGN'],
];
export const ACCESS_FLAGS: FlagTable = [
  [0, 'F_OK'],
  [4, 'R_OK'],
  [2, 'W_OK'],
  [1, 'X_OK'],
];
export const WHENCE: FlagTable = [
  [0, 'SEEK_SET'],
  [1, 'SEEK_CUR'],
  [2, 'SEEK_END'],
  [3, 'SEEK_DATA'],
  [4, 'SEEK_HOLE'],
];
export const FCNTL: FlagTable = [
  [0, 'F_DUPFD'],
  [1, 'F_GETFD'],
  [2, 'F_SETFD'],
  [3, 'F_GETFL'],
  [4, 'F_SETFL'],
  [5, 'F_GETLK'],
  [6, 'F_SETLK'],
  [7, 'F_SETLKW'],
  [8, 'F_SETOWN'],
  [9, 'F_GETOWN'],
  [10, 'F_SETSIG'],
  [11, 'F_GETSIG'],
  [15, 'F_SETOWN_EX'],
  [16, 'F_GETOWN_EX'],
  [36, 'F_OFD_GETLK'],
  [37, 'F_OFD_SETLK'],
  [38, 'F_OFD_SETLKW'],
  [1024, 'F_SETLEASE'],
  [1025, 'F_GETLEASE'],
  [1026, 'F_NOTIFY'],
  [1030, 'F_DUPFD_CLOEXEC'],
  [1031, 'F_SETPIPE_SZ'],
  [1032, 'F_GETPIPE_SZ'],
  [1033, 'F_ADD_SEALS'],
  [1034, 'F_GET_SEALS'],
];
export const LOCK_TYPES: FlagTable = [
  [0, 'F_RDLCK'],
  [1, 'F_WRLCK'],
  [2, 'F_UNLCK'],
];
export const FLOCK_FLAGS: FlagTable = [
  [1, 'LOCK_SH'],
  [2, 'LOCK_EX'],
  [4, 'LOCK_NB'],
  [8, 'LOCK_UN'],
];
export const POLL_EVENTS: FlagTable = [
  [0x01, 'POLLIN'],
  [0x02, 'POLLPRI'],
  [0x04, 'POLLOUT'],
  [0x40, 'POLLRDNORM'],
  [0x100, 'POLLWRNORM'],
  [0x80, 'POLLRDBAND'],
  [0x200, 'POLLWRBAND'],
  [0x08, 'POLLERR'],
  [0x10, 'POLLHUP'],
  [0x20, 'POLLNVAL'],
  [0x2000, 'POLLRDHUP'],
];
export const EPOLL_EVENTS: FlagTable = [
  [0x01, 'EPOLLIN'],
  [0x02, 'EPOLLPRI'],
  [0x04, 'EPOLLOUT'],
  [0x40, 'EPOLLRDNORM'],
  [0x80, 'EPOLLRDBAND'],
  [0x100, 'EPOLLWRNORM'],
  [0x200, 'EPOLLWRBAND'],
  [0x400, 'EPOLLMSG'],
  [0x08, 'EPOLLERR'],
  [0x10, 'EPOLLHUP'],
  [0x2000, 'EPOLLRDHUP'],
  [0x10000000, 'EPOLLEXCLUSIVE'],
  [0x20000000, 'EPOLLWAKEUP'],
  [0x40000000, 'EPOLLONESHOT'],
  [0x80000000, 'EPOLLET'],
];
export const EPOLL_CTL: FlagTable = [
  [1, 'EPOLL_CTL_ADD'],
  [2, 'EPOLL_CTL_DEL'],
  [3, 'EPOLL_CTL_MOD'],
];
export const EPOLL_CREATE: FlagTable = [[0o2000000, 'EPOLL_CLOEXEC']];
export const EVENTFD_FLAGS: FlagTable = [
  [1, 'EFD_SEMAPHORE'],
  [0o4000, 'EFD_NONBLOCK'],
  [0o2000000, 'EFD_CLOEXEC'],
];
export const RENAME_FLAGS: FlagTable = [
  [1, 'RENAME_NOREPLACE'],
  [2, 'RENAME_EXCHANGE'],
  [4, 'RENAME_WHITEOUT'],
];
export const FALLOCATE_FLAGS: FlagTable = [
  [1, 'FALLOC_FL_KEEP_SIZE'],
  [2, 'FALLOC_FL_PUNCH_HOLE'],
  [8, 'FALLOC_FL_COLLAPSE_RANGE'],
  [0x10, 'FALLOC_FL_ZERO_RANGE'],
];
export const SOCKET_FAMILIES: FlagTable = [
  [0, 'AF_UNSPEC'],
  [1, 'AF_UNIX'],
  [2, 'AF_INET'],
  [10, 'AF_INET6'],
  [16, 'AF_NETLINK'],
  [17, 'AF_PACKET'],
];
export const SOCKET_TYPES: FlagTable = [
  [1, 'SOCK_STREAM'],
  [2, 'SOCK_DGRAM'],
  [3, 'SOCK_RAW'],
  [5, 'SOCK_SEQPACKET'],
];
export const SOCKET_FLAGS: FlagTable = [
  [0o2000000, 'SOCK_CLOEXEC'],
  [0o4000, 'SOCK_NONBLOCK'],
];
export const IOCTLS: FlagTable = [
  [0x5401, 'TCGETS'],
  [0x5402, 'TCSETS'],
  [0x5403, 'TCSETSW'],
  [0x5404, 'TCSETSF'],
  [0x540b, 'TCFLSH'],
  [0x540e, 'TIOCSCTTY'],
  [0x540f, 'TIOCGPGRP'],
  [0x5410, 'TIOCSPGRP'],
  [0x5413, 'TIOCGWINSZ'],
  [0x5414, 'TIOCSWINSZ'],
  [0x541b, 'FIONREAD'],
  [0x5421, 'FIONBIO'],
  [0x5422, 'TIOCNOTTY'],
  [0x5429, 'TIOCGSID'],
  [0x5450, 'FIONCLEX'],
  [0x5451, 'FIOCLEX'],
];
export const ADVICE: FlagTable = [
  [0, 'POSIX_FADV_NORMAL'],
  [1, 'POSIX_FADV_RANDOM'],
  [2, 'POSIX_FADV_SEQUENTIAL'],
  [3, 'POSIX_FADV_WILLNEED'],
  [4, 'POSIX_FADV_DONTNEED'],
  [5, 'POSIX_FADV_NOREUSE'],
];
export const FILE_TYPES: FlagTable = [
  [0o140000, 'S_IFSOCK'],
  [0o120000, 'S_IFLNK'],
  [0o100000, 'S_IFREG'],
  [0o060000, 'S_IFBLK'],
  [0o040000, 'S_IFDIR'],
  [0o020000, 'S_IFCHR'],
  [0o010000, 'S_IFIFO'],
];
export const STATFS_MAGIC: FlagTable = [
  [0x9fa0, 'PROC_SUPER_MAGIC'],
  [0x01021994, 'TMPFS_MAGIC'],
  [0xef53, 'EXT2_SUPER_MAGIC'],
  [0x50495045, 'PIPEFS_MAGIC'],
  [0x1cd1, 'DEVPTS_SUPER_MAGIC'],
  [0x794c7630, 'OVERLAYFS_SUPER_MAGIC'],
  [0x01021997, 'V9FS_MAGIC'],
];
