import { EBADF, EFAULT, EINVAL, EOPNOTSUPP, EPERM, ESPIPE } from '../../abi/errno.ts';
import { S_IFIFO } from '../../abi/stat.ts';
import type { File } from '../../fs/file.ts';
import { isOwner, MAY_WRITE, permission } from '../../fs/permission.ts';
import { RegularFile } from '../../fs/regular-file.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { cacheStat, dropRange, readAheadRange } from '../../mm/page-cache/advice.ts';
import type { Task } from '../task.ts';
import { readU64s, writeU64s } from '../user-structs.ts';
import type { SyscallRow, SyscallRun } from './row.ts';
import { fileAt } from './user.ts';

/** What of a file should be in the page cache, and what is (mm/fadvise.c, mm/readahead.c, mm/filemap.c, 6.18). */

const POSIX_FADV_NORMAL = 0;
const POSIX_FADV_RANDOM = 1;
const POSIX_FADV_SEQUENTIAL = 2;
const POSIX_FADV_WILLNEED = 3;
const POSIX_FADV_DONTNEED = 4;
const POSIX_FADV_NOREUSE = 5;

/** generic_fadvise. Where nothing stands behind the pages (noop_backing_dev_info) advice has nothing to act on. */
const fadvise64: SyscallRun = (k, t, fd, offset, length, advice) => {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  if (file.inode.type === S_IFIFO) return -ESPIPE;
  if (length < 0 || advice > POSIX_FADV_NOREUSE) return -EINVAL;
  if (!(file instanceof RegularFile) || file.pages === null || file.pages.backing === null || offset < 0) return 0;
  const end = length === 0 || offset + length < 0 ? Number.MAX_SAFE_INTEGER : offset + length;
  const { pageCache } = k.mm;
  switch (advice) {
    case POSIX_FADV_NORMAL:
      file.readAhead = 'sequential';
      return 0;
    case POSIX_FADV_RANDOM:
      file.readAhead = 'none';
      return 0;
    case POSIX_FADV_SEQUENTIAL:
      file.readAhead = 'double';
      return 0;
    case POSIX_FADV_WILLNEED:
      readAheadRange(pageCache, file.pages, Math.floor(offset / PAGE_SIZE), Math.ceil(end / PAGE_SIZE));
      return 0;
    case POSIX_FADV_DONTNEED:
      dropRange(pageCache, file.pages, offset, end, PAGE_SIZE);
      return 0;
    default:
      return 0;
  }
};

/** ksys_readahead. */
const readahead: SyscallRun = (k, t, fd, offset, count) => {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  if (!file.readable) return -EBADF;
  if (!file.inode.isRegular || count < 0 || count >= 2 ** 63) return -EINVAL;
  const { pages } = file;
  if (pages === null || pages.backing === null || count === 0 || offset < 0) return 0;
  readAheadRange(k.mm.pageCache, pages, Math.floor(offset / PAGE_SIZE), Math.ceil((offset + count) / PAGE_SIZE));
  return 0;
};

/** can_do_cachestat. */
function mayAsk(t: Task, file: File): boolean {
  return file.writable || isOwner(t.cred, file.inode) || permission(t.cred, file.inode, MAY_WRITE) === 0;
}

/** struct cachestat_range: off, len; struct cachestat: cache, dirty, writeback, evicted, recently evicted. */
const cachestat: SyscallRun = (k, t, fd, rangeAddress, address, flags) => {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  const range = readU64s(k, t, rangeAddress, 2);
  if (typeof range === 'number') return -EFAULT;
  if (file.mapKind === 'hugetlb') return -EOPNOTSUPP;
  if (!mayAsk(t, file)) return -EPERM;
  if (flags !== 0) return -EINVAL;
  const [offset, length] = range;
  const first = Math.floor(offset / PAGE_SIZE);
  const end = length === 0 ? Number.MAX_SAFE_INTEGER : Math.floor((offset + length - 1) / PAGE_SIZE) + 1;
  const { pages } = file;
  const none = { cached: 0, dirty: 0, writeback: 0 };
  const stat = pages === null ? none : cacheStat(k.mm.pageCache, pages, first, end);
  return writeU64s(k, t, address, [stat.cached, stat.dirty, stat.writeback, 0, 0]);
};

export const fileAdviceCalls: readonly SyscallRow[] = [
  {
    name: 'fadvise64',
    args: ['fd', 'off', 'off', 'int'],
    run: fadvise64,
    support: 'partial',
    note: 'NOREUSE changes nothing',
  },
  { name: 'readahead', args: ['fd', 'off', 'size'], run: readahead, support: 'full', note: '' },
  {
    name: 'cachestat',
    args: ['uint', 'ptr', 'ptr', 'uint'],
    run: cachestat,
    support: 'partial',
    note: 'evicted pages are not remembered: 0',
  },
];
