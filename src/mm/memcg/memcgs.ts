import type { FrameAllocator } from '../phys/alloc.ts';
import { Memcg, ROOT_MEMCG } from './memcg.ts';

/** Who keeps something of its own for every memory cgroup (reclaim: a policy). */
export interface MemcgListener {
  memcgAdded(memcg: Memcg): void;
  memcgGone(memcg: Memcg): void;
}

/** frames.memcg has 16 bits (Linux: MEM_CGROUP_ID_MAX). */
const MAX_MEMCGS = 65_536;

/** The memory cgroups of a machine (Linux: mm/memcontrol.c): a tree below the root, which is always there. */
export class Memcgs {
  readonly root = new Memcg(ROOT_MEMCG, null);
  /** Mount option memory_recursiveprot: protection that children do not claim holds for them all the same. */
  protectionScope: 'recursive' | 'own' = 'recursive';
  private readonly byId: (Memcg | null)[] = [this.root];
  private readonly allocator: FrameAllocator;
  private listener: MemcgListener | null = null;

  constructor(allocator: FrameAllocator) {
    this.allocator = allocator;
  }

  setListener(listener: MemcgListener): void {
    this.listener = listener;
  }

  memcgOf(id: number): Memcg | null {
    return this.byId[id] ?? null;
  }

  /** All that are there, the dying ones too. */
  get all(): readonly (Memcg | null)[] {
    return this.byId;
  }

  /** A new one below `parent`; null: there are too many (ENOSPC of mem_cgroup_alloc). */
  create(parent: Memcg): Memcg | null {
    let id = this.byId.indexOf(null);
    if (id < 0) id = this.byId.length;
    if (id >= MAX_MEMCGS) return null;
    const memcg = new Memcg(id, parent);
    this.byId[id] = memcg;
    parent.children.push(memcg);
    this.allocator.lru.addLruvec(id);
    this.listener?.memcgAdded(memcg);
    return memcg;
  }

  /** Its directory was removed (mem_cgroup_css_offline): nothing protects it any more, and it goes with its last charge. */
  offline(memcg: Memcg): void {
    memcg.isOnline = false;
    memcg.memory.min = 0;
    memcg.memory.low = 0;
    this.releaseIfUnused(memcg);
  }

  /** A dying one without charges or children ends, and then maybe its parent. */
  releaseIfUnused(memcg: Memcg): void {
    const { parent } = memcg;
    if (memcg.isOnline || parent === null || memcg.children.length > 0) return;
    if (memcg.memory.usage > 0 || memcg.swap.usage > 0) return;
    parent.children.splice(parent.children.indexOf(memcg), 1);
    this.byId[memcg.id] = null;
    this.listener?.memcgGone(memcg);
    this.allocator.lru.dropLruvec(memcg.id);
    this.releaseIfUnused(parent);
  }
}
