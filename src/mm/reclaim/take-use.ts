import type { Pfn } from '../../machine/units.ts';
import type { ReclaimablePages } from './policy.ts';

/** Was the page used since this was last asked, through a mapping or by read(2) and write(2)? */
export function takeUse(pages: ReclaimablePages, page: Pfn): boolean {
  const wasMarked = pages.takeReferenced(page);
  return pages.takeReferences(page).count > 0 || wasMarked;
}
