import { EINVAL } from '../../abi/errno.ts';
import type { Vpn } from '../../machine/units.ts';
import { PG_referenced } from '../../mm/phys/page-flags.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { parseClearRefs } from './pid-files.ts';

/** Accepted by a kernel without CONFIG_MEM_SOFT_DIRTY, where no page ever is. */
const SOFT_DIRTY = 4;
const MM_HIWATER_RSS = 5;

/**
 * /proc/PID/clear_refs (clear_refs_write, 6.18): with 1 (all), 2 (anonymous) or 3 (mapped) pages count as not referenced until
 * they are touched again; 5 forgets the peak of resident memory.
 */
export function writeClearRefs(k: Kernel, t: Task, text: string): number {
  const which = parseClearRefs(text);
  if (which === null) return -EINVAL;
  const { space } = t;
  if (space === null || which === SOFT_DIRTY) return 0;
  const { mm } = k;
  if (which === MM_HIWATER_RSS) {
    space.hiwaterRss = space.rssPages;
    return 0;
  }
  const { pageTables, frames, format } = mm;
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) {
    if ((which === 2 && vma.file !== null) || (which === 3 && vma.file === null)) continue;
    let page: Vpn = vma.startVpn;
    while (pageTables.seek(space, page, vma.endVpn)) {
      page = (pageTables.foundVpn + pageTables.spanOf(pageTables.foundLevel)) as Vpn;
      const slot = pageTables.foundSlot;
      const entry = pageTables.read(slot);
      if (!pageTables.isMapped(entry)) continue;
      const frame = frames.headOf(pageTables.frameOf(entry));
      if (frame === mm.zeroPage) continue;
      pageTables.set(slot, (entry & ~format.ACCESSED) >>> 0);
      frames.clear(frame, PG_referenced);
    }
  }
  mm.flushSpace(space);
  return 0;
}
