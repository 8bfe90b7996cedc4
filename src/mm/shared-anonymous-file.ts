import { assert } from '../base/assert.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import type { MappableFile } from './mappable-file.ts';
import type { MemoryManager } from './memory-manager.ts';
import type { FilePages } from './page-cache/file-pages.ts';
import { ShmemObject } from './shmem/shmem.ts';

/**
 * The nameless file behind MAP_SHARED|MAP_ANONYMOUS and a shared mapping of /dev/zero (Linux: shmem_zero_setup): it lives as
 * long as a VMA maps it. Its pages count against the commit limit as a whole, unless MAP_NORESERVE.
 */
export class SharedAnonymousFile implements MappableFile {
  readonly readable = true;
  readonly writable = true;
  readonly noExec = false;
  readonly mapKind = 'shmem';
  readonly pages: FilePages;
  /** Linux's internal shm mount is the first anonymous device: 00:01 in /proc/PID/maps. */
  readonly devMajor = 0;
  readonly devMinor = 1;
  readonly ino: number;
  private readonly mm: MemoryManager;
  private readonly object: ShmemObject;
  private readonly accountedPages: number;
  private references = 1;

  private constructor(mm: MemoryManager, object: ShmemObject, accountedPages: number) {
    this.mm = mm;
    this.object = object;
    this.pages = object.pages;
    this.accountedPages = accountedPages;
    this.ino = mm.takeShmemIno();
  }

  /** One reference, the caller's; null where the commit limit or memory forbids it. */
  static create(mm: MemoryManager, sizePages: number, charge: 'account' | 'noreserve'): SharedAnonymousFile | null {
    const accounted = charge === 'account' ? sizePages : 0;
    if (accounted > 0 && mm.chargeCommit(null, accounted) !== 0) return null;
    mm.shmemCommittedPages += accounted;
    return new SharedAnonymousFile(mm, new ShmemObject(mm.pageCache, sizePages * PAGE_SIZE), accounted);
  }

  displayPath(): string {
    return '/dev/zero (deleted)';
  }

  retain(): void {
    this.references++;
  }

  release(): void {
    assert(this.references > 0, 'mm/shared-anonymous-file.ts: references is not negative');
    if (--this.references > 0) return;
    this.object.destroy();
    this.mm.shmemCommittedPages -= this.accountedPages;
    this.mm.unchargeCommit(this.accountedPages);
  }
}
