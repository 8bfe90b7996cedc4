import { EINVAL } from '../../abi/errno.ts';
import type { Vpn } from '../../machine/units.ts';
import { PG_referenced } from '../../mm/phys/page-flags.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { parseClearRefs } from './pid-files.ts';

/** /proc/PID/clear_refs (clear_refs_write): pages count as not referenced until they are touched again. */
export function writeClearRefs(k: Kernel, t: Task, text: string): number {
  const which = parseClearRefs(text);
  if (which === null) return -EINVAL;
  const { space } = t;
  if (space === null) return 0;
  const { mm } = k;
  const { pageTables, frames, format } = mm;
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) {
    if ((which === 2 && vma.file !== null) || (which === 3 && vma.file === null)) continue;
    let page: Vpn = vma.startVpn;
    while (pageTables.seek(space, page, vma.endVpn)) {
      page = (pageTables.foundVpn + pageTables.spanOf(pageTables.foundLevel)) as Vpn;
      const slot = pageTables.foundSlot;
      const entry = pageTables.read(slot);
      if (!pageTables.isMapped(entry)) continue;
      const frame = pageTables.frameOf(entry);
      if (frame === mm.zeroPage) continue;
      pageTables.set(slot, (entry & ~format.ACCESSED) >>> 0);
      frames.clear(frame, PG_referenced);
    }
  }
  mm.flushSpace(space);
  return 0;
}
