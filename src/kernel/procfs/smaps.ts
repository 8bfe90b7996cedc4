import { PAGE_SIZE, type Pfn, type Vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { objectOf } from '../../mm/hugetlb/hugetlb-vma.ts';
import type { MemoryManager } from '../../mm/memory-manager.ts';
import type { FrameTable } from '../../mm/phys/frame-table.ts';
import { PG_anon, PG_dirty, PG_ksm, PG_referenced, PG_swapbacked } from '../../mm/phys/page-flags.ts';
import { VM_LOCKED, VM_SHARED, VM_WRITE } from '../../mm/vm-flags.ts';
import { VMA_HUGETLB, VMA_SHMEM, type Vma } from '../../mm/vma.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { mapsLine } from './maps.ts';
import { vmFlagsText } from './vm-flag-names.ts';

/** PSS_SHIFT: shares are counted in 1/4096 of a byte. */
export const PSS_UNIT = 4096;

/** struct mem_size_stats: bytes, pss in PSS_UNITs. */
export interface MemSizes {
  rss: number;
  pss: number;
  pssDirty: number;
  pssAnon: number;
  pssFile: number;
  pssShmem: number;
  pssLocked: number;
  sharedClean: number;
  sharedDirty: number;
  privateClean: number;
  privateDirty: number;
  referenced: number;
  anonymous: number;
  ksm: number;
  lazyFree: number;
  anonHuge: number;
  shmemPmdMapped: number;
  sharedHugetlb: number;
  privateHugetlb: number;
  swap: number;
  swapPss: number;
}

function noSizes(): MemSizes {
  return {
    rss: 0,
    pss: 0,
    pssDirty: 0,
    pssAnon: 0,
    pssFile: 0,
    pssShmem: 0,
    pssLocked: 0,
    sharedClean: 0,
    sharedDirty: 0,
    privateClean: 0,
    privateDirty: 0,
    referenced: 0,
    anonymous: 0,
    ksm: 0,
    lazyFree: 0,
    anonHuge: 0,
    shmemPmdMapped: 0,
    sharedHugetlb: 0,
    privateHugetlb: 0,
    swap: 0,
    swapPss: 0,
  };
}

/** smap_gather_stats: what the VMA's page-table entries map. The zero page belongs to nobody. */
function gather(mm: MemoryManager, vma: Vma, sizes: MemSizes): void {
  const { pageTables, frames, format } = mm;
  if (vma.kind === VMA_SHMEM) sizes.swap += swappedPages(mm, vma) * PAGE_SIZE;
  let page: Vpn = vma.startVpn;
  while (pageTables.seek(vma.space, page, vma.endVpn)) {
    const bytes = pageTables.spanOf(pageTables.foundLevel) * PAGE_SIZE;
    page = (pageTables.foundVpn + bytes / PAGE_SIZE) as Vpn;
    const entry = pageTables.read(pageTables.foundSlot);
    if (pageTables.isSwap(entry)) {
      sizes.swap += PAGE_SIZE;
      sizes.swapPss += Math.floor((PAGE_SIZE * PSS_UNIT) / mm.swap.countOf(pageTables.swapOf(entry)));
    }
    if (!pageTables.isMapped(entry)) continue;
    const frame = pageTables.frameOf(entry);
    if (vma.kind === VMA_HUGETLB) {
      if (frames.mapcount[frame] >= 2) sizes.sharedHugetlb += bytes;
      else sizes.privateHugetlb += bytes;
      continue;
    }
    if (frame === mm.zeroPage || frame === mm.thp.zeroPage) continue;
    const flags = frames.flags[frames.headOf(frame)];
    const isDirty = (entry & format.DIRTY) !== 0 || (flags & PG_dirty) !== 0;
    const { pss, sharedBytes } = shareOf(frames, frame, bytes / PAGE_SIZE);
    sizes.rss += bytes;
    if ((flags & PG_ksm) !== 0) sizes.ksm += PAGE_SIZE;
    sizes.pss += pss;
    if (isDirty) sizes.pssDirty += pss;
    if ((flags & PG_anon) !== 0) {
      if (bytes > PAGE_SIZE) sizes.anonHuge += bytes;
      sizes.anonymous += bytes;
      if ((flags & PG_swapbacked) === 0 && !isDirty) sizes.lazyFree += bytes;
      sizes.pssAnon += pss;
    } else if ((flags & PG_swapbacked) !== 0) {
      if (bytes > PAGE_SIZE) sizes.shmemPmdMapped += bytes;
      sizes.pssShmem += pss;
    } else sizes.pssFile += pss;
    if ((vma.flags & VM_LOCKED) !== 0) sizes.pssLocked += pss;
    if ((entry & format.ACCESSED) !== 0 || (flags & PG_referenced) !== 0) sizes.referenced += bytes;
    if (isDirty) {
      sizes.sharedDirty += sharedBytes;
      sizes.privateDirty += bytes - sharedBytes;
    } else {
      sizes.sharedClean += sharedBytes;
      sizes.privateClean += bytes - sharedBytes;
    }
  }
}

/** What an entry's share of the frames is that it maps, each counted on its own (smaps_account), and how much of them others map too. */
function shareOf(frames: FrameTable, first: Pfn, count: number): { pss: number; sharedBytes: number } {
  let pss = 0;
  let sharedBytes = 0;
  for (let frame = first; frame < first + count; frame = (frame + 1) as Pfn) {
    const mappings = frames.mappingsOf(frame);
    pss += Math.floor((PAGE_SIZE * PSS_UNIT) / Math.max(1, mappings));
    if (mappings >= 2) sharedBytes += PAGE_SIZE;
  }
  return { pss, sharedBytes };
}

/** The sums of all VMAs. */
export function sizesOfSpace(mm: MemoryManager, space: AddressSpace): MemSizes {
  const sizes = noSizes();
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) gather(mm, vma, sizes);
  return sizes;
}

/**
 * Pages of shmem in swap that the VMA would map (smap_gather_stats): all of its range, but in a private writable mapping those
 * whose place holds something else already.
 */
function swappedPages(mm: MemoryManager, vma: Vma): number {
  const { pageTables } = mm;
  const isCopied = (vma.flags & (VM_SHARED | VM_WRITE)) === VM_WRITE;
  let count = 0;
  for (const index of vma.pages?.swapped.keys() ?? []) {
    const page = vma.startVpn + (index - vma.pgoff);
    if (page < vma.startVpn || page >= vma.endVpn) continue;
    const slot = isCopied ? pageTables.findLeaf(vma.space, page as Vpn) : -1;
    if (slot === -1 || pageTables.read(slot) === 0) count++;
  }
  return count;
}

/** vma_kernel_pagesize. */
function pageBytesOf(vma: Vma): number {
  return vma.kind === VMA_HUGETLB ? objectOf(vma).pool.sizeBytes : PAGE_SIZE;
}

function line(name: string, bytes: number): string {
  return `${`${name}:`.padEnd(16)}${String(Math.floor(bytes / 1024)).padStart(8)} kB\n`;
}

/** __show_smap; only shared memory has huge pages of files, so FilePmdMapped is truly 0. */
function sizeLines(sizes: MemSizes, what: 'vma' | 'rollup'): string {
  const kib = (pss: number): number => pss / PSS_UNIT;
  const perKind =
    what === 'rollup'
      ? line('Pss_Anon', kib(sizes.pssAnon)) +
        line('Pss_File', kib(sizes.pssFile)) +
        line('Pss_Shmem', kib(sizes.pssShmem))
      : '';
  return (
    line('Rss', sizes.rss) +
    line('Pss', kib(sizes.pss)) +
    line('Pss_Dirty', kib(sizes.pssDirty)) +
    perKind +
    line('Shared_Clean', sizes.sharedClean) +
    line('Shared_Dirty', sizes.sharedDirty) +
    line('Private_Clean', sizes.privateClean) +
    line('Private_Dirty', sizes.privateDirty) +
    line('Referenced', sizes.referenced) +
    line('Anonymous', sizes.anonymous) +
    line('KSM', sizes.ksm) +
    line('LazyFree', sizes.lazyFree) +
    line('AnonHugePages', sizes.anonHuge) +
    line('ShmemPmdMapped', sizes.shmemPmdMapped) +
    line('FilePmdMapped', 0) +
    line('Shared_Hugetlb', sizes.sharedHugetlb) +
    line('Private_Hugetlb', sizes.privateHugetlb) +
    line('Swap', sizes.swap) +
    line('SwapPss', kib(sizes.swapPss)) +
    line('Locked', kib(sizes.pssLocked))
  );
}

/** /proc/PID/smaps: one record a VMA (show_smap). */
export function showSmaps(k: Kernel, _t: Task, space: AddressSpace | null): readonly string[] {
  if (space === null || !k.mm.spaces.has(space)) return [];
  const records: string[] = [];
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) {
    const sizes = noSizes();
    gather(k.mm, vma, sizes);
    records.push(
      `${mapsLine(vma, k.arch.wordBytes)}\n` +
        line('Size', vma.sizePages * PAGE_SIZE) +
        line('KernelPageSize', pageBytesOf(vma)) +
        line('MMUPageSize', pageBytesOf(vma)) +
        sizeLines(sizes, 'vma') +
        `THPeligible:    ${(k.mm.thp.isEligible(vma) ? '1' : '0').padStart(8)}\n` +
        `VmFlags: ${vmFlagsText(vma.flags)}\n`,
    );
  }
  return records;
}

/** /proc/PID/smaps_rollup: the sums of all VMAs (show_smaps_rollup). */
export function showSmapsRollup(k: Kernel, _t: Task, space: AddressSpace | null): string {
  if (space === null || !k.mm.spaces.has(space)) return '';
  const sizes = sizesOfSpace(k.mm, space);
  const start = space.vmas.first()?.startVpn ?? 0;
  let end = 0;
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) end = vma.endVpn;
  const hex = (page: number): string => (page * PAGE_SIZE).toString(16).padStart(8, '0');
  const head = `${hex(start)}-${hex(end)} ---p 00000000 00:00 0 `;
  return `${head.padEnd(25 + k.arch.wordBytes * 6 - 1)} [rollup]\n${sizeLines(sizes, 'rollup')}`;
}
