import { fstatSync, readSync, statSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Environment, StdioKind } from '../src/index.ts';
import { linuxErrno } from './host-errno.ts';
import { NodeHostFiles } from './node-host-files.ts';

const DEFAULT_WINDOW = [24, 80] as const;
/** A pause between two tries of a descriptor that another program made non-blocking. */
const RETRY_MS = 1;

/** The host as Node shows it: its files, standard descriptors, terminal and clock. */
export class NodeEnvironment implements Environment {
  readonly host = new NodeHostFiles();
  readonly stdio: readonly [StdioKind, StdioKind, StdioKind];
  /** Keys typed on the terminal that the guest has not read. */
  private readonly typed: Uint8Array[] = [];
  private isInputEnded = false;
  /** Wraps a host call that may block for long: the host's signals must get through. */
  whileBlocked: <T>(run: () => T) => T = (run) => run();

  /** What was written since holdOutput. */
  private held: [descriptor: 1 | 2, bytes: Uint8Array][] | null = null;

  constructor() {
    this.stdio = [kindOf(0), kindOf(1), kindOf(2)];
  }

  /** The terminal's keys, as they arrive. */
  pushInput(bytes: Uint8Array): void {
    this.typed.push(bytes);
  }
  endInput(): void {
    this.isInputEnded = true;
  }

  readInput(max: number): Uint8Array | 'eof' | 'later' {
    if (this.stdio[0] === 'tty') {
      const first = this.typed.shift();
      if (first === undefined) return this.isInputEnded ? 'eof' : 'later';
      if (first.length > max) this.typed.unshift(first.subarray(max));
      return first.subarray(0, max);
    }
    if (this.stdio[0] === 'null' || max <= 0) return 'eof';
    return this.whileBlocked(() => readWaiting(max));
  }

  /** From now on what is written waits for releaseOutput. */
  holdOutput(): void {
    this.held ??= [];
  }

  releaseOutput(): void {
    const held = this.held ?? [];
    this.held = null;
    for (const [descriptor, bytes] of held) this.writeOutput(descriptor, bytes);
  }

  writeOutput(descriptor: 1 | 2, bytes: Uint8Array): number {
    if (this.held !== null) {
      this.held.push([descriptor, bytes.slice()]);
      return 0;
    }
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(descriptor, bytes, at, bytes.length - at);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EAGAIN') pause();
        else if (code !== 'EINTR') return linuxErrno(error);
      }
    }
    return 0;
  }

  windowSize(): readonly [rows: number, columns: number] {
    if (!this.stdio.includes('tty')) return DEFAULT_WINDOW;
    for (const stream of [process.stdout, process.stderr]) {
      if (stream.isTTY && stream.rows > 0) return [stream.rows, stream.columns];
    }
    return DEFAULT_WINDOW;
  }

  hostTimeNs(): number {
    return Date.now() * 1_000_000;
  }
}

/** Bytes of standard input, waiting for the first of them. */
function readWaiting(max: number): Uint8Array | 'eof' {
  const bytes = new Uint8Array(max);
  for (;;) {
    try {
      const count = readSync(0, bytes, 0, max, null);
      return count === 0 ? 'eof' : bytes.subarray(0, count);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') pause();
      else if (code !== 'EINTR') return 'eof';
    }
  }
}

/** What a standard descriptor is; one that is closed counts as /dev/null. */
function kindOf(descriptor: 0 | 1 | 2): StdioKind {
  try {
    const stat = fstatSync(descriptor);
    if (stat.isFile()) return 'file';
    if (!stat.isCharacterDevice()) return 'pipe';
    // Asked last: what Node has for terminals takes 6 ms to load.
    if (stat.rdev === statSync('/dev/null', { throwIfNoEntry: false })?.rdev) return 'null';
    return isatty(descriptor) ? 'tty' : 'null';
  } catch {
    return 'null';
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
}
