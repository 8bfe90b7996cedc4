import { possibleSteps, type Step } from './walk.ts';

/**
 * Delta debugging (Zeller and Hildebrandt 2002, ddmin): a shorter walk of which `fails` still holds; then arguments are made
 * smaller, one at a time. `fails` is asked at most `budget` times.
 */
export function shrink(steps: readonly Step[], fails: (steps: readonly Step[]) => boolean, budget = 400): Step[] {
  let asked = 0;
  const test = (candidate: readonly Step[]): boolean => asked++ < budget && fails(candidate);
  let current = [...steps];
  for (let pieces = 2; current.length > 1; ) {
    const size = Math.ceil(current.length / pieces);
    let found = false;
    for (let at = 0; at < current.length && !found; at += size) {
      const candidate = possibleSteps([...current.slice(0, at), ...current.slice(at + size)]);
      if (candidate.length < current.length && test(candidate)) {
        current = candidate;
        pieces = Math.max(2, pieces - 1);
        found = true;
      }
    }
    if (found) continue;
    if (size === 1) break;
    pieces = Math.min(current.length, pieces * 2);
  }
  for (let i = 0; i < current.length; i++)
    for (const smaller of simplerSteps(current[i])) {
      const candidate = [...current.slice(0, i), smaller, ...current.slice(i + 1)];
      if (test(candidate)) current = candidate;
    }
  return current;
}

/** The same call with one argument made plainer. */
function simplerSteps(step: Step): Step[] {
  const words = step.split(' ');
  const result: Step[] = [];
  for (let i = 2; i < words.length; i++) {
    const put = (text: string): void => {
      if (text !== words[i]) result.push([...words.slice(0, i), text, ...words.slice(i + 1)].join(' '));
    };
    const pages = /^p(\d+)$/.exec(words[i]);
    if (pages !== null)
      for (const fewer of [1, Math.floor(Number(pages[1]) / 2), Number(pages[1]) - 1]) if (fewer > 0) put(`p${fewer}`);
    if (/^[ATH]\d+\+/.test(words[i])) put(words[i].replace(/\+.*/, ''));
    if (words[1] === 'mmap' && i === 5) {
      const flags = Number(words[i]);
      for (let bit = 0x100; bit <= 0x100000; bit *= 2) if ((flags & bit) !== 0) put(`0x${(flags & ~bit).toString(16)}`);
    }
    if (words[1] === 'mmap' && i === 4) put('3');
  }
  return result;
}
