import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { capable } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import { currentTask } from './current-task.ts';

/**
 * /proc/iomem: the machine's physical addresses are those of its RAM, which begins at 0 with frame 0 (r_show, kernel/resource.c,
 * 6.18). Addresses are for CAP_SYS_ADMIN.
 */
export function showIomem(k: Kernel): string {
  const cred = currentTask(k)?.cred;
  const last = cred !== undefined && capable(cred, CAP_SYS_ADMIN) ? k.mm.frames.frameCount * PAGE_SIZE - 1 : 0;
  return `${hex(0)}-${hex(last)} : System RAM\n`;
}

function hex(address: number): string {
  return address.toString(16).padStart(8, '0');
}
