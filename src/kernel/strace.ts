import { ERRNO_NAMES } from '../abi/errno.ts';
import { ERRNO_TEXTS } from './strace/errno-texts.ts';
import { signalName } from './strace/signal-flags.ts';
import { SIGNATURES, UNKNOWN_CALL } from './strace/signatures.ts';
import { signalInfo } from './strace/structs.ts';
import { CallView, type Peek } from './strace/view.ts';
import type { TracedSignal, TracedTask, Tracer } from './tracer.ts';

/** strace -a: the column of the "=" of a result. */
const RESULT_COLUMN = 40;

/** A call between entry and exit. */
interface OpenCall {
  readonly view: CallView;
  /** Text printed or ready to print: up to the first argument that the call fills in. */
  head: string;
  /** Index of the first argument that is not in `head`. */
  next: number;
  /** The line was cut by another task's: the rest comes as "<... name resumed>". */
  cut: boolean;
}

/**
 * A reader that writes what `strace -f` would (version 6.1 on riscv64): one line a call, signal or exit. It keeps the line of
 * a call open until the call returns; when another task has something to say before, the line ends in "<unfinished ...>".
 * It changes nothing in the machine: user memory is read through `peek`, which neither faults nor marks pages accessed.
 */
export class Strace<T extends TracedTask = TracedTask> implements Tracer<T> {
  private readonly write: (line: string) => void;
  private readonly peekOf: (task: T) => Peek;
  private readonly open = new Map<number, OpenCall>();
  /** The task whose line is open and not yet cut; 0: none. */
  private openTid = 0;
  private readonly alive = new Set<number>();

  /** `write` gets whole lines without the line end. */
  constructor(write: (line: string) => void, peekOf: (task: T) => Peek) {
    this.write = write;
    this.peekOf = peekOf;
  }

  syscallEnter(task: T, name: string, args: readonly number[]): void {
    this.alive.add(task.tid);
    this.cutOpenLine(task.tid);
    const view = new CallView(name, [...args], this.peekOf(task));
    const call: OpenCall = { view, head: '', next: 0, cut: false };
    printHead(call);
    this.open.set(task.tid, call);
    this.openTid = task.tid;
  }

  syscallExit(task: T, result: number): void {
    const call = this.open.get(task.tid);
    if (call === undefined) return;
    this.cutOpenLine(task.tid);
    this.open.delete(task.tid);
    this.openTid = 0;
    const { view } = call;
    view.result = result;
    // What the call itself brought in can be shown now; after execve the old memory is gone.
    if (view.hasMissed && !call.cut && (view.name !== 'execve' || result < 0)) printHead(call);
    const signature = signatureOf(view.name);
    const parts: string[] = [];
    for (let i = call.next; i < signature.args.length; i++) {
      const text = signature.args[i].print(view, i);
      if (text !== null) parts.push(text);
    }
    const tail = parts.join(', ');
    const head = call.cut ? `<... ${view.name} resumed>` : call.head;
    const body = tail === '' && head.endsWith(', ') ? head.slice(0, -2) : head + tail;
    const line = `${this.prefix(task.tid)}${body})`;
    this.write(`${line.padEnd(RESULT_COLUMN - 1)} = ${resultText(view, signature.result)}`);
  }

  signalDelivered(task: T, signal: TracedSignal): void {
    this.cutOpenLine(task.tid);
    this.finishOpenCall(task.tid);
    this.write(`${this.prefix(task.tid)}--- ${signalName(signal.signo)} ${signalInfo(signal)} ---`);
  }

  taskNew(_parent: T, child: T): void {
    if (this.alive.size === 0) this.alive.add(_parent.tid);
    this.alive.add(child.tid);
    if (this.open.has(_parent.tid)) return;
    this.write(`strace: Process ${child.tid} attached`);
  }

  taskExit(task: T, status: number): void {
    this.cutOpenLine(task.tid);
    this.finishOpenCall(task.tid);
    const signo = status & 0x7f;
    const how =
      signo === 0
        ? `exited with ${(status >> 8) & 0xff}`
        : `killed by ${signalName(signo)}${(status & 0x80) !== 0 ? ' (core dumped)' : ''}`;
    this.write(`${this.prefix(task.tid)}+++ ${how} +++`);
    this.alive.delete(task.tid);
  }

  /** strace shows the pid as soon as there is more than one task. */
  private prefix(tid: number): string {
    return this.alive.size > 1 ? `[pid ${String(tid).padStart(5)}] ` : '';
  }

  /** Another task than `tid` has its line open: end it. */
  private cutOpenLine(tid: number): void {
    if (this.openTid === 0 || this.openTid === tid) return;
    const call = this.open.get(this.openTid);
    if (call !== undefined && !call.cut) {
      this.write(`${this.prefix(this.openTid)}${call.head} <unfinished ...>`);
      call.cut = true;
    }
    this.openTid = 0;
  }

  /** A call that never returns (exit, or killed inside it). */
  private finishOpenCall(tid: number): void {
    const call = this.open.get(tid);
    if (call === undefined) return;
    this.open.delete(tid);
    if (this.openTid === tid) this.openTid = 0;
    const head = call.cut ? `<... ${call.view.name} resumed>` : call.head;
    const line = `${this.prefix(tid)}${head.endsWith(', ') ? head.slice(0, -2) : head}`;
    const exits = call.view.name === 'exit' || call.view.name === 'exit_group';
    this.write(exits || call.cut ? `${`${line})`.padEnd(RESULT_COLUMN - 1)} = ?` : `${line} <unfinished ...>) = ?`);
  }
}

/** Prints the name and the arguments that are known at entry. */
function printHead(call: OpenCall): void {
  const { view } = call;
  const { args } = signatureOf(view.name);
  const parts: string[] = [];
  for (call.next = 0; call.next < args.length && args[call.next].at === 'enter'; call.next++) {
    const text = args[call.next].print(view, call.next);
    if (text !== null) parts.push(text);
  }
  call.head = `${view.name}(${parts.join(', ')}`;
  if (parts.length > 0 && call.next < args.length) call.head += ', ';
}

function signatureOf(name: string): (typeof SIGNATURES)[string] {
  return SIGNATURES[name] ?? UNKNOWN_CALL;
}

const RESTARTS: Readonly<Record<number, string>> = {
  512: 'ERESTARTSYS (To be restarted if SA_RESTART is set)',
  513: 'ERESTARTNOINTR (To be restarted)',
  514: 'ERESTARTNOHAND (To be restarted if no handler)',
  516: 'ERESTART_RESTARTBLOCK (Interrupted by signal)',
};

function resultText(view: CallView, format: ((view: CallView) => string) | undefined): string {
  const { result } = view;
  if (result >= 0) return format === undefined ? String(result) : format(view);
  const restart = RESTARTS[-result];
  if (restart !== undefined) return `? ${restart}`;
  const name = ERRNO_NAMES[-result];
  return name === undefined ? String(result) : `-1 ${name} (${ERRNO_TEXTS[-result] ?? 'Unknown error'})`;
}
