import { EBUSY, EINVAL, ENOENT, ENXIO, EPERM } from '../abi/errno.ts';
import { O_RDWR } from '../abi/fcntl.ts';
import { makeDev, S_IFBLK } from '../abi/stat.ts';
import { SWAP_FLAG_PREFER, SWAP_FLAG_PRIO_MASK } from '../abi/swap.ts';
import type { File } from '../fs/file.ts';
import type { FsContext } from '../fs/fs-context.ts';
import type { Inode } from '../fs/inode.ts';
import { resolve } from '../fs/path.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import { swapOff } from '../mm/ops/swapoff.ts';
import type { FilePages, PageBacking } from '../mm/page-cache/file-pages.ts';
import type { SwapArea } from '../mm/swap/area.ts';
import { MAX_SWAP_SLOTS, MAX_SWAPFILES } from '../mm/swap/entry.ts';
import { makeSwapHeader, parseSwapHeader } from '../mm/swap/header.ts';
import { FileStore, MemoryStore, type SwapStore } from '../mm/swap/store.ts';
import { ZramStore } from '../mm/swap/zram/zram-store.ts';
import type { Kernel } from './kernel.ts';

/** zram's number on a machine where it is the first driver to ask for one. */
const ZRAM_MAJOR = 253;

/** What swap lies on, by the area's number: the file that is kept open meanwhile; null for a device. */
export interface SwapUser {
  readonly area: SwapArea;
  readonly inode: Inode;
  readonly file: File | null;
}

/**
 * Swap areas as the kernel names them: by the file or device that they lie on.
 *
 * Invariants: Z1 users has one for each area of mm.swap. Z2 An inode of one has isSwapFile, and a file is open for it.
 */
export class SwapFiles {
  readonly users: SwapUser[] = [];
  /** Swap devices in memory, the host's or the machine's own, by their device number. */
  readonly devices = new Map<number, MemoryStore | ZramStore>();
}

/** Where the pages of a swap device are: in memory of the host, or compressed in frames of the machine. */
export type SwapDeviceKind = 'host-memory' | 'zram';

/** A device /dev/zramN in memory, with mkswap's header on it: its path. -ENOMEM: no frame for that. */
export function addSwapDevice(k: Kernel, sizeBytes: number, kind: SwapDeviceKind): string | number {
  const number = k.swapFiles.devices.size;
  const path = `/dev/zram${number}`;
  const rdev = makeDev(ZRAM_MAJOR, number);
  const context = k.vfs.makeContext();
  const made = k.vfs.mknod(context, null, path, S_IFBLK | 0o660, rdev);
  context.release();
  if (made < 0) return made;
  const wholeBytes = Math.floor(sizeBytes / PAGE_SIZE) * PAGE_SIZE;
  const store = kind === 'zram' ? k.mm.swap.addZram(wholeBytes) : new MemoryStore(wholeBytes);
  const uuid = new Uint8Array(16);
  k.config.rng.fill(uuid);
  k.swapFiles.devices.set(rdev, store);
  const written = store.write(0, makeSwapHeader(store.sizeBytes, uuid));
  return written < 0 ? written : path;
}

/**
 * swapon(2) (6.18, mm/swapfile.c), after the caller's rights: 0; what open for reading and writing answers; -EBUSY: it is swap
 * already; -EINVAL: it cannot be (no store behind it, no header of mkswap, shorter than that says, holes); -EPERM: MAX_SWAPFILES.
 */
export function swapOn(k: Kernel, context: FsContext, path: string, flags: number): number {
  const { swap } = k.mm;
  if (swap.areas.filter((area) => area !== null).length >= MAX_SWAPFILES) return -EPERM;
  const found = resolve(context, null, path, 'follow');
  if (typeof found === 'number') return found;
  if (found.inode.type === S_IFBLK) {
    const store = k.swapFiles.devices.get(found.inode.rdev);
    if (store === undefined) return -ENXIO;
    return enable(k, { inode: found.inode, file: null, store, path: found.displayPath(), flags });
  }
  const file = k.vfs.openPath(found, O_RDWR, context.actor);
  if (typeof file === 'number') return file;
  const result = swapOnFile(k, file, flags);
  if (result < 0) file.release();
  return result;
}

function swapOnFile(k: Kernel, file: File, flags: number): number {
  const { inode, pages } = file;
  if (file.path.isDeleted) return -ENOENT;
  if (inode.isSwapFile) return -EBUSY;
  if (!inode.isRegular || pages === null || pages.backing === null) return -EINVAL;
  const written = settle(k, pages);
  if (written < 0) return written;
  const store = new FileStore(pages.backing as PageBacking);
  return enable(k, { inode, file, store, path: file.displayPath(), flags });
}

/** What was written is in the store, and nothing of it is in the page cache: the area goes past that. */
function settle(k: Kernel, pages: FilePages): number {
  const { pageCache } = k.mm;
  const written = pageCache.writeback(pages);
  if (written < 0) return written;
  pageCache.invalidate(pages);
  return 0;
}

interface Candidate {
  readonly inode: Inode;
  readonly file: File | null;
  readonly store: SwapStore;
  readonly path: string;
  readonly flags: number;
}

function enable(k: Kernel, { inode, file, store, path, flags }: Candidate): number {
  if (inode.isSwapFile) return -EBUSY;
  const kind = file === null ? 'partition' : 'file';
  const page = new Uint8Array(PAGE_SIZE);
  if (store.sizeBytes < PAGE_SIZE || store.read(0, page) < 0) return -EINVAL;
  const header = parseSwapHeader(page, store.sizeBytes, kind, Math.min(MAX_SWAP_SLOTS, k.mm.format.swapOffsets));
  if (typeof header === 'string') {
    k.log(header);
    return -EINVAL;
  }
  if (file !== null && inode.findStored(0, 'hole') < header.slotCount) {
    k.log('swapon: swapfile has holes');
    return -EINVAL;
  }
  const priority = (flags & SWAP_FLAG_PREFER) !== 0 ? flags & SWAP_FLAG_PRIO_MASK : null;
  const area = k.mm.swap.addArea({ path, kind, store, ...header }, priority);
  if (typeof area === 'number') return area;
  inode.isSwapFile = true;
  if (file === null) inode.retain();
  k.swapFiles.users.push({ area, inode, file });
  const kib = area.pageCount * 4;
  k.log(`Adding ${kib}k swap on ${path}.  Priority:${area.priority} extents:1 across:${kib}k SS`);
  return 0;
}

/** swapoff(2), after the caller's rights: what open answers; -EINVAL: no swap lies there; what bringing it all back answers. */
export function swapOffPath(k: Kernel, context: FsContext, path: string): number {
  const found = resolve(context, null, path, 'follow');
  if (typeof found === 'number') return found;
  if (found.inode.type !== S_IFBLK) {
    const opened = k.vfs.openPath(found, O_RDWR, context.actor);
    if (typeof opened === 'number') return opened;
    opened.release();
  }
  const at = k.swapFiles.users.findIndex(({ inode }) => inode === found.inode);
  return at < 0 ? -EINVAL : endSwap(k, at);
}

function endSwap(k: Kernel, at: number): number {
  const { users } = k.swapFiles;
  const { area, inode, file } = users[at];
  const result = swapOff(k.mm, area);
  if (result < 0) return result;
  users.splice(at, 1);
  inode.isSwapFile = false;
  if (file === null) inode.release();
  else file.release();
  return 0;
}

/** The machine ends: nothing more is swapped, and what still is belongs to objects that go without being read. */
export function letGoOfSwap(k: Kernel): void {
  for (const { area, inode, file } of k.swapFiles.users.splice(0)) {
    k.mm.swap.closeArea(area);
    inode.isSwapFile = false;
    if (file === null) inode.release();
    else file.release();
  }
  for (const store of k.swapFiles.devices.values()) if (store instanceof ZramStore) store.reset();
}

/** /proc/swaps (swap_show). */
export function showSwaps(k: Kernel): string {
  const lines = k.swapFiles.users.map(({ area }) => {
    const name = area.path.replace(/[ \t\n\\]/g, (text) => `\\${text.charCodeAt(0).toString(8).padStart(3, '0')}`);
    const number = (pages: number): string => `${pages * 4}${pages * 4 < 10_000_000 ? '\t' : ''}`;
    const gap = ' '.repeat(name.length < 40 ? 40 - name.length : 1);
    const kind = area.kind === 'file' ? 'file\t' : 'partition';
    return `${name}${gap}${kind}\t${number(area.pageCount)}\t${number(area.usedSlots)}\t${area.priority}\n`;
  });
  return `Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n${lines.join('')}`;
}
