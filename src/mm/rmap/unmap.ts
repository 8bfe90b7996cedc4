import type { Pfn } from '../../machine/units.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import type { Rmap } from './rmap.ts';
import { lastIndexOf, pageAt } from './rmap-vma.ts';
import { forEachMapping } from './rmap-walk.ts';

/** What is done to all entries that map a frame, or a part of a file: they go, or lose WRITE and DIRTY (Linux: mm/rmap.c). */

/** Removes all entries that map the frame (try_to_unmap); true if none is left. The caller holds a reference. */
export function tryToUnmap(rmap: Rmap, frame: Pfn): boolean {
  const { editor } = rmap;
  forEachMapping(rmap, frame, (vma, page) => editor.unmapPage(vma, page));
  return rmap.frames.mappingsOfPage(frame) === 0;
}

/** Clears WRITE and DIRTY in all entries of a file frame (folio_mkclean); how many were dirty. */
export function makeClean(rmap: Rmap, frame: Pfn): number {
  const { editorOrNull } = rmap;
  if (editorOrNull === null) return 0;
  let dirty = 0;
  forEachMapping(rmap, frame, (vma, page) => {
    if (editorOrNull.cleanPage(vma, page)) dirty++;
  });
  return dirty;
}

/** Drops the entries of all VMAs for file pages [startIndex, endIndex) (unmap_mapping_pages). */
export function unmapFileRange(
  rmap: Rmap,
  file: FilePages,
  startIndex: number,
  endIndex: number,
  what: 'even_cows' | 'pagecache',
): void {
  if (file.i_mmap.isEmpty || startIndex >= endIndex) return;
  const { editor } = rmap;
  for (const vma of file.i_mmap.collectOverlaps(startIndex, endIndex - 1)) {
    const first = Math.max(startIndex, vma.pgoff);
    const end = Math.min(endIndex, lastIndexOf(vma) + 1);
    editor.zapRange(vma, pageAt(vma, first), pageAt(vma, end), what);
  }
}
