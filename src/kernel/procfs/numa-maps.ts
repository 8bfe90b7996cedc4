import { PAGE_SIZE, type Vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { objectOf } from '../../mm/hugetlb/hugetlb-vma.ts';
import type { MemoryManager } from '../../mm/memory-manager.ts';
import { type Mempolicy, policyAt, policyText } from '../../mm/mempolicy.ts';
import { PG_active, PG_anon, PG_dirty, PG_swapcache, PG_unevictable } from '../../mm/phys/page-flags.ts';
import { VMA_HUGETLB, VMA_SPECIAL, type Vma } from '../../mm/vma.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { mangle } from './text.ts';
import { vmaName } from './vma-name.ts';

/** struct numa_maps: pages of a VMA. Huge ones of hugetlbfs count as one. */
interface NumaCounts {
  pages: number;
  anon: number;
  dirty: number;
  swapCached: number;
  active: number;
  mapcountMax: number;
}

/** gather_pte_stats and gather_stats; the kernel's own pages (PageReserved) and the zero page do not count. */
function gather(mm: MemoryManager, vma: Vma): NumaCounts {
  const counts = { pages: 0, anon: 0, dirty: 0, swapCached: 0, active: 0, mapcountMax: 0 };
  if (vma.kind === VMA_SPECIAL) return counts;
  const { pageTables, frames, format } = mm;
  let page: Vpn = vma.startVpn;
  while (pageTables.seek(vma.space, page, vma.endVpn)) {
    const span = pageTables.spanOf(pageTables.foundLevel);
    page = (pageTables.foundVpn + span) as Vpn;
    const entry = pageTables.read(pageTables.foundSlot);
    if (!pageTables.isMapped(entry)) continue;
    const first = pageTables.frameOf(entry);
    const frame = frames.headOf(first);
    if (frame === mm.zeroPage || frame === mm.thp.zeroPage) continue;
    const pages = vma.kind === VMA_HUGETLB ? 1 : span;
    const flags = frames.flags[frame];
    counts.pages += pages;
    if ((entry & format.DIRTY) !== 0 || (flags & PG_dirty) !== 0) counts.dirty += pages;
    if ((flags & PG_swapcache) !== 0) counts.swapCached += pages;
    if ((flags & (PG_active | PG_unevictable)) !== 0) counts.active += pages;
    if ((flags & PG_anon) !== 0) counts.anon += pages;
    counts.mapcountMax = Math.max(counts.mapcountMax, frames.mappingsOf(first));
  }
  return counts;
}

/** What stands behind the policy: the file, or which of the process's own areas it is. */
function placeText(vma: Vma): string {
  if (vma.file !== null) return ` file=${mangle(vma.file.displayPath(), '\n\t= ')}`;
  const name = vmaName(vma);
  return name === '[heap]' ? ' heap' : name === '[stack]' ? ' stack' : '';
}

function numaLine(mm: MemoryManager, vma: Vma, taskPolicy: Mempolicy | null): string {
  const policy = policyAt(vma, vma.startVpn) ?? taskPolicy;
  const isHuge = vma.kind === VMA_HUGETLB;
  const start = (vma.startVpn * PAGE_SIZE).toString(16).padStart(8, '0');
  const head = `${start} ${policyText(policy)}${placeText(vma)}${isHuge ? ' huge' : ''}`;
  const { pages, anon, dirty, swapCached, active, mapcountMax } = gather(mm, vma);
  if (pages === 0) return `${head}\n`;
  const kib = (isHuge ? objectOf(vma).pool.sizeBytes : PAGE_SIZE) / 1024;
  return (
    head +
    (anon > 0 ? ` anon=${anon}` : '') +
    (dirty > 0 ? ` dirty=${dirty}` : '') +
    (pages !== anon && pages !== dirty ? ` mapped=${pages}` : '') +
    (mapcountMax > 1 ? ` mapmax=${mapcountMax}` : '') +
    (swapCached > 0 ? ` swapcache=${swapCached}` : '') +
    (active < pages && !isHuge ? ` active=${active}` : '') +
    ` N0=${pages} kernelpagesize_kB=${kib}\n`
  );
}

/** /proc/PID/numa_maps (show_numa_map, fs/proc/task_mmu.c, 6.18). */
export function showNumaMaps(k: Kernel, t: Task, space: AddressSpace | null): readonly string[] {
  if (space === null || !k.mm.spaces.has(space)) return [];
  const lines: string[] = [];
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma))
    lines.push(numaLine(k.mm, vma, t.mempolicy));
  return lines;
}
