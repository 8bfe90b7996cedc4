import type { Pfn, Vpn } from '../machine/units.ts';
import { vaddrOf } from '../machine/units.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import type { MemoryManager } from '../mm/memory-manager.ts';
import { MARKER_GUARD, MARKER_POISONED, MARKER_UFFD_WP } from '../mm/page-table-entry.ts';
import {
  PG_anon,
  PG_anon_exclusive,
  PG_dirty,
  PG_hugetlb,
  PG_ksm,
  PG_pagecache,
  PG_table,
} from '../mm/phys/page-flags.ts';
import { swapOffsetOf, swapTypeOf } from '../mm/swap/entry.ts';
import { VM_EXEC, VM_MAYSHARE, VM_READ, VM_WRITE } from '../mm/vm-flags.ts';
import { type WalkStep, walkPage } from './page-walk.ts';

/** One page of an address space, from the mapping down to the page-table entry. Everything is read, nothing changed. */
export interface PageView {
  /** The mapping that holds the page, or null. */
  readonly vma: {
    readonly start: number;
    /** First address behind it. */
    readonly end: number;
    /** As in /proc/PID/maps: 'rw-p'. */
    readonly rights: string;
    /** The file's path; '[vdso]' and the like of pages of the kernel's; null for anonymous memory. */
    readonly file: string | null;
  } | null;
  /** The page's number in its file; null where there is no file. */
  readonly filePage: number | null;
  /** The entries that the MMU reads on its way. None for a page that no program can have: the tables have no place for it. */
  readonly walk: readonly WalkStep[];
  /** What the memory manager knows of the page's frame, also where no access may reach it (PROT_NONE); null where there is none. */
  readonly frame: {
    readonly pfn: Pfn;
    /** Of the huge page that the frame is a part of, where it is one, as is the flags'. */
    readonly refcount: number;
    /** Page-table entries that map it; the zero page's are not counted. */
    readonly mapcount: number;
    /** 'zero', 'anon', 'exclusive', 'ksm', 'pagecache', 'dirty', 'table', 'hugetlb' */
    readonly states: readonly string[];
    /** The huge page that it is a part of: its first frame, and how many it has. */
    readonly part: { readonly head: number; readonly pages: number } | null;
  } | null;
  /** Where the page is while it is in swap and the entry leads there. */
  readonly swap: { readonly area: number; readonly slot: number } | null;
  /** What the entry says of a page that is not there: 'guard', 'poisoned', 'uffd-wp'. */
  readonly markers: readonly string[];
}

const STATES = [
  ['anon', PG_anon],
  ['exclusive', PG_anon_exclusive],
  ['ksm', PG_ksm],
  ['pagecache', PG_pagecache],
  ['dirty', PG_dirty],
  ['table', PG_table],
  ['hugetlb', PG_hugetlb],
] as const;

const MARKERS = [
  ['uffd-wp', MARKER_UFFD_WP],
  ['poisoned', MARKER_POISONED],
  ['guard', MARKER_GUARD],
] as const;

/** Linux's names of entries by their level. */
const ENTRY_NAMES = ['PTE', 'PMD', 'PUD', 'P4D', 'PGD'];

export function viewPage(mm: MemoryManager, space: AddressSpace, page: Vpn): PageView {
  const { pageTables } = mm;
  const found = page < space.taskSize ? space.vmas.find(page) : null;
  const vma = found !== null && found.startVpn <= page ? found : null;
  const walk = walkPage(mm, space, page);
  const entry = walk.at(-1)?.entry ?? 0;
  const isMapped = walk.at(-1)?.leaf === true || (entry !== 0 && pageTables.isMapped(entry));
  const swap = pageTables.isSwap(entry) ? pageTables.swapOf(entry) : null;
  const bits = pageTables.markerOf(entry);
  return {
    vma:
      vma === null
        ? null
        : {
            start: vaddrOf(vma.startVpn),
            end: vaddrOf(vma.endVpn),
            rights: rightsOf(vma),
            file: vma.file?.displayPath() ?? vma.special?.name ?? null,
          },
    filePage: vma === null || !vma.isFileBacked ? null : vma.pgoff + (page - vma.startVpn),
    walk,
    frame: isMapped ? frameView(mm, pageTables.frameWithin(entry, walk.at(-1)?.level ?? 0, page)) : null,
    swap: swap === null ? null : { area: swapTypeOf(swap), slot: swapOffsetOf(swap) },
    markers: MARKERS.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name),
  };
}

function frameView(mm: MemoryManager, pfn: Pfn): PageView['frame'] {
  const { frames } = mm;
  const { refcount, flags } = frames;
  const head = frames.headOf(pfn);
  const all = flags[head] | flags[pfn];
  const states: string[] = STATES.filter(([, flag]) => (all & flag) !== 0).map(([name]) => name);
  if (pfn === mm.zeroPage || head === mm.thp.zeroPage) states.unshift('zero');
  const pages = frames.pagesOf(head);
  const part = pages > 1 ? { head, pages } : null;
  return { pfn, refcount: refcount[head], mapcount: frames.mappingsOf(pfn), states, part };
}

/** As /proc/PID/maps has them: rw-p. */
export function rightsOf({ flags }: { readonly flags: number }): string {
  const letters = [flags & VM_READ ? 'r' : '-', flags & VM_WRITE ? 'w' : '-', flags & VM_EXEC ? 'x' : '-'];
  return `${letters.join('')}${flags & VM_MAYSHARE ? 's' : 'p'}`;
}

/**
 * One line: `VMA rw-p memory -> frame 312 (refcount 2, mapcount 2, anon) -> PTE R-- A-`. In the entry: R W X rights as the hardware
 * has them, A accessed, D dirty; `PTE -` is an entry that is not there, `PMD` the entry of a huge page. docs/page-fault.md reads it.
 */
export function formatPage(view: PageView): string {
  const { vma, filePage, frame, walk, swap, markers } = view;
  if (vma === null) return 'no VMA';
  const parts = [`VMA ${vma.rights} ${vma.file ?? 'memory'}`];
  if (filePage !== null) parts.push(`file page ${filePage}`);
  const entry = walk.at(-1);
  if (swap !== null) return [...parts, `slot ${swap.slot} of swap area ${swap.area}`, 'PTE swap'].join(' -> ');
  if (frame === null || entry === undefined)
    return [...parts, 'no frame', `PTE ${markers.length === 0 ? '-' : markers.join(' ')}`].join(' -> ');
  parts.push(`frame ${frame.pfn} (${frameFacts(frame).join(', ')})`);
  const has = (name: string, letter: string) => (entry.flags.includes(name) ? letter : '-');
  const rights = entry.present ? `${has('READ', 'R')}${has('WRITE', 'W')}${has('EXEC', 'X')}` : '---';
  parts.push(`${ENTRY_NAMES[entry.level]} ${rights} ${has('ACCESSED', 'A')}${has('DIRTY', 'D')}`);
  return parts.join(' -> ');
}

function frameFacts({ refcount, mapcount, states, part }: NonNullable<PageView['frame']>): string[] {
  const huge = part === null ? [] : [`of the ${part.pages} from ${part.head} on`];
  return [...huge, `refcount ${refcount}`, `mapcount ${mapcount}`, ...states];
}
