/**
 * Sorts the samples of V8's profiler (a .cpuprofile) by what the machine was doing.
 *
 * Always true: each sample counts once, for the first frame, from the innermost one outwards, that a rule knows.
 */
export interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

export interface Share {
  readonly what: string;
  readonly us: number;
}

export interface ProfileReport {
  readonly totalUs: number;
  readonly categories: readonly Share[];
  /** Functions by their own time, with the file that they are in. */
  readonly functions: readonly Share[];
}

/** What a frame of this file and function stands for. */
interface Rule {
  readonly file: RegExp;
  readonly name: RegExp;
  readonly what: string;
}

const ANY = /^/;
const RULES: readonly Rule[] = [
  { file: /arch\/riscv64\/(jit\/|translat)|arch\/wasm\//, name: ANY, what: 'compile guest code (JIT)' },
  { file: /arch\/riscv64\/(decode|compressed|code-cache|fusion)/, name: ANY, what: 'decode guest code' },
  { file: /arch\/riscv64\/(generate|interpreter|semantics)/, name: ANY, what: 'make the interpreter' },
  { file: /kernel\/trap/, name: /^handlePageFault$/, what: 'page fault' },
  { file: /kernel\/signals\/deliver/, name: /^handleSignals$/, what: 'signals' },
  { file: /kernel\/(run-loop|scheduler|timer|itimers)/, name: ANY, what: 'run loop, scheduler, timers' },
  { file: /src\/system/, name: /^System$/, what: 'boot the machine' },
  { file: /src\/system/, name: /^shutdown$/, what: 'shut the machine down' },
];
/** The callee of its runCall is a system call's row. */
const DISPATCH = /kernel\/syscalls\/dispatch/;

/** esbuild says before each module of a bundle which one it is: `// src/mm/zap.ts`. */
export function modulesOfBundle(text: string): (line: number) => string {
  const starts: number[] = [];
  const names: string[] = [];
  text.split('\n').forEach((line, at) => {
    const found = /^(?: {2})?\/\/ ((?:src|cli|bench|node_modules)\/\S+)$/.exec(line);
    if (found === null) return;
    starts.push(at);
    names.push(found[1]);
  });
  return (line) => {
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= line) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? '' : names[low - 1];
  };
}

/** A bundler's suffix of a name that another module has, too. */
const plainName = (name: string): string => name.replace(/(?<=[A-Za-z])\d+$/, '');

export function reportProfile(
  profile: CpuProfile,
  bundleUrl: string,
  moduleAt: (line: number) => string,
): ProfileReport {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map<number, number>();
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node.id);
  const fileOf = ({ callFrame }: ProfileNode): string =>
    callFrame.url === bundleUrl || callFrame.url === `file://${bundleUrl}`
      ? moduleAt(callFrame.lineNumber)
      : callFrame.url;
  // What JavaScript calls is the interpreter, of which a run may have two: units are called by it and by each other.
  const interpreterUrls = new Set<string>();
  for (const { id, callFrame } of profile.nodes) {
    const caller = nodes.get(parents.get(id) ?? -1)?.callFrame.url ?? '';
    if (callFrame.url.startsWith('wasm') && !caller.startsWith('wasm')) interpreterUrls.add(callFrame.url);
  }

  const categoryOf = (id: number): string => {
    const leaf = nodes.get(id)!;
    const { functionName, url } = leaf.callFrame;
    if (url.startsWith('wasm')) return interpreterUrls.has(url) ? 'guest code: interpreter' : 'guest code: JIT';
    if (functionName.startsWith('(')) return functionName === '(garbage collector)' ? 'garbage collection' : 'node';
    let callee = leaf;
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const node = nodes.get(at)!;
      const file = fileOf(node);
      const name = plainName(node.callFrame.functionName);
      if (DISPATCH.test(file)) {
        const called = plainName(callee.callFrame.functionName);
        return name === 'runCall' && !DISPATCH.test(fileOf(callee)) ? `system call ${called}` : 'system call dispatch';
      }
      const rule = RULES.find((each) => each.file.test(file) && each.name.test(name));
      if (rule !== undefined) return rule.what;
      callee = node;
    }
    return fileOf(leaf).startsWith('cli/') ? 'command line' : 'node';
  };

  const categories = new Map<string, number>();
  const functions = new Map<string, number>();
  const known = new Map<number, string>();
  let totalUs = 0;
  for (const [i, id] of profile.samples.entries()) {
    const us = profile.timeDeltas[i] ?? 0;
    totalUs += us;
    const what = known.get(id) ?? categoryOf(id);
    known.set(id, what);
    categories.set(what, (categories.get(what) ?? 0) + us);
    const node = nodes.get(id)!;
    const place = fileOf(node);
    const label = `${plainName(node.callFrame.functionName) || '(anonymous)'}${place === '' ? '' : `  ${place}`}`;
    functions.set(label, (functions.get(label) ?? 0) + us);
  }
  const sorted = (shares: ReadonlyMap<string, number>): Share[] =>
    [...shares].map(([what, us]) => ({ what, us })).sort((a, b) => b.us - a.us);
  return { totalUs, categories: sorted(categories), functions: sorted(functions) };
}
