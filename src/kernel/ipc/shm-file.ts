import { EINVAL } from '../../abi/errno.ts';
import type { HugetlbObject } from '../../mm/hugetlb/hugetlb-object.ts';
import type { MappableFile } from '../../mm/mappable-file.ts';
import type { FilePages } from '../../mm/page-cache/file-pages.ts';
import type { Kernel } from '../kernel.ts';
import { dropIpc, type IpcNamespace } from './namespace.ts';
import { destroySegment, mayDestroy, type ShmSegment } from './shm.ts';

/**
 * What one shmat maps (shm_file_data, shm_vm_ops; 6.18, ipc/shm.c): the segment's memory under the rights that were asked for.
 * Each reference counts as one attachment (H1): the VMAs that fork, a split or mremap make of the first count too, and a VMA
 * that would be merged away keeps apart, since its end must be seen. Each holds the namespace too.
 */
export class ShmFile implements MappableFile {
  readonly readable = true;
  readonly writable: boolean;
  readonly noExec = false;
  readonly mapKind: 'shmem' | 'hugetlb';
  readonly keepsVmasApart = true;
  readonly pages: FilePages;
  readonly hugetlb?: HugetlbObject;
  readonly devMajor: number;
  readonly devMinor: number;
  readonly segment: ShmSegment;
  private readonly k: Kernel;
  private readonly ns: IpcNamespace;

  /** Holds one reference, that of shmat itself, which counts without a time (do_shmat). */
  constructor(k: Kernel, ns: IpcNamespace, segment: ShmSegment, access: 'readonly' | 'readwrite') {
    this.k = k;
    this.ns = ns;
    ns.retain();
    this.segment = segment;
    this.writable = access === 'readwrite';
    this.mapKind = segment.memory.mapKind;
    this.pages = segment.memory.pages;
    if ('hugetlb' in segment.memory) this.hugetlb = segment.memory.hugetlb;
    this.devMajor = segment.memory.devMajor;
    this.devMinor = segment.memory.devMinor;
    segment.nattch++;
  }

  /** The inode's number is the id. */
  get ino(): number {
    return this.segment.perm.id;
  }

  displayPath(): string {
    return `${this.segment.name} (deleted)`;
  }

  /** __shm_open's look at the id. */
  stillMaps(): number {
    return this.ns.shm.ids.find(this.segment.perm.id) === this.segment ? 0 : -EINVAL;
  }

  /** shm_open. */
  retain(): void {
    const { segment, k } = this;
    segment.nattch++;
    this.ns.retain();
    segment.atime = k.realTime().seconds;
    segment.lastPid = k.current?.tgid ?? 0;
  }

  /** shm_close. */
  release(): void {
    const { segment, k } = this;
    segment.lastPid = k.current?.tgid ?? 0;
    segment.dtime = k.realTime().seconds;
    this.dropReference();
  }

  /** The end of shmat: what it held for itself goes, without a time. */
  endAttach(): void {
    this.dropReference();
  }

  private dropReference(): void {
    const { k, ns, segment } = this;
    segment.nattch--;
    if (mayDestroy(ns.shm, segment)) destroySegment(k, ns.shm, segment);
    dropIpc(k, ns);
  }
}
