import { EVENT_KINDS, eventNamed } from '../src/index.ts';
import { UsageError } from './usage-error.ts';

/** How many names are said to be near to one that is none. */
const NEAR = 3;

/** Kinds of events by their names, whole or without their group: `page_fault,kmem:mm_page_free`. Throws UsageError, which says what there is. */
export function parseEventNames(option: string, text: string): number[] {
  return text.split(',').map((each) => {
    const word = each.trim();
    const name = eventNamed(word);
    if (name !== null) return EVENT_KINDS.findIndex((kind) => kind.name === name);
    const near = nearestEvents(word).join(', ');
    throw new UsageError(`${option} ${text}: ${word} is no event; near to it: ${near} (all are in docs/events.md)`);
  });
}

/** Names without their group; first those that begin with the word, then those with it in them. */
export function nearestEvents(word: string): string[] {
  const plain = word.slice(word.indexOf(':') + 1);
  const distanceOf = (name: string): number => {
    if (plain.length > 2 && name.includes(plain)) return name.startsWith(plain) ? 0 : 0.1;
    return editDistance(plain, name) / Math.max(plain.length, name.length, 1);
  };
  return EVENT_KINDS.map(({ name }) => name.split(':')[1])
    .map((name) => ({ name, distance: distanceOf(name) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, NEAR)
    .map(({ name }) => name);
}

/** Letters to put in, take out or change to make one word of the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++)
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[to.length];
}
