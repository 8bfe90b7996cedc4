import { type ControlFlow, targetsOf } from './control-flow.ts';

/**
 * What turns a flow graph into nested blocks and loops (Ramsey, "Beyond Relooper", ICFP 2022): an order in which every edge
 * that is no loop's goes forward, and the tree of dominators.
 *
 * Invariants
 *  1 An edge that `isInner` says no to leaves the unit: its target is not in it, or it enters a loop beside the loop's head.
 *  2 Of the other edges, those that go back lead to a block that dominates their source: `isLoop`.
 */
export class Structure {
  private readonly order = new Map<number, number>();
  private readonly positions: number[] = [];
  /** By number in the order. */
  private readonly dominator: number[] = [];
  private readonly loops = new Set<number>();
  private readonly forwardEdges = new Map<number, number>();
  private readonly mergeChildren = new Map<number, number[]>();

  constructor(flow: ControlFlow) {
    this.number(flow);
    const successors = this.positions.map((position) =>
      targetsOf(flow.blocks.get(position)!.end).flatMap((to) => this.order.get(to) ?? []),
    );
    this.findDominators(successors);
    successors.forEach((targets, from) => {
      for (const to of targets) {
        if (to > from) this.forwardEdges.set(to, (this.forwardEdges.get(to) ?? 0) + 1);
        else if (this.dominates(to, from)) this.loops.add(to);
      }
    });
    for (let n = 1; n < this.positions.length; n++) {
      if ((this.forwardEdges.get(n) ?? 0) < 2) continue;
      const parent = this.dominator[n];
      const children = this.mergeChildren.get(parent);
      if (children === undefined) this.mergeChildren.set(parent, [n]);
      else children.push(n);
    }
  }

  /** Reverse postorder, without recursion. */
  private number(flow: ControlFlow): void {
    const seen = new Set([flow.entry]);
    const stack = [{ position: flow.entry, targets: targetsOf(flow.blocks.get(flow.entry)!.end), next: 0 }];
    const finished: number[] = [];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (top.next === top.targets.length) {
        finished.push(top.position);
        stack.pop();
        continue;
      }
      const to = top.targets[top.next++];
      const block = flow.blocks.get(to);
      if (block === undefined || seen.has(to)) continue;
      seen.add(to);
      stack.push({ position: to, targets: targetsOf(block.end), next: 0 });
    }
    for (const position of finished.reverse()) this.order.set(position, this.positions.push(position) - 1);
  }

  /** Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm". */
  private findDominators(successors: readonly (readonly number[])[]): void {
    const { dominator } = this;
    const predecessors: number[][] = successors.map(() => []);
    successors.forEach((targets, from) => {
      for (const to of targets) predecessors[to].push(from);
    });
    dominator[0] = 0;
    for (let changed = true; changed; ) {
      changed = false;
      for (let n = 1; n < predecessors.length; n++) {
        let found = -1;
        for (const from of predecessors[n]) {
          if (dominator[from] === undefined) continue;
          found = found < 0 ? from : this.meet(found, from);
        }
        if (dominator[n] === found) continue;
        dominator[n] = found;
        changed = true;
      }
    }
  }

  private meet(first: number, second: number): number {
    let a = first;
    let b = second;
    while (a !== b) {
      while (a > b) a = this.dominator[a];
      while (b > a) b = this.dominator[b];
    }
    return a;
  }

  private dominates(a: number, b: number): boolean {
    let n = b;
    while (n > a) n = this.dominator[n];
    return n === a;
  }

  isInner(from: number, to: number): boolean {
    const target = this.order.get(to);
    if (target === undefined) return false;
    const source = this.order.get(from)!;
    return target > source || this.dominates(target, source);
  }

  isBackward(from: number, to: number): boolean {
    return this.order.get(to)! <= this.order.get(from)!;
  }

  isLoop(position: number): boolean {
    return this.loops.has(this.order.get(position)!);
  }

  /** More than one edge comes forward to it. */
  isMerge(position: number): boolean {
    return (this.forwardEdges.get(this.order.get(position)!) ?? 0) > 1;
  }

  /** The merges that stand behind this block's own code, in order. */
  mergesBehind(position: number): readonly number[] {
    return (this.mergeChildren.get(this.order.get(position)!) ?? []).map((n) => this.positions[n]);
  }
}
