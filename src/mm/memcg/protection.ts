import type { Memcg } from './memcg.ts';
import type { PageCounter } from './page-counter.ts';

/**
 * How much of memory.min and memory.low holds for `memcg` when reclaim runs from `target` down, into effectiveMin and
 * effectiveLow (6.18: mem_cgroup_calculate_protection, effective_protection). Callers go from the top down: the parent's is
 * known. `recursive` is the mount option memory_recursiveprot.
 */
export function calculateProtection(target: Memcg, memcg: Memcg, recursive: 'recursive' | 'own'): void {
  const { memory, parent } = memcg;
  if (memcg === target || parent === null) {
    memory.effectiveMin = 0;
    memory.effectiveLow = 0;
    return;
  }
  if (parent === target) {
    memory.effectiveMin = memory.min;
    memory.effectiveLow = memory.low;
    return;
  }
  const siblings = (of: (counter: PageCounter) => number): number =>
    parent.children.reduce((sum, { memory: each }) => sum + Math.min(each.usage, of(each)), 0);
  const share = { usage: memory.usage, parentUsage: parent.memory.usage, recursive };
  memory.effectiveMin = effectiveProtection({
    ...share,
    setting: memory.min,
    parentEffective: parent.memory.effectiveMin,
    siblings: siblings((each) => each.min),
  });
  memory.effectiveLow = effectiveProtection({
    ...share,
    setting: memory.low,
    parentEffective: parent.memory.effectiveLow,
    siblings: siblings((each) => each.low),
  });
}

interface ProtectionShare {
  readonly usage: number;
  readonly parentUsage: number;
  readonly setting: number;
  readonly parentEffective: number;
  /** What all children of the parent claim. */
  readonly siblings: number;
  readonly recursive: 'recursive' | 'own';
}

/** effective_protection: children share what the parent has by what they claim; what nobody claims goes by use. */
function effectiveProtection(share: ProtectionShare): number {
  const { usage, parentUsage, setting, parentEffective, siblings, recursive } = share;
  const claimed = Math.min(usage, setting);
  if (siblings > parentEffective) return Math.floor((claimed * parentEffective) / siblings);
  const isShared = recursive === 'recursive' && parentEffective > siblings && parentUsage > siblings && usage > claimed;
  if (!isShared) return claimed;
  const unclaimed = parentEffective - siblings;
  return claimed + Math.floor((unclaimed * (usage - claimed)) / (parentUsage - siblings));
}
