import type { Pfn, Vpn } from '../../machine/units.ts';
import { PG_anon, PG_head, PG_hugetlb, PG_ksm, PG_pagecache } from '../phys/page-flags.ts';
import type { Rmap } from './rmap.ts';
import { lastIndexOf, pageAt, type RmapVma } from './rmap-vma.ts';

/**
 * From a frame to the page-table entries that map it (Linux: rmap_walk, mm/rmap.c): an anonymous frame's through its AnonVma, a file
 * frame's through FilePages.i_mmap, a KSM page's through its stable node. R2 says that all are found.
 */

/**
 * Calls `visit` for each VMA that may map the frame, with the page at which it would (rmap_walk); stops and returns false
 * when `visit` does. The entry may be absent or map another frame: look with editor.frameAt. `visit` must not change VMAs.
 */
export function forEachCandidate(rmap: Rmap, frame: Pfn, visit: (vma: RmapVma, page: Vpn) => boolean): boolean {
  const { frames } = rmap;
  if ((frames.flags[frame] & PG_ksm) !== 0) return rmap.ksm?.forEachCandidate(frames.owner[frame], visit) ?? true;
  const index = frames.index[frame];
  return forEachOverlap(rmap, frame, 1, (vma) => visit(vma, pageAt(vma, index)));
}

/** Each VMA that may map some of the `count` pages that the page holds. */
function forEachOverlap(rmap: Rmap, page: Pfn, count: number, visit: (vma: RmapVma) => boolean): boolean {
  const { frames } = rmap;
  const index = frames.index[page];
  const owner = frames.owner[page];
  if ((frames.flags[page] & PG_anon) !== 0) {
    const anonVma = rmap.anonVmas.byId(owner);
    if (anonVma === null) return true;
    return anonVma.tree.forEachOverlap(index, index + count - 1, ({ vma }) => visit(vma));
  }
  if ((frames.flags[page] & PG_pagecache) === 0) return true;
  const file = rmap.files[owner];
  if (file === null || file === undefined) return true;
  return file.i_mmap.forEachOverlap(index, index + count - 1, visit);
}

/**
 * Each entry that maps any part of a compound page, which this is the head of: a huge leaf once, at its first page. Stops and
 * returns false when `visit` does.
 */
function forEachPart(rmap: Rmap, head: Pfn, visit: (vma: RmapVma, page: Vpn) => boolean): boolean {
  const { frames, editor } = rmap;
  let left = frames.largeMapcount[head];
  if (left === 0) return true;
  const count = frames.pagesOf(head);
  const first = frames.index[head];
  return forEachOverlap(rmap, head, count, (vma) => {
    const last = Math.min(first + count - 1, lastIndexOf(vma));
    for (let index = Math.max(first, vma.pgoff); left > 0 && index <= last; ) {
      const page = pageAt(vma, index);
      if (editor.frameAt(vma, page) !== head + (index - first)) {
        index++;
        continue;
      }
      index += editor.isHugeAt(vma, page) ? count : 1;
      left--;
      if (!visit(vma, page)) return false;
    }
    return left > 0;
  });
}

/** Does more than one space map some of the page (folio_maybe_mapped_shared)? */
export function isMappedShared(rmap: Rmap, page: Pfn): boolean {
  const { frames } = rmap;
  const mappings = frames.mappingsOfPage(page);
  if (mappings <= 1 || !frames.isLarge(page)) return mappings > 1;
  const spaces = new Set<unknown>();
  forEachOverlap(rmap, page, frames.pagesOf(page), ({ space }) => spaces.add(space).size < 2);
  if (spaces.size < 2) return false;
  spaces.clear();
  forEachPart(rmap, page, ({ space }) => spaces.add(space).size < 2);
  return spaces.size > 1;
}

/**
 * Calls `visit` for each page-table entry that maps the frame, or any part of the compound page that it is the head of
 * (page_vma_mapped_walk); stops after as many as there are.
 */
export function forEachMapping(rmap: Rmap, frame: Pfn, visit: (vma: RmapVma, page: Vpn) => void): void {
  if ((rmap.frames.flags[frame] & (PG_head | PG_hugetlb)) === PG_head) {
    forEachPart(rmap, frame, (vma, page) => {
      visit(vma, page);
      return true;
    });
    return;
  }
  let left = rmap.frames.mapcount[frame];
  if (left === 0) return;
  const { editor } = rmap;
  forEachCandidate(rmap, frame, (vma, page) => {
    if (editor.frameAt(vma, page) !== frame) return true;
    visit(vma, page);
    return --left > 0;
  });
}
