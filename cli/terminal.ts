import { spawnSync } from 'node:child_process';
import type { NodeEnvironment } from './node-environment.ts';

/** The host's side of the guest's terminal: raw mode while a program runs, and the keys typed, handed to the environment. */
export interface Terminal {
  /** Resolves when there is new input, or its end, a call of `wake`, or after `atMostMs` (Infinity: some day). */
  nextInput(atMostMs: number): Promise<void>;
  /** Ends a wait of nextInput. */
  wake(): void;
  /** Lets the host's own events (keys, signals) happen. */
  breathe(): Promise<void>;
  close(): void;
}

/** setTimeout takes no more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function openTerminal(environment: NodeEnvironment): Terminal {
  const isTerminal = environment.stdio[0] === 'tty';
  let arrived: (() => void) | null = null;
  const wake = () => {
    arrived?.();
    arrived = null;
  };
  const onData = (chunk: Buffer) => {
    environment.pushInput(new Uint8Array(chunk));
    wake();
  };
  const onEnd = () => {
    environment.endInput();
    wake();
  };
  const output = holdOutput(environment);
  if (isTerminal) {
    // The guest's own line discipline does the echo, the editing and the signals.
    const { stdin } = process;
    stdin.setRawMode(true);
    stdin.on('data', onData);
    stdin.on('end', onEnd);
    stdin.on('error', onEnd);
  }
  // Raw mode of Node keeps the output's newline translation, which the guest's line discipline does too.
  output.makeRaw();
  return {
    nextInput: (atMostMs) =>
      new Promise((resolve) => {
        // Without an end in sight too: nothing else keeps Node alive while only a signal can end the wait.
        const timer = setTimeout(wake, Math.min(Math.ceil(atMostMs), LONGEST_TIMER_MS));
        arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    wake,
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
    close: () => {
      if (isTerminal) {
        const { stdin } = process;
        stdin.off('data', onData);
        stdin.off('end', onEnd);
        stdin.off('error', onEnd);
        stdin.setRawMode(false);
        stdin.pause();
      }
      output.restore();
    },
  };
}

/** Output processing of the terminal that the guest writes to, through stty(1), for Node has no call for it. */
function holdOutput(environment: NodeEnvironment): { makeRaw: () => void; restore: () => void } {
  const descriptor = environment.stdio.findIndex((kind, i) => kind === 'tty' && i > 0);
  if (descriptor < 0) return { makeRaw: () => {}, restore: () => {} };
  const stty = (argument: string): string => {
    const result = spawnSync('stty', [argument], { stdio: [descriptor, 'pipe', 'ignore'], encoding: 'utf8' });
    return result.status === 0 ? result.stdout.trim() : '';
  };
  const saved = stty('-g');
  const restore = () => {
    if (saved !== '') stty(saved);
  };
  return {
    makeRaw: () => {
      if (saved === '') return;
      stty('-opost');
      process.once('exit', restore);
    },
    restore: () => {
      process.off('exit', restore);
      restore();
    },
  };
}
