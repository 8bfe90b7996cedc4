import type { Timespec } from '../../base/timespec.ts';
import type { Environment, HostFiles, HostStat, StdioKind } from '../../machine/environment.ts';
import type { Answer, Journal, JournalEntry } from './journal.ts';
import { QUESTION, type Question } from './questions.ts';

const NOTHING = new Uint8Array(0);

/** An Environment that writes down what another one answers. */
export class RecordingEnvironment implements Environment {
  readonly host: HostFiles | null;
  readonly stdio: readonly [StdioKind, StdioKind, StdioKind];
  private readonly real: Environment;
  private readonly journal: PausableJournal;

  constructor(real: Environment, journal: Journal) {
    this.real = real;
    this.journal = new PausableJournal(journal);
    this.stdio = real.stdio;
    this.host = real.host === null ? null : new RecordingHostFiles(real.host, this.journal);
  }

  observe<T>(work: () => T): T {
    const { isPaused } = this.journal;
    this.journal.isPaused = true;
    try {
      return work();
    } finally {
      this.journal.isPaused = isPaused;
    }
  }

  readInput(max: number): Uint8Array | 'eof' | 'later' {
    const answer = this.real.readInput(max);
    const to = QUESTION.readInput(max);
    if (typeof answer === 'string') note(this.journal, to, answer);
    else note(this.journal, to, answer.length, answer);
    return answer;
  }

  writeOutput(descriptor: 1 | 2, bytes: Uint8Array): number {
    return note(this.journal, QUESTION.writeOutput(descriptor, bytes.length), this.real.writeOutput(descriptor, bytes));
  }

  windowSize(): readonly [rows: number, columns: number] {
    return note(this.journal, QUESTION.windowSize(), this.real.windowSize());
  }

  hostTimeNs(): number {
    return note(this.journal, QUESTION.hostTimeNs(), this.real.hostTimeNs());
  }
}

class PausableJournal implements Journal {
  isPaused = false;
  private readonly journal: Journal;

  constructor(journal: Journal) {
    this.journal = journal;
  }

  add(entry: JournalEntry): void {
    if (!this.isPaused) this.journal.add(entry);
  }
}

/** Larger ones have their names left out. */
const MAX_KEPT_FILE_BYTES = 64 * 2 ** 20;

class RecordingHostFiles implements HostFiles {
  private readonly real: HostFiles;
  private readonly journal: PausableJournal;
  private readonly kept = new Set<string>();

  constructor(real: HostFiles, journal: PausableJournal) {
    this.real = real;
    this.journal = journal;
  }

  private note<T extends Answer>(to: Question, answer: T): T {
    return note(this.journal, to, answer);
  }

  stat(path: string): HostStat | number {
    return this.note(QUESTION.stat(path), this.real.stat(path));
  }
  readdir(path: string): string[] | number {
    return this.note(QUESTION.readdir(path), this.real.readdir(path));
  }
  readlink(path: string): string | number {
    return this.note(QUESTION.readlink(path), this.real.readlink(path));
  }
  read(path: string, position: number, into: Uint8Array): number {
    const count = this.real.read(path, position, into);
    const bytes = count > 0 ? into.subarray(0, count) : NOTHING;
    note(this.journal, QUESTION.read(path, position, into.length), count, bytes);
    if (position === 0 && isElf(bytes)) this.keepWhole(path);
    return count;
  }

  /** A program or library, once. */
  private keepWhole(path: string): void {
    if (this.kept.has(path) || this.journal.isPaused) return;
    this.kept.add(path);
    const stat = this.real.stat(path);
    if (typeof stat === 'number' || stat.size > MAX_KEPT_FILE_BYTES) return;
    const bytes = new Uint8Array(stat.size);
    const count = this.real.read(path, 0, bytes);
    if (count > 0) this.journal.add({ op: 'file', path, bytes: bytes.subarray(0, count) });
  }
  write(path: string, position: number, from: Uint8Array): number {
    return this.note(QUESTION.write(path, position, from.length), this.real.write(path, position, from));
  }
  truncate(path: string, size: number): number {
    return this.note(QUESTION.truncate(path, size), this.real.truncate(path, size));
  }
  create(path: string, mode: number): number {
    return this.note(QUESTION.create(path, mode), this.real.create(path, mode));
  }
  mkdir(path: string, mode: number): number {
    return this.note(QUESTION.mkdir(path, mode), this.real.mkdir(path, mode));
  }
  symlink(target: string, path: string): number {
    return this.note(QUESTION.symlink(target, path), this.real.symlink(target, path));
  }
  link(existing: string, path: string): number {
    return this.note(QUESTION.link(existing, path), this.real.link(existing, path));
  }
  unlink(path: string): number {
    return this.note(QUESTION.unlink(path), this.real.unlink(path));
  }
  rmdir(path: string): number {
    return this.note(QUESTION.rmdir(path), this.real.rmdir(path));
  }
  rename(from: string, to: string): number {
    return this.note(QUESTION.rename(from, to), this.real.rename(from, to));
  }
  chmod(path: string, mode: number): number {
    return this.note(QUESTION.chmod(path, mode), this.real.chmod(path, mode));
  }
  utimes(path: string, atime: Timespec, mtime: Timespec): number {
    return this.note(QUESTION.utimes(path), this.real.utimes(path, atime, mtime));
  }
  fsync(path: string): number {
    return this.note(QUESTION.fsync(path), this.real.fsync(path));
  }
}

function note<T extends Answer>(journal: Journal, to: Question, answer: T, bytes: Uint8Array = NOTHING): T {
  journal.add({ op: 'answer', to, answer, bytes });
  return answer;
}

function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}
