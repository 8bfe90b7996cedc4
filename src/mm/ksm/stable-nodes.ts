import type { Pfn } from '../../machine/units.ts';
import type { KmemCache } from '../phys/slab.ts';
import type { RmapItems } from './rmap-items.ts';
import { NO_ROW, widened } from './row-tree.ts';

/** STABLE_NODE_CHAIN: what `length` says of a chain. */
const CHAIN = -1024;
const FIRST_ROWS = 128;

/**
 * One row for each KSM page (struct ksm_stable_node, mm/ksm.c), row 0 is none. A node holds no reference to its page: it knows
 * by FrameTable.owner whether the frame is still its own, and is removed when somebody finds that it is not (frameOfNode).
 *
 *   stable tree:   node            node            chain
 *                   |               |                |--- dup --- dup --- dup      the same contents, each with its own page
 *                   item - item     item             |     |       |       |       and at most max_page_sharing items when
 *                                                         items   items   items    it is merged into
 */
export class StableNodes {
  count = 0;
  /** Chains, and nodes that hang on them (stable_node_chains, stable_node_dups). */
  chains = 0;
  dups = 0;
  /** Of a node: its page. */
  pfn: Int32Array;
  /** Of a node: the first item, and how many there are. Of a chain: the first dup, and CHAIN. */
  first: Int32Array;
  length: Int32Array;
  /** Of a dup: its chain and its neighbours there. NO_ROW: the node is in the tree itself. */
  chain: Int32Array;
  dupNext: Int32Array;
  dupPrev: Int32Array;
  /** Of a chain: when its dups were last looked through (chain_prune_time). */
  prunedNs: Float64Array;
  private memory: Float64Array;
  private free: number[] = [];
  private rows = 1;
  private readonly cache: KmemCache;

  constructor(cache: KmemCache) {
    this.cache = cache;
    this.pfn = new Int32Array(1);
    this.first = new Int32Array(1);
    this.length = new Int32Array(1);
    this.chain = new Int32Array(1);
    this.dupNext = new Int32Array(1);
    this.dupPrev = new Int32Array(1);
    this.prunedNs = new Float64Array(1);
    this.memory = new Float64Array(1);
  }

  get capacity(): number {
    return this.pfn.length;
  }

  isChain(row: number): boolean {
    return this.length[row] === CHAIN;
  }

  isDup(row: number): boolean {
    return this.chain[row] !== NO_ROW;
  }

  /** A node without items, in no tree; NO_ROW without memory. */
  allocNode(frame: Pfn): number {
    const row = this.alloc();
    if (row !== NO_ROW) this.pfn[row] = frame;
    return row;
  }

  /** A chain without dups, in no tree; NO_ROW without memory. */
  allocChain(nowNs: number): number {
    const row = this.alloc();
    if (row === NO_ROW) return NO_ROW;
    this.length[row] = CHAIN;
    this.prunedNs[row] = nowNs;
    this.chains++;
    return row;
  }

  release(row: number): void {
    if (this.isChain(row)) this.chains--;
    this.cache.free(this.memory[row]);
    this.memory[row] = 0;
    this.free.push(row);
    this.count--;
  }

  /** Is the row in use? For checks. */
  isLive(row: number): boolean {
    return this.memory[row] !== 0;
  }

  /** To the front of the chain (stable_node_chain_add_dup). */
  addDup(dup: number, chain: number): void {
    const head = this.first[chain];
    this.chain[dup] = chain;
    this.dupPrev[dup] = NO_ROW;
    this.dupNext[dup] = head;
    if (head !== NO_ROW) this.dupPrev[head] = dup;
    this.first[chain] = dup;
    this.dups++;
  }

  /** __stable_node_dup_del. */
  removeDup(dup: number): void {
    const before = this.dupPrev[dup];
    const after = this.dupNext[dup];
    if (before === NO_ROW) this.first[this.chain[dup]] = after;
    else this.dupNext[before] = after;
    if (after !== NO_ROW) this.dupPrev[after] = before;
    this.chain[dup] = NO_ROW;
    this.dups--;
  }

  /** The item to the front of the node's list. */
  addItem(items: RmapItems, node: number, item: number): void {
    const head = this.first[node];
    items.node[item] = node;
    items.prev[item] = NO_ROW;
    items.next[item] = head;
    if (head !== NO_ROW) items.prev[head] = item;
    this.first[node] = item;
    this.length[node]++;
  }

  removeItem(items: RmapItems, item: number): void {
    const node = items.node[item];
    const before = items.prev[item];
    const after = items.next[item];
    if (before === NO_ROW) this.first[node] = after;
    else items.next[before] = after;
    if (after !== NO_ROW) items.prev[after] = before;
    items.node[item] = NO_ROW;
    this.length[node]--;
  }

  private alloc(): number {
    const memory = this.cache.alloc();
    if (memory === 0) return NO_ROW;
    const row = this.free.pop() ?? this.takeNewRow();
    this.memory[row] = memory;
    this.first[row] = NO_ROW;
    this.length[row] = 0;
    this.chain[row] = NO_ROW;
    this.count++;
    return row;
  }

  private takeNewRow(): number {
    if (this.rows === this.capacity) this.grow(Math.max(FIRST_ROWS, this.capacity * 2));
    return this.rows++;
  }

  private grow(rows: number): void {
    this.pfn = widened(this.pfn, rows);
    this.first = widened(this.first, rows);
    this.length = widened(this.length, rows);
    this.chain = widened(this.chain, rows);
    this.dupNext = widened(this.dupNext, rows);
    this.dupPrev = widened(this.dupPrev, rows);
    const pruned = new Float64Array(rows);
    pruned.set(this.prunedNs);
    this.prunedNs = pruned;
    const memory = new Float64Array(rows);
    memory.set(this.memory);
    this.memory = memory;
  }
}
