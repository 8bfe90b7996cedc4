import { ENOENT } from '../../abi/errno.ts';
import type { Environment, HostFiles, HostStat, StdioKind } from '../../machine/environment.ts';
import { type Answer, filesOf, type JournalReader } from './journal.ts';
import { QUESTION, type Question } from './questions.ts';

/** The run is not the one that was recorded. One line. */
export class ReplayError extends Error {}

/** The recording was cut off before this point of the run. The machine is in the middle of a trap. */
export class RecordingCut extends ReplayError {}

export type OutputListener = (descriptor: 1 | 2, bytes: Uint8Array) => void;

/** An Environment that answers as another one did when a run was recorded. Nothing of the host is touched. */
export class ReplayEnvironment implements Environment {
  readonly host: HostFiles | null;
  readonly stdio: readonly [StdioKind, StdioKind, StdioKind];
  private readonly journal: JournalReader;
  private readonly onOutput: OutputListener;
  private readonly files: ReplayHostFiles;

  constructor(
    journal: JournalReader,
    recorded: {
      readonly stdio: readonly [StdioKind, StdioKind, StdioKind];
      readonly hasHost: boolean;
    },
    onOutput: OutputListener,
  ) {
    this.journal = journal;
    this.stdio = recorded.stdio;
    this.files = new ReplayHostFiles(journal);
    this.host = recorded.hasHost ? this.files : null;
    this.onOutput = onOutput;
  }

  observe<T>(work: () => T): T {
    const { isObserved } = this.files;
    this.files.isObserved = true;
    try {
      return work();
    } finally {
      this.files.isObserved = isObserved;
    }
  }

  readInput(max: number): Uint8Array | 'eof' | 'later' {
    const { answer, bytes } = answerTo(this.journal, QUESTION.readInput(max));
    return typeof answer === 'string' ? (answer as 'eof' | 'later') : bytes.slice();
  }

  writeOutput(descriptor: 1 | 2, bytes: Uint8Array): number {
    const { answer } = answerTo(this.journal, QUESTION.writeOutput(descriptor, bytes.length));
    this.onOutput(descriptor, bytes);
    return answer as number;
  }

  windowSize(): readonly [rows: number, columns: number] {
    return answerTo(this.journal, QUESTION.windowSize()).answer as unknown as readonly [number, number];
  }

  hostTimeNs(): number {
    return answerTo(this.journal, QUESTION.hostTimeNs()).answer as number;
  }
}

class ReplayHostFiles implements HostFiles {
  /** Who asks is no part of the run, and gets what the recording has besides it. */
  isObserved = false;
  private readonly journal: JournalReader;
  /** Read when somebody looks for names. */
  private kept: ReadonlyMap<string, Uint8Array> | null = null;

  constructor(journal: JournalReader) {
    this.journal = journal;
  }

  private answer<T>(to: Question): T {
    return answerTo(this.journal, to).answer as T;
  }

  stat(path: string): HostStat | number {
    return this.answer(QUESTION.stat(path));
  }
  readdir(path: string): string[] | number {
    return this.answer(QUESTION.readdir(path));
  }
  readlink(path: string): string | number {
    return this.answer(QUESTION.readlink(path));
  }
  read(path: string, position: number, into: Uint8Array): number {
    if (this.isObserved) {
      this.kept ??= filesOf(this.journal.source);
      const bytes = this.kept.get(path)?.subarray(position, position + into.length);
      if (bytes !== undefined) into.set(bytes);
      return bytes?.length ?? -ENOENT;
    }
    const { answer, bytes } = answerTo(this.journal, QUESTION.read(path, position, into.length));
    into.set(bytes);
    return answer as number;
  }
  write(path: string, position: number, from: Uint8Array): number {
    return this.answer(QUESTION.write(path, position, from.length));
  }
  truncate(path: string, size: number): number {
    return this.answer(QUESTION.truncate(path, size));
  }
  create(path: string, mode: number): number {
    return this.answer(QUESTION.create(path, mode));
  }
  mkdir(path: string, mode: number): number {
    return this.answer(QUESTION.mkdir(path, mode));
  }
  symlink(target: string, path: string): number {
    return this.answer(QUESTION.symlink(target, path));
  }
  link(existing: string, path: string): number {
    return this.answer(QUESTION.link(existing, path));
  }
  unlink(path: string): number {
    return this.answer(QUESTION.unlink(path));
  }
  rmdir(path: string): number {
    return this.answer(QUESTION.rmdir(path));
  }
  rename(from: string, to: string): number {
    return this.answer(QUESTION.rename(from, to));
  }
  chmod(path: string, mode: number): number {
    return this.answer(QUESTION.chmod(path, mode));
  }
  utimes(path: string): number {
    return this.answer(QUESTION.utimes(path));
  }
  fsync(path: string): number {
    return this.answer(QUESTION.fsync(path));
  }
}

function answerTo(journal: JournalReader, to: Question): { answer: Answer; bytes: Uint8Array } {
  const entry = journal.next();
  if (entry === null) throw new RecordingCut(`the recording ends where the run asks for: ${to}`);
  if (entry.op === 'answer' && entry.to === to) return entry;
  const there =
    entry.op === 'answer' ? entry.to : entry.op === 'call' ? `a call of ${entry.call.name}` : 'the end of a run';
  throw new ReplayError(`the run is not the recorded one: it asks for "${to}" where the recording has "${there}"`);
}
