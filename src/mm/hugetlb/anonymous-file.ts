import { assert } from '../../base/assert.ts';
import type { MappableFile } from '../mappable-file.ts';
import type { MemoryManager } from '../memory-manager.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import type { HugePool } from './huge-pool.ts';
import { HugetlbObject, type ReserveTime } from './hugetlb-object.ts';

/** The nameless file behind MAP_ANONYMOUS|MAP_HUGETLB and SHM_HUGETLB (hugetlb_file_setup): it lives as long as somebody holds it. */
export class HugetlbAnonymousFile implements MappableFile {
  readonly readable = true;
  readonly writable = true;
  readonly noExec = false;
  readonly mapKind = 'hugetlb';
  readonly pages: FilePages;
  readonly hugetlb: HugetlbObject;
  readonly devMajor = 0;
  /** The kernel's own hugetlbfs mount, made behind that of shmem. */
  readonly devMinor = 2;
  readonly ino: number;
  private readonly mm: MemoryManager;
  private references = 1;

  /** One reference, the caller's. */
  constructor(mm: MemoryManager, pool: HugePool, sizeBytes: number, reserves: ReserveTime) {
    this.mm = mm;
    this.pages = mm.pageCache.createFile(null);
    this.pages.sizeBytes = sizeBytes;
    this.hugetlb = new HugetlbObject(mm, pool, null, this.pages, reserves);
    this.ino = mm.takeShmemIno();
  }

  displayPath(): string {
    return '/anon_hugepage (deleted)';
  }

  retain(): void {
    this.references++;
  }

  release(): void {
    assert(this.references > 0, 'mm/hugetlb/anonymous-file.ts: references is not negative');
    if (--this.references > 0) return;
    this.hugetlb.destroy();
    this.mm.pageCache.evict(this.pages);
  }
}
