import { EV_EXIT_MMAP } from '../../base/event-kinds.ts';
import { vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { removePreparedRange } from './munmap.ts';

/** exit_mmap and mmdrop: every mapping, frame and table is given back; the space no longer exists. Cannot fail. */
export function exitSpace(mm: MemoryManager, space: AddressSpace): void {
  if (mm.events.enabled[EV_EXIT_MMAP] !== 0) mm.events.emit(EV_EXIT_MMAP, space.id);
  removePreparedRange(mm, space, vpn(0), space.taskSize);
  space.exeFile?.release();
  space.exeFile = null;
  mm.thp.khugepaged.exit(space);
  mm.destroySpace(space);
}
