import { EFAULT } from './abi/errno.ts';
import { endDriven, forkDriven } from './kernel/driven.ts';
import type { Kernel } from './kernel/kernel.ts';
import type { Task } from './kernel/task.ts';
import { vaddr, vpnOf } from './machine/units.ts';
import type { AddressSpace } from './mm/address-space.ts';
import type { MappableFile } from './mm/mappable-file.ts';
import { brk } from './mm/ops/brk.ts';
import { madvise } from './mm/ops/madvise.ts';
import { mincore } from './mm/ops/mincore.ts';
import { type MmapRequest, mmap } from './mm/ops/mmap.ts';
import { mprotect } from './mm/ops/mprotect.ts';
import { mremap } from './mm/ops/mremap.ts';
import { msync } from './mm/ops/msync.ts';
import { munmap } from './mm/ops/munmap.ts';
import { copyFromUser, copyToUser } from './mm/user-access.ts';
import type { Vma } from './mm/vma.ts';
import { type PageView, viewPage } from './observe/page-view.ts';
import { type WalkStep, walkPage } from './observe/page-walk.ts';

/**
 * A process without a program: the caller is its program. Its address space, page tables and faults are those of any other
 * process, and so are the results: a number, or -ERRNO. Addresses are bytes.
 *
 *   const process = system.createProcess();
 *   const at = process.mmap({ address: 0, lengthBytes: 8192, prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE | MAP_ANONYMOUS });
 *   process.store(at, new Uint8Array([1, 2, 3]));
 *   const child = process.fork();
 */
export class DrivenProcess {
  readonly pid: number;
  private readonly kernel: Kernel;
  private readonly task: Task;

  constructor(kernel: Kernel, task: Task) {
    this.kernel = kernel;
    this.task = task;
    this.pid = task.tgid;
  }

  /** The address space itself, for reading: counters, VMAs, limits. */
  get space(): AddressSpace {
    if (this.task.space === null) throw new TypeError(`process ${this.pid} has exited`);
    return this.task.space;
  }

  /** mmap(2); `file` as in MmapRequest (null: anonymous). */
  mmap(
    request: Omit<MmapRequest, 'file' | 'offsetBytes'> & Partial<Pick<MmapRequest, 'file' | 'offsetBytes'>>,
  ): number {
    return this.running(() => mmap(this.kernel.mm, this.space, { file: null, offsetBytes: 0, ...request }));
  }

  munmap(address: number, lengthBytes: number): number {
    return munmap(this.kernel.mm, this.space, address, lengthBytes);
  }

  mprotect(address: number, lengthBytes: number, prot: number): number {
    return mprotect(this.kernel.mm, this.space, address, lengthBytes, prot);
  }

  mremap(oldAddress: number, oldBytes: number, newBytes: number, flags: number, newAddress = 0): number {
    return mremap(this.kernel.mm, this.space, oldAddress, oldBytes, newBytes, flags, newAddress);
  }

  madvise(address: number, lengthBytes: number, advice: number): number {
    return madvise(this.kernel.mm, this.space, address, lengthBytes, advice);
  }

  msync(address: number, lengthBytes: number, flags: number): number {
    return msync(this.kernel.mm, this.space, address, lengthBytes, flags);
  }

  /** One byte a page: bit 0 says resident; or -ERRNO. */
  mincore(address: number, lengthBytes: number): Uint8Array | number {
    const parts: Uint8Array[] = [];
    const result = mincore(this.kernel.mm, this.space, address, lengthBytes, (_, bytes) => {
      parts.push(bytes);
      return 0;
    });
    return result < 0 ? result : Uint8Array.from(parts.flatMap((bytes) => [...bytes]));
  }

  /** The new break, or the old one where it could not be moved, as the system call. */
  brk(address: number): number {
    return brk(this.kernel.mm, this.space, address);
  }

  /** Events of the access carry this process's pid. */
  private running<T>(access: () => T): T {
    const { events } = this.kernel;
    const before = events.currentPid;
    events.currentPid = this.pid;
    const result = access();
    events.currentPid = before;
    return result;
  }

  /** Reads bytes as the process would, with page faults; -EFAULT where it would get SIGSEGV or SIGBUS. */
  load(address: number, lengthBytes: number): Uint8Array | number {
    const bytes = new Uint8Array(lengthBytes);
    const done = this.running(() => copyFromUser(this.kernel.mm, this.space, address, bytes));
    return done === lengthBytes ? bytes : -EFAULT;
  }

  /** Writes bytes as the process would, with page faults: 0, or -EFAULT where it would get a signal (bytes before the bad page are written). */
  store(address: number, bytes: Uint8Array): number {
    const done = this.running(() => copyToUser(this.kernel.mm, this.space, address, bytes));
    return done === bytes.length ? 0 : -EFAULT;
  }

  /** A child with a copy-on-write image of this address space; throws RangeError when the machine is out of memory. */
  fork(): DrivenProcess {
    const child = forkDriven(this.kernel, this.task);
    if (typeof child === 'number') throw new RangeError('fork: the machine is out of memory');
    return new DrivenProcess(this.kernel, child);
  }

  /** The VMAs in the order of addresses. */
  vmas(): Vma[] {
    const list: Vma[] = [];
    const { vmas } = this.space;
    for (let vma = vmas.first(); vma !== null; vma = vmas.next(vma)) list.push(vma);
    return list;
  }

  /** The page-table walk for an address, entry by entry, as the MMU would read it. */
  walk(address: number): WalkStep[] {
    return walkPage(this.kernel.mm, this.space, vpnOf(vaddr(address)));
  }

  /** The page that holds an address: mapping, page of the file, frame, page-table entry. Reads only. */
  page(address: number): PageView {
    return viewPage(this.kernel.mm, this.space, vpnOf(vaddr(address)));
  }

  /** A file of the guest, opened for `mmap` (flags: O_RDONLY ...), or -ERRNO. A mapping holds a reference of its own: release() yours. */
  openFile(path: string, flags: number): MappableFile | number {
    return this.kernel.vfs.open(this.task.fs!, null, path, flags, 0o644);
  }

  /** Ends the process; its memory goes back. */
  exit(): void {
    endDriven(this.kernel, this.task);
  }
}
