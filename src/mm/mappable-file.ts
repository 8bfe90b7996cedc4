import type { HugetlbObject } from './hugetlb/hugetlb-object.ts';
import type { FilePages } from './page-cache/file-pages.ts';

/**
 * What memory mapping needs of an open file (Linux: struct file with its f_mapping). fs/file.ts implements it; mm makes one
 * of its own for shared anonymous memory. A VMA holds one reference.
 */
export interface MappableFile {
  readonly readable: boolean;
  readonly writable: boolean;
  /** Inode attribute, not O_APPEND: IS_APPEND. */
  readonly appendOnly?: boolean;
  /** On a noexec mount: path_noexec. */
  readonly noExec: boolean;
  /** 'file' and 'shmem' map `pages`; 'hugetlb' maps `hugetlb` (and is linked in pages.i_mmap); 'zero' is /dev/zero; 'none' cannot be mapped (ENODEV). */
  readonly mapKind: 'file' | 'shmem' | 'hugetlb' | 'zero' | 'none';
  /** The page cache of the inode; null exactly for 'zero' and 'none'. Does not change while the file is mapped. */
  readonly pages: FilePages | null;
  readonly hugetlb?: HugetlbObject;
  readonly devMajor: number;
  readonly devMinor: number;
  readonly ino: number;
  /**
   * Memory that nobody but the program may reach (memfd_secret): mapped shared and locked, and the kernel lends its pages to
   * nobody (vma_is_secretmem).
   */
  readonly isSecret?: boolean;
  /** As /proc/PID/maps shows it, ' (deleted)' included. */
  displayPath(): string;
  retain(): void;
  release(): void;
  /**
   * A shared mapping is about to write pages (page_mkwrite, file_update_time): mtime and ctime. 0 or -ERRNO (then SIGBUS:
   * read-only remount, no space).
   */
  pageMkwrite?(index: number): number;
  /**
   * The end of each VMA must be seen (vm_ops->close): none is merged away (can_merge_remove_vma, 6.18, mm/vma.c).
   */
  readonly keepsVmasApart?: boolean;
  /** msync (vfs_fsync_range): pages [first, end) are safe when it answers 0; or the -ERRNO of a write since this file was opened. */
  syncPages?(first: number, end: number): number;
  /** A fault is about to make a page of shared memory: 0, or -ENOSPC where the file system is full (then SIGBUS). */
  admitPage?(index: number): number;
  /** May a shared mapping that could be written be made or enabled (mapping_map_writable: memfd seals)? 0 or -EPERM. */
  mapWritable?(): number;
  /**
   * Is what it maps still there (f_op->mmap)? 0 or -ERRNO. Only of a file that lives no longer than its mappings: a System V
   * segment that was removed. All others last as long as somebody holds a reference.
   */
  stillMaps?(): number;
}
