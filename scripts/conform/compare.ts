import type { CaseResult, Explained, Program } from './own-cases.ts';

/**
 * works: as the record says. explained: as expected/explained.txt says, where the native machine cannot decide. absent: Linux takes
 * the call or flag, ours refuses it as a kernel built without it. differs: anything else.
 */
export type OwnVerdict = 'works' | 'explained' | 'absent' | 'differs';

export interface Row {
  readonly program: string;
  readonly call: string;
  /** Flag, errno or fault code; '' for plain use. */
  readonly topic: string;
  readonly text: string;
  readonly native: readonly string[];
  readonly ours: readonly string[];
  readonly verdict: OwnVerdict;
  /** Why the native result does not decide; '' but for 'explained'. */
  readonly reason: string;
}

/** How a kernel that lacks something refuses it. */
const REFUSALS = /: (ENOSYS|EINVAL|EOPNOTSUPP|ENODEV|ENOENT)$/;

/** A row for each case that either side has. */
export function compareResults(
  program: Program,
  ours: readonly CaseResult[],
  explained: ReadonlyMap<string, Explained>,
): Row[] {
  const native = new Map(program.record?.results.map((result) => [result.title, result.lines]));
  const own = new Map(ours.map((result) => [result.title, result.lines]));
  return [...new Set([...native.keys(), ...own.keys()])].map((title) => {
    const [call, topic, ...text] = title.split(' | ');
    const nativeLines = native.get(title) ?? ['(not recorded)'];
    const ourLines = own.get(title) ?? ['(no result)'];
    const exception = explained.get(title);
    const isExplained = exception !== undefined && isSame(exception.lines, ourLines);
    return {
      program: program.name,
      call,
      topic,
      text: text.join(' | '),
      native: nativeLines,
      ours: ourLines,
      verdict: isExplained ? 'explained' : verdictOf(nativeLines, ourLines),
      reason: isExplained ? exception.reason : '',
    };
  });
}

function verdictOf(native: readonly string[], ours: readonly string[]): OwnVerdict {
  if (isSame(native, ours)) return 'works';
  const first = ours.findIndex((line, at) => line !== native[at]);
  return first >= 0 && REFUSALS.test(ours[first]) && !/: E[A-Z]+$/.test(native[first] ?? '') ? 'absent' : 'differs';
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, at) => line === other[at]);
}

/** Node 20 has no Map.groupBy. */
export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
