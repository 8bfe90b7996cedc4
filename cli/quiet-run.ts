import { spawn } from 'node:child_process';

export interface QuietRun {
  /** Of the program; 128 + N after signal N. */
  readonly exitStatus: number;
  /** The first bytes of standard error. */
  readonly errors: string;
}

/** Standard error beyond this is nobody's reading. */
const MOST_ERROR_BYTES = 10_000;

/**
 * `faultline run` with these words, as a process of its own, whose output nobody sees: what one run does cannot disturb another one, several
 * go at once, and a machine's memory is gone with it.
 */
export function runQuietly(words: readonly string[], input: Uint8Array): Promise<QuietRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [process.argv[1], 'run', ...words], { stdio: ['pipe', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      if (errors.length < MOST_ERROR_BYTES) errors += text;
    });
    // A program need not read its input.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('error', reject);
    child.on('close', (code) => resolve({ exitStatus: code ?? 255, errors }));
  });
}
