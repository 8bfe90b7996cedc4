import { ENOMEM } from '../../abi/errno.ts';
import { panic } from '../../base/assert.ts';
import { samePolicy } from '../mempolicy.ts';
import type { KmemCache } from '../phys/slab.ts';
import { VM_ACCESS_FLAGS, VM_IGNORE_MERGE } from '../vm-flags.ts';
import { AnonVma, AnonVmaChain } from './anon-vma.ts';
import { lastIndexOf, type RmapVma } from './rmap-vma.ts';

/** Flags that may differ between two VMAs that share an AnonVma (anon_vma_compatible). */
const VM_MAY_DIFFER = VM_ACCESS_FLAGS | VM_IGNORE_MERGE;

/**
 * All AnonVmas of the machine, and how VMAs come to them and leave them (Linux: mm/rmap.c). What is always true of them: A1 to A4
 * (anon-vma.ts).
 *
 *   fork of a process that has touched an anonymous VMA, twice (-> parent, [..] VMAs in the tree):
 *
 *     A [p, c, g]  <-  C [c, g]  <-  G [g]          p's pages point to A, c's to C, g's to G; root of all: A
 */
export class AnonVmas {
  private readonly anonVmaSlots: KmemCache;
  private readonly chainSlots: KmemCache;
  private neighboursOf: NeighbourFinder | null = null;
  /** By id; index 0 is nobody. Ids of the dead are taken again, last first. */
  private readonly all: (AnonVma | null)[] = [null];
  private readonly freeIds: number[] = [];

  constructor(anonVmaSlots: KmemCache, chainSlots: KmemCache) {
    this.anonVmaSlots = anonVmaSlots;
    this.chainSlots = chainSlots;
  }

  /** Who knows the VMAs beside a VMA; without it every VMA prepares an AnonVma of its own. */
  setNeighbourFinder(finder: NeighbourFinder): void {
    this.neighboursOf = finder;
  }

  /**
   * Gives the VMA an AnonVma if it has none: a neighbour's where the two could merge later, else a new root
   * (__anon_vma_prepare). 0 or -ENOMEM.
   */
  prepare(vma: RmapVma): number {
    if (vma.anonVma !== null) return 0;
    const slot = this.chainSlots.alloc();
    if (slot === 0) return -ENOMEM;
    let anonVma = this.findMergeable(vma);
    if (anonVma === null) {
      anonVma = this.make();
      if (anonVma === null) {
        this.chainSlots.free(slot);
        return -ENOMEM;
      }
      anonVma.numChildren++; // a root is its own parent
    }
    vma.anonVma = anonVma;
    this.linkChain(vma, anonVma, slot);
    anonVma.numActiveVmas++;
    return 0;
  }

  /**
   * Puts dst (new, with no chain) into every tree that src is in (anon_vma_clone): split, mremap, merge of an empty VMA. With
   * dst.anonVma null, an AnonVma that lost its VMA and has at most one child is reused for it, so that a chain of forks
   * does not grow for ever. 0, or -ENOMEM and dst has no chain.
   */
  clone(dst: RmapVma, src: RmapVma): number {
    for (const chain of src.anonVmaChain) {
      const slot = this.chainSlots.alloc();
      if (slot === 0) {
        dst.anonVma = null; // it was not counted yet
        this.unlink(dst);
        return -ENOMEM;
      }
      const { anonVma } = chain;
      this.linkChain(dst, anonVma, slot);
      if (dst.anonVma === null && src.anonVma !== null && anonVma.numChildren < 2 && anonVma.numActiveVmas === 0)
        dst.anonVma = anonVma;
    }
    if (dst.anonVma !== null) dst.anonVma.numActiveVmas++;
    return 0;
  }

  /** The child's copy of a VMA: all of the parent's trees, and an AnonVma of its own below (anon_vma_fork). 0 or -ENOMEM. */
  fork(child: RmapVma, parent: RmapVma): number {
    if (parent.anonVma === null) return 0;
    child.anonVma = null;
    if (this.clone(child, parent) !== 0) return -ENOMEM;
    if (child.anonVma !== null) return 0; // reused
    const anonVma = this.make();
    const slot = anonVma === null ? 0 : this.chainSlots.alloc();
    if (anonVma === null || slot === 0) {
      if (anonVma !== null) this.put(anonVma);
      this.unlink(child);
      return -ENOMEM;
    }
    anonVma.numActiveVmas++;
    anonVma.root = parent.anonVma.root;
    anonVma.parent = parent.anonVma;
    anonVma.root.refcount++;
    child.anonVma = anonVma;
    this.linkChain(child, anonVma, slot);
    anonVma.parent.numChildren++;
    return 0;
  }

  /** The VMA goes, or has lost all its anonymous pages for good (unlink_anon_vmas). Its pages are unmapped already. */
  unlink(vma: RmapVma): void {
    const chains = vma.anonVmaChain;
    for (const chain of chains) {
      if (chain.node === null) panic('mm/rmap/anon-vmas.ts: a VMA is not unlinked while it is resized');
      chain.anonVma.tree.remove(chain.node);
      if (chain.anonVma.tree.isEmpty) chain.anonVma.parent.numChildren--;
    }
    if (vma.anonVma !== null) {
      vma.anonVma.numActiveVmas--;
      vma.anonVma = null;
    }
    for (const chain of chains) {
      if (chain.anonVma.tree.isEmpty) this.put(chain.anonVma);
      this.chainSlots.free(chain.slot);
    }
    if (chains.length > 0) chains.length = 0;
  }

  /** A neighbour's AnonVma, if the two VMAs would be one but for their rights (find_mergeable_anon_vma, mm/vma.c). */
  findMergeable(vma: RmapVma): AnonVma | null {
    if (this.neighboursOf === null) return null;
    const next = this.neighboursOf.nextVma(vma);
    if (next !== null && isCompatible(vma, next) && isReusable(next)) return next.anonVma;
    const prev = this.neighboursOf.prevVma(vma);
    if (prev !== null && isCompatible(prev, vma) && isReusable(prev)) return prev.anonVma;
    return null;
  }

  /** get_anon_vma: it lives until drop, though its VMAs go. Its id. */
  hold(anonVma: AnonVma): number {
    anonVma.held++;
    anonVma.refcount++;
    return anonVma.id;
  }

  drop(id: number): void {
    const anonVma = this.all[id] ?? panic('mm/rmap/anon-vmas.ts: A4 what is held lives');
    anonVma.held--;
    this.put(anonVma);
  }

  byId(id: number): AnonVma | null {
    return this.all[id] ?? null;
  }

  /** AnonVmas that live. */
  get count(): number {
    return this.all.length - 1 - this.freeIds.length;
  }

  /** What is broken of A1 to A4 and the trees, or null. Walks everything; VMAs are checked by mm/invariants.ts. */
  findBroken(): string | null {
    const children = new Map<AnonVma, number>();
    const below = new Map<AnonVma, number>();
    const active = new Map<AnonVma, Set<RmapVma>>();
    let broken: string | null = null;
    for (const anonVma of this.all) {
      if (anonVma === null) continue;
      broken ??= anonVma.tree.findBroken();
      if (!anonVma.tree.isEmpty) children.set(anonVma.parent, (children.get(anonVma.parent) ?? 0) + 1);
      if (anonVma.root !== anonVma) below.set(anonVma.root, (below.get(anonVma.root) ?? 0) + 1);
      anonVma.tree.forEachOverlap(0, Number.MAX_SAFE_INTEGER, (chain) => {
        const { vma, node } = chain;
        if (chain.anonVma !== anonVma || !vma.anonVmaChain.includes(chain)) broken ??= 'A1: a chain in the wrong tree';
        if (node === null || node.start !== vma.pgoff || node.last !== lastIndexOf(vma)) broken ??= 'A1: stale bounds';
        if (vma.anonVma === anonVma) active.set(anonVma, (active.get(anonVma) ?? new Set()).add(vma));
        return true;
      });
    }
    for (const anonVma of this.all) {
      if (anonVma === null) continue;
      const own = anonVma.tree.isEmpty ? 0 : 1;
      if (anonVma.numChildren !== (children.get(anonVma) ?? 0)) broken ??= 'A2: numChildren';
      if (anonVma.numActiveVmas !== (active.get(anonVma)?.size ?? 0)) broken ??= 'A3: numActiveVmas';
      if (anonVma.refcount !== own + anonVma.held + (below.get(anonVma) ?? 0)) broken ??= 'A4: refcount';
    }
    return broken;
  }

  private make(): AnonVma | null {
    const slot = this.anonVmaSlots.alloc();
    if (slot === 0) return null;
    const id = this.freeIds.pop() ?? this.all.length;
    const anonVma = new AnonVma(id, slot);
    this.all[id] = anonVma;
    return anonVma;
  }

  /** put_anon_vma: the last reference frees it, and lets go of its root. */
  private put(anonVma: AnonVma): void {
    if (--anonVma.refcount > 0) return;
    this.all[anonVma.id] = null;
    this.freeIds.push(anonVma.id);
    this.anonVmaSlots.free(anonVma.slot);
    if (anonVma.root !== anonVma) this.put(anonVma.root);
  }

  private linkChain(vma: RmapVma, anonVma: AnonVma, slot: number): void {
    const chain = new AnonVmaChain(vma, anonVma, slot);
    vma.anonVmaChain.push(chain);
    chain.node = anonVma.tree.insert(vma.pgoff, lastIndexOf(vma), chain);
  }
}

/** The VMAs directly before and after a VMA in its space, or null. */
export interface NeighbourFinder {
  prevVma(vma: RmapVma): RmapVma | null;
  nextVma(vma: RmapVma): RmapVma | null;
}

/** anon_vma_compatible: a before b, mergeable but for rights. */
function isCompatible(a: RmapVma, b: RmapVma): boolean {
  return (
    a.endVpn === b.startVpn &&
    a.file === b.file &&
    samePolicy(a.policy, b.policy) &&
    ((a.flags ^ b.flags) & ~VM_MAY_DIFFER) === 0 &&
    b.pgoff === a.pgoff + (b.startVpn - a.startVpn)
  );
}

/** reusable_anon_vma: only a VMA that has not been forked (its chain is one long) shares its AnonVma. */
function isReusable(vma: RmapVma): boolean {
  return vma.anonVma !== null && vma.anonVmaChain.length === 1;
}
