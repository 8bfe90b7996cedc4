/**
 * What a test program of a public suite said: each suite has its own convention of exit statuses and lines. A case passes only
 * if it says so in its suite's way; everything else has a verdict of its own, never counted as passed.
 */

export type Convention = 'ltp' | 'open_posix' | 'libc-test' | 'kselftest' | 'riscv-tests' | 'arch-test' | 'exit';
export type Verdict =
  | 'pass'
  | 'fail'
  | 'broken'
  | 'skip'
  | 'unresolved'
  | 'unsupported'
  | 'untested'
  | 'signal'
  | 'timeout'
  | 'missing'
  | 'error';

export interface Judgement {
  readonly verdict: Verdict;
  /** One line: why not, or empty. */
  readonly detail: string;
}

export interface CaseOutcome {
  readonly code: number | null;
  readonly signal: number | null;
  readonly output: string;
  /** Value that the program left in its `tohost` word; null without one. */
  readonly tohost: number | null;
}

const CONVENTIONS: readonly Convention[] = [
  'ltp',
  'open_posix',
  'libc-test',
  'kselftest',
  'riscv-tests',
  'arch-test',
  'exit',
];

/** The convention of a suite by its name; a suite with an unknown name says pass with exit status 0. */
export function conventionOf(suite: string): Convention {
  return CONVENTIONS.find((name) => name === suite) ?? 'exit';
}

export function judge(convention: Convention, outcome: CaseOutcome): Judgement {
  if (outcome.tohost !== null && outcome.tohost !== 0) {
    // riscv-test-env: 1 passes, else (number of the test << 1) | 1.
    return outcome.tohost === 1 ? PASS : { verdict: 'fail', detail: `tohost: test ${outcome.tohost >>> 1}` };
  }
  if (outcome.signal !== null) return { verdict: 'signal', detail: `signal ${outcome.signal}${hint(outcome.output)}` };
  const code = outcome.code ?? -1;
  if (convention === 'ltp') return judgeLtp(code, outcome.output);
  if (convention === 'kselftest') return judgeTap(code, outcome.output);
  if (code === 0) return PASS;
  if (convention === 'open_posix') {
    const verdict = ({ 2: 'unresolved', 4: 'unsupported', 5: 'untested' } as const)[code] ?? 'fail';
    return { verdict, detail: `exit ${code}${hint(outcome.output)}` };
  }
  return { verdict: 'fail', detail: `exit ${code}${hint(outcome.output)}` };
}

const PASS: Judgement = { verdict: 'pass', detail: '' };

/** LTP's exit status is a set of bits: TFAIL 1, TBROK 2, TWARN 4, TCONF 32; a line may tell more than the status of the first process. */
function judgeLtp(code: number, output: string): Judgement {
  const line = (word: string) => output.split('\n').find((text) => text.includes(word)) ?? '';
  const says = (word: string) => new RegExp(`\\b${word}\\b`).test(output);
  if ((code & 1) !== 0 || says('TFAIL')) return { verdict: 'fail', detail: clip(line('TFAIL')) || `exit ${code}` };
  if ((code & 2) !== 0 || says('TBROK')) return { verdict: 'broken', detail: clip(line('TBROK')) || `exit ${code}` };
  if ((code & 4) !== 0 || says('TWARN')) return { verdict: 'fail', detail: clip(line('TWARN')) || `exit ${code}` };
  if (code === 32) return { verdict: 'skip', detail: clip(line('TCONF')) || 'TCONF' };
  return code === 0 ? PASS : { verdict: 'fail', detail: `exit ${code}${hint(output)}` };
}

/** kselftest: exit 4 (KSFT_SKIP), TAP lines. */
function judgeTap(code: number, output: string): Judgement {
  const bad = output.split('\n').find((line) => /^\s*not ok\b/.test(line) && !/#\s*(SKIP|TODO|XFAIL)/i.test(line));
  if (code === 4) return { verdict: 'skip', detail: `exit 4${hint(output)}` };
  if (bad !== undefined) return { verdict: 'fail', detail: clip(bad) };
  return code === 0 ? PASS : { verdict: 'fail', detail: `exit ${code}${hint(output)}` };
}

/** The last line that the program wrote. */
function hint(output: string): string {
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  return last === '' ? '' : `: ${clip(last)}`;
}

/** One printable line, without tabs, of at most 160 characters. */
function clip(text: string): string {
  return text
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 160);
}

/** Bytes of a signature or of its reference: either raw, or lines of hex words with the highest digit first (riscv-arch-test). */
export function signatureBytes(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  const words = text.split(/\s+/).filter((word) => word !== '');
  if (words.length === 0 || !words.every((word) => /^[0-9a-f]{8}(?:[0-9a-f]{8})?$/i.test(word))) return bytes;
  return Buffer.concat(words.map((word) => Buffer.from(word, 'hex').reverse()));
}
