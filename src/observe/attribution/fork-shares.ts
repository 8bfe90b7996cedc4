import {
  EV_COW_COPY,
  EV_COW_REUSE,
  EV_EXIT_MMAP,
  EV_MM_FORK,
  EV_PAGE_MOVE,
  EV_PAGE_UNMAP,
  EV_SWAP_UNMAP,
} from '../../base/event-kinds.ts';
import type { EventRecord } from '../../base/events.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { PAGE_SIZE, type Vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { PG_anon, PG_anon_exclusive } from '../../mm/phys/page-flags.ts';
import { VMA_HUGETLB } from '../../mm/vma.ts';
import { ForkShare } from './fork-share.ts';

/** A page of a space that forks have shared: the last of them first. */
interface Link {
  readonly share: ForkShare;
  readonly index: number;
  readonly older: Link | null;
}

/** What a page is copied or reused for, where no fork has shared it. */
export const NO_FORK = -1;

/**
 * Which pages each fork made shared, and what becomes of them: copied by one of the two, taken into use again without a copy, or
 * unmapped. A page is anonymous memory that both map or have in the same slot of swap; pages of files are shared without a fork, too.
 *
 * A copy is put down to the last fork with whose other side the page is still shared; where the children of that one alone have it, to the
 * last fork that shared it. Copies of the zero page, of a file's page and of merged pages have none.
 *
 * Listens from the start of a run; whoever asks of an event subscribes after it.
 */
export class ForkShares {
  readonly forks: ForkShare[] = [];
  /** Of the last faultline:cow_copy: the number of its fork, or NO_FORK. */
  lastCopyFork = NO_FORK;
  private readonly kernel: Kernel;
  /** mm_id -> page -> link. */
  private readonly spaces = new Map<number, Map<number, Link>>();
  /** mm_id -> forks in which it is one of two, both alive. */
  private readonly open = new Map<number, Set<ForkShare>>();
  /** What was unmapped last: a copy may follow at once. */
  private unmapped = { space: 0, page: 0, count: 0, timeNs: 0 };
  /** It leads to swap now: page_unmap follows. */
  private swapped = { space: 0, page: 0 };
  private readonly end: () => void;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    const handlers: [number, (event: EventRecord) => void][] = [
      [EV_MM_FORK, (event) => this.forked(event)],
      [EV_SWAP_UNMAP, ({ values: [space, address] }) => this.swappedOut(space, address / PAGE_SIZE)],
      [EV_PAGE_UNMAP, (event) => this.unmap(event)],
      [EV_COW_COPY, (event) => this.copied(event)],
      [EV_COW_REUSE, (event) => this.reused(event)],
      [EV_PAGE_MOVE, ({ values: [space, from, to, count] }) => this.move(space, from, to, count)],
      [EV_EXIT_MMAP, ({ timeNs, values: [space] }) => this.spaceEnds(space, timeNs)],
    ];
    const endings = handlers.map(([kind, handle]) => kernel.events.subscribe([kind], handle));
    this.end = () => {
      for (const each of endings) each();
    };
  }

  close(): void {
    this.settle();
    this.end();
  }

  private forked({ timeNs, values: [parentId, childId] }: EventRecord): void {
    this.settle();
    const [parent, child] = [this.spaceOf(parentId), this.spaceOf(childId)];
    if (parent === null || child === null) return;
    const pages = this.collectPages(child);
    const share = new ForkShare(this.forks.length, parentId, childId, timeNs, pages.private.length);
    share.otherEntries = pages.others;
    share.swapped = pages.swapped;
    share.tables = child.pgtablesBytes / PAGE_SIZE + 1;
    this.forks.push(share);
    pages.private.forEach((page, index) => {
      for (const space of [parentId, childId]) {
        const links = this.linksOf(space);
        links.set(page, { share, index, older: living(links.get(page)) });
      }
    });
    for (const space of [parentId, childId]) {
      const open = this.open.get(space);
      if (open === undefined) this.open.set(space, new Set([share]));
      else open.add(share);
    }
  }

  /** What fork has copied entries of. */
  private collectPages(child: AddressSpace): { private: number[]; swapped: number; others: number } {
    const { pageTables, frames, zeroPage, thp } = this.kernel.mm;
    const found = { private: [] as number[], swapped: 0, others: 0 };
    for (let vma = child.vmas.first(); vma !== null; vma = child.vmas.next(vma)) {
      if (vma.kind === VMA_HUGETLB) continue;
      let page = vma.startVpn;
      while (pageTables.seek(child, page, vma.endVpn)) {
        const first = pageTables.foundVpn;
        page = (first + pageTables.spanOf(pageTables.foundLevel)) as Vpn;
        const entry = pageTables.read(pageTables.foundSlot);
        const isSwap = pageTables.isSwap(entry);
        if (isSwap) found.swapped++;
        else if (!pageTables.isMapped(entry)) continue;
        else {
          const frame = pageTables.frameOf(entry);
          if (frame === zeroPage || frame === thp.zeroPage || (frames.flags[frames.headOf(frame)] & PG_anon) === 0) {
            found.others += page - first;
            continue;
          }
        }
        for (let each: number = first; each < page; each++) found.private.push(each);
      }
    }
    return found;
  }

  private swappedOut(space: number, page: number): void {
    this.settle();
    this.swapped = { space, page };
    for (const share of this.open.get(space) ?? []) share.wasSwapped = true;
  }

  private unmap({ timeNs, values: [space, address, , count] }: EventRecord): void {
    this.settle();
    const page = address / PAGE_SIZE;
    const isSwapped = this.swapped.space === space && this.swapped.page === page;
    this.swapped.space = 0;
    if (!isSwapped) this.unmapped = { space, page, count, timeNs };
  }

  /** What was unmapped last was no copy. */
  private settle(): void {
    const { space, page, count, timeNs } = this.unmapped;
    if (count === 0) return;
    this.unmapped.count = 0;
    const links = this.spaces.get(space);
    if (links === undefined || links.size === 0) return;
    for (let each = page; each < page + count; each++) this.take(space, each, timeNs);
  }

  private copied({ timeNs, values: [space, address] }: EventRecord): void {
    const page = address / PAGE_SIZE;
    const isShared = this.unmapped.count === 1 && this.unmapped.space === space && this.unmapped.page === page;
    if (isShared) this.unmapped.count = 0;
    else this.settle();
    const share = isShared ? this.take(space, page, timeNs) : null;
    this.lastCopyFork = share?.fork ?? NO_FORK;
    if (share === null) return;
    if (share.parent === space) share.copiedByParent++;
    else share.copiedByChild++;
  }

  private reused({ timeNs, values: [space, address, frame] }: EventRecord): void {
    this.settle();
    const { pageTables, frames, thp } = this.kernel.mm;
    const owner = this.spaces.has(space) ? this.spaceOf(space) : null;
    if (owner === null) return;
    const page = address / PAGE_SIZE;
    pageTables.findEntry(owner, page as Vpn);
    const isHuge = pageTables.foundLevel > 0;
    // Its own all the time: it was write-protected for another reason.
    if ((frames.flags[isHuge ? frames.headOf(frame as never) : frame] & PG_anon_exclusive) !== 0) return;
    const first = isHuge ? page - (page % thp.pages) : page;
    for (let each = first; each < first + (isHuge ? thp.pages : 1); each++) {
      const share = this.take(space, each, timeNs);
      if (share === null) continue;
      if (share.parent === space) share.reusedByParent++;
      else share.reusedByChild++;
    }
  }

  private move(space: number, fromAddress: number, toAddress: number, count: number): void {
    this.settle();
    const links = this.spaces.get(space);
    if (links === undefined) return;
    const [from, to] = [fromAddress / PAGE_SIZE, toAddress / PAGE_SIZE];
    for (let each = 0; each < count; each++) {
      const link = links.get(from + each);
      if (link === undefined) continue;
      links.delete(from + each);
      links.set(to + each, link);
    }
  }

  /** It is still whole. */
  private spaceEnds(space: number, timeNs: number): void {
    this.settle();
    for (const share of this.open.get(space) ?? []) {
      if (share.wasSwapped || share.swapped > 0) this.dropUnmapped(share, timeNs);
      share.endsWith(share.child === space ? 'child' : 'parent', timeNs);
      this.open.get(share.child === space ? share.parent : share.child)?.delete(share);
    }
    this.open.delete(space);
    this.spaces.delete(space);
  }

  /** A slot of swap that is unmapped tells nobody: what has no entry any more is shared no more. */
  private dropUnmapped(share: ForkShare, timeNs: number): void {
    const { pageTables } = this.kernel.mm;
    for (const id of [share.parent, share.child]) {
      const space = this.spaceOf(id);
      for (const [page, newest] of this.spaces.get(id) ?? []) {
        let link: Link | null = newest;
        while (link !== null && link.share !== share) link = link.older;
        if (link === null || space === null) continue;
        const slot = pageTables.findEntry(space, page as Vpn);
        if (slot === -1 || pageTables.read(slot) === 0) share.leave(link.index, timeNs);
      }
    }
  }

  /** The page of the space is its own, or nobody's, from now on. The fork that it was shared for; null: none. */
  private take(space: number, page: number, timeNs: number): ForkShare | null {
    const links = this.spaces.get(space);
    const newest = links?.get(page);
    if (links === undefined || newest === undefined) return null;
    links.delete(page);
    let found: ForkShare | null = null;
    for (let link: Link | null = newest; link !== null; link = link.older) {
      if (!link.share.has(link.index)) continue;
      found ??= link.share;
      link.share.leave(link.index, timeNs);
    }
    return found ?? newest.share;
  }

  private linksOf(space: number): Map<number, Link> {
    let links = this.spaces.get(space);
    if (links === undefined) {
      links = new Map();
      this.spaces.set(space, links);
    }
    return links;
  }

  private spaceOf(id: number): AddressSpace | null {
    for (const space of this.kernel.mm.spaces) if (space.id === id) return space;
    return null;
  }
}

/** The links of a page but for those whose other side has gone; a chain stays as short as there are children that share it. */
function living(link: Link | undefined | null): Link | null {
  let found = link ?? null;
  while (found !== null && !found.share.has(found.index)) found = found.older;
  return found;
}
