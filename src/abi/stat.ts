/** Numbers of <sys/stat.h> and <dirent.h> (include/uapi/linux/stat.h), and how a dev_t is put together. */
export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_ISVTX = 0o1000;
export const S_IXGRP = 0o010;
export const S_IXUGO = 0o111;
export const S_IALLUGO = 0o7777;

export const DT_UNKNOWN = 0;
export const DT_FIFO = 1;
export const DT_CHR = 2;
export const DT_DIR = 4;
export const DT_BLK = 6;
export const DT_REG = 8;
export const DT_LNK = 10;
export const DT_SOCK = 12;

export const UTIME_NOW = 0x3fffffff;
export const UTIME_OMIT = 0x3ffffffe;

export const STATX_BASIC_STATS = 0x7ff;
export const STATX_BTIME = 0x800;
export const STATX_MNT_ID = 0x1000;

/** dev_t as user space sees it: new_encode_dev (include/linux/kdev_t.h). */
export const makeDev = (major: number, minor: number): number =>
  ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
export const majorOf = (dev: number): number => (dev & 0xfff00) >>> 8;
export const minorOf = (dev: number): number => ((dev & 0xff) | ((dev >>> 12) & 0xfff00)) >>> 0;
