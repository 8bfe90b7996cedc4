import type { Pfn, Vpn } from '../machine/units.ts';
import { vaddrOf } from '../machine/units.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import type { MemoryManager } from '../mm/memory-manager.ts';
import { PG_anon, PG_anon_exclusive, PG_dirty, PG_ksm, PG_pagecache, PG_table } from '../mm/phys/page-flags.ts';
import { VM_EXEC, VM_MAYSHARE, VM_READ, VM_WRITE } from '../mm/vm-flags.ts';
import { VMA_ANON, type Vma } from '../mm/vma.ts';
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
    /** The file's path; null for anonymous memory. */
    readonly file: string | null;
  } | null;
  /** The page's number in its file; null where there is no file. */
  readonly filePage: number | null;
  /** The entries that the MMU reads on its way. */
  readonly walk: readonly WalkStep[];
  /** What the memory manager knows of the frame that the entry points to; null where there is none. */
  readonly frame: {
    readonly pfn: Pfn;
    readonly refcount: number;
    /** Page-table entries that map it; the zero page's are not counted. */
    readonly mapcount: number;
    /** 'zero', 'anon', 'exclusive', 'ksm', 'pagecache', 'dirty', 'table' */
    readonly states: readonly string[];
  } | null;
}

const STATES = [
  ['anon', PG_anon],
  ['exclusive', PG_anon_exclusive],
  ['ksm', PG_ksm],
  ['pagecache', PG_pagecache],
  ['dirty', PG_dirty],
  ['table', PG_table],
] as const;

export function viewPage(mm: MemoryManager, space: AddressSpace, page: Vpn): PageView {
  const found = space.vmas.find(page);
  const vma = found !== null && found.startVpn <= page ? found : null;
  const walk = walkPage(mm, space, page);
  const last = walk.at(-1);
  return {
    vma:
      vma === null
        ? null
        : {
            start: vaddrOf(vma.startVpn),
            end: vaddrOf(vma.endVpn),
            rights: rightsOf(vma),
            file: vma.file?.displayPath() ?? null,
          },
    filePage: vma === null || vma.kind === VMA_ANON ? null : vma.pgoff + (page - vma.startVpn),
    walk,
    frame: last?.leaf === true ? frameView(mm, last.frame as Pfn) : null,
  };
}

function frameView(mm: MemoryManager, pfn: Pfn): PageView['frame'] {
  const { refcount, flags } = mm.frames;
  const head = mm.frames.headOf(pfn);
  const all = flags[head] | flags[pfn];
  const states: string[] = STATES.filter(([, flag]) => (all & flag) !== 0).map(([name]) => name);
  if (pfn === mm.zeroPage) states.unshift('zero');
  return { pfn, refcount: refcount[head], mapcount: mm.frames.mappingsOf(pfn), states };
}

/** As /proc/PID/maps has them: rw-p. */
export function rightsOf(vma: Vma): string {
  const { flags } = vma;
  const letters = [flags & VM_READ ? 'r' : '-', flags & VM_WRITE ? 'w' : '-', flags & VM_EXEC ? 'x' : '-'];
  return `${letters.join('')}${flags & VM_MAYSHARE ? 's' : 'p'}`;
}

/**
 * One line: `VMA rw-p memory -> frame 312 (refcount 2, mapcount 2, anon) -> PTE R-- A-`. In the entry: R W X rights as the hardware
 * has them, A accessed, D dirty; `PTE -` is an entry that is not there.
 */
export function formatPage(view: PageView): string {
  const { vma, filePage, frame, walk } = view;
  if (vma === null) return 'no VMA';
  const parts = [`VMA ${vma.rights} ${vma.file ?? 'memory'}`];
  if (filePage !== null) parts.push(`file page ${filePage}`);
  const entry = walk.at(-1);
  if (frame === null || entry === undefined) return [...parts, 'no frame', 'PTE -'].join(' -> ');
  parts.push(
    `frame ${frame.pfn} (refcount ${frame.refcount}, mapcount ${frame.mapcount}${frame.states.map((name) => `, ${name}`).join('')})`,
  );
  const has = (name: string, letter: string) => (entry.flags.includes(name) ? letter : '-');
  parts.push(
    `PTE ${has('READ', 'R')}${has('WRITE', 'W')}${has('EXEC', 'X')} ${has('ACCESSED', 'A')}${has('DIRTY', 'D')}`,
  );
  return parts.join(' -> ');
}
