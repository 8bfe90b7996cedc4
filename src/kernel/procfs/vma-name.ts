import { vaddrOf } from '../../machine/units.ts';
import type { Vma } from '../../mm/vma.ts';

/**
 * What a mapping is called (get_vma_name, fs/proc/task_mmu.c, 6.18): its file's path, '[vdso]', '[heap]', '[stack]',
 * '[anon:NAME]' as prctl named it, or null.
 * /proc/PID/maps and the fault trace both name mappings by it.
 */
export function vmaName(vma: Vma): string | null {
  if (vma.file !== null) return vma.anonName !== null ? `[anon_shmem:${vma.anonName}]` : vma.file.displayPath();
  if (vma.special !== null) return vma.special.name;
  const { space } = vma;
  const start = vaddrOf(vma.startVpn);
  const end = vaddrOf(vma.endVpn);
  if (start < space.brk && end > space.startBrk) return '[heap]';
  if (start <= space.startStack && end >= space.startStack) return '[stack]';
  return vma.anonName !== null ? `[anon:${vma.anonName}]` : null;
}
