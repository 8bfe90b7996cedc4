import type { Memcg } from '../../mm/memcg/memcg.ts';
import type { MemcgKiller } from '../../mm/memcg/memcgs.ts';
import type { Kernel } from '../kernel.ts';
import { outOfMemory } from '../oom.ts';

/**
 * mem_cgroup_out_of_memory for the running task: 'freed' where another process died, whose memory is back by now; 'dying' where it is
 * the running one itself; 'none' where nobody can be killed, or nobody runs who could wait for it.
 */
export function killForLimit(k: Kernel, memcg: Memcg): 'freed' | 'dying' | 'none' {
  const asking = k.running?.process ?? null;
  if (asking === null) return 'none';
  if (asking.groupExit) return 'dying';
  if (!outOfMemory(k, asking, memcg)) return 'none';
  return asking.groupExit ? 'dying' : 'freed';
}

/** The kernel's side of a charge that met memory.max. */
export class KernelMemcgKiller implements MemcgKiller {
  private readonly k: Kernel;

  constructor(k: Kernel) {
    this.k = k;
  }

  get isDying(): boolean {
    return this.k.running?.process.groupExit === true;
  }

  killIn(memcg: Memcg): 'freed' | 'dying' | 'none' {
    return killForLimit(this.k, memcg);
  }
}
