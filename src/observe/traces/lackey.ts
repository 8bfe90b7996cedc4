import type { AccessKind, AccessSink } from './access.ts';
import { LineDecoder } from './line-decoder.ts';
import { NumberReader } from './numbers.ts';

const SPACE = 0x20;
const TAB = 9;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const MINUS = 0x2d;
const LOWER_A = 0x61;

/**
 * What `valgrind --tool=lackey --trace-mem=yes` writes (valgrind 3.19, lackey/lk_main.c): `I  04016c80,3`, ` L 1fff000310,8`, ` S `, ` M `;
 * its messages between them, `==PID== ...`, are passed over. And the same with words, as traces of Ewha University have it:
 * `readi ADDRESS SIZE`, `readd`, `write`. Addresses are hexadecimal.
 */
export class LackeyDecoder extends LineDecoder {
  private readonly number = new NumberReader();

  protected line(bytes: Uint8Array, start: number, end: number, sink: AccessSink): void {
    if (start === end) return;
    const first = bytes[start];
    if ((first === EQUALS || first === MINUS) && bytes[start + 1] === first) return;
    let at = start;
    while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
    const word = at;
    while (at < end && bytes[at] !== SPACE && bytes[at] !== TAB) at++;
    const kind = kindOf(bytes, word, at);
    if (kind === null) throw this.wrong(bytes, start, end, WANTED);
    at = this.number.hexadecimal(bytes, skipSeparators(bytes, at, end), end);
    if (at < 0) throw this.wrong(bytes, start, end, WANTED);
    const { high, low } = this.number;
    let size = 1;
    // Lines of lackey have a size each; one without is cut off.
    if (at < end || bytes[word] < LOWER_A) {
      at = this.number.decimal(bytes, skipSeparators(bytes, at, end), end);
      if (at !== end || this.number.high !== 0) throw this.wrong(bytes, start, end, WANTED);
      size = Math.max(1, this.number.low);
    }
    sink.access(kind, high, low, size);
  }
}

const WANTED = 'no line of a lackey trace, such as `I  04016c80,3` or ` L 1fff000310,8`';

function skipSeparators(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB || bytes[at] === COMMA)) at++;
  return at;
}

function kindOf(bytes: Uint8Array, start: number, end: number): AccessKind | null {
  if (end - start === 1) return LETTERS.get(bytes[start]) ?? null;
  if (end - start !== 5) return null;
  return WORDS.find(([word]) => word.every((each, at) => each === bytes[start + at]))?.[1] ?? null;
}

const LETTERS: ReadonlyMap<number, AccessKind> = new Map([
  [0x49, 'fetch'],
  [0x4c, 'load'],
  [0x53, 'store'],
  [0x4d, 'modify'],
]);
const WORDS: readonly (readonly [readonly number[], AccessKind])[] = (
  [
    ['readi', 'fetch'],
    ['readd', 'load'],
    ['write', 'store'],
  ] as const
).map(([word, kind]) => [[...word].map((letter) => letter.charCodeAt(0)), kind]);
