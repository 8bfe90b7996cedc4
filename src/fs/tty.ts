import { EAGAIN, EIO } from '../abi/errno.ts';
import {
  ECHO,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNCR,
  INLCR,
  ISIG,
  ISTRIP,
  IUCLC,
  IXANY,
  IXON,
  NOFLSH,
  VEOF,
  VEOL,
  VEOL2,
  VERASE,
  VINTR,
  VKILL,
  VLNEXT,
  VMIN,
  VQUIT,
  VREPRINT,
  VSTART,
  VSTOP,
  VSUSP,
  VTIME,
  VWERASE,
} from '../abi/termios.ts';
import type { IoSink, IoSource } from '../base/io.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import type { FsCore } from './fs-core.ts';
import { makeTermios, type Termios } from './termios.ts';
import { TtyOutput } from './tty-output.ts';

const SIGINT = 2;
const SIGQUIT = 3;
const SIGTSTP = 20;
const SIGTTIN = 21;
const SIGTTOU = 22;
const TOSTOP = 0x100;

/** N_TTY_BUF_SIZE: bytes of input that are kept; the last place of a line is for its end. */
const BUFFER_BYTES = 4096;
/** Marks in `ready` beside the byte: a line ends with it; it ends the line but is not data (VEOF). */
const LINE_END = 0x100;
const NOT_DATA = 0x200;

/**
 * The terminal: Linux's N_TTY line discipline (drivers/tty/n_tty.c) between the host's terminal and the guest's descriptors.
 *
 *   host bytes --receive--> [edit line] --newline, EOF--> ready --read--> guest        (canonical)
 *   host bytes --receive-------------------------------> ready --read--> guest        (raw)
 *   guest --write--> TtyOutput (OPOST) --> Environment.writeOutput
 *
 * Invariants:
 *  Y1 Raw mode: `line` is empty.
 *  Y2 ready.length + line.length <= 4096.
 */
export class Tty {
  readonly core: FsCore;
  termios: Termios = makeTermios();
  /** [rows, columns] set by TIOCSWINSZ; null: the host's. */
  windowSize: readonly [number, number] | null = null;
  /** Session whose controlling terminal it is, and its foreground group; 0 none. */
  session = 0;
  foregroundPgrp = 0;
  /** Signals for process groups: the kernel sends them and empties the list after each call that may add some. */
  readonly pendingSignals: { pgrp: number; signal: number }[] = [];
  readonly readQueue: WaitQueue;
  readonly writeQueue: WaitQueue;
  readonly output: TtyOutput;
  /** Output is stopped by VSTOP. */
  isStopped = false;
  /** The host's input has ended: reads return 0. */
  isHungUp = false;
  private readonly ready: number[] = [];
  private readonly line: number[] = [];
  private isNextLiteral = false;

  constructor(core: FsCore, outputDescriptor: 1 | 2 | null) {
    this.core = core;
    this.readQueue = core.makeQueue();
    this.writeQueue = core.makeQueue();
    this.output = new TtyOutput(core, this, outputDescriptor);
  }

  has(lflag: number): boolean {
    return (this.termios.lflag & lflag) !== 0;
  }

  /** Somebody waits for keys. */
  get isInputAwaited(): boolean {
    return this.readQueue.waiters.length > 0;
  }

  /** FIONREAD. */
  get readableBytes(): number {
    if (!this.has(ICANON)) return this.ready.length;
    let bytes = 0;
    for (const mark of this.ready) if ((mark & NOT_DATA) === 0) bytes++;
    return bytes;
  }

  get isReadable(): boolean {
    if (this.isHungUp) return true;
    if (this.has(ICANON)) return this.ready.length > 0;
    const { cc } = this.termios;
    return this.ready.length >= (cc[VTIME] === 0 && cc[VMIN] > 0 ? cc[VMIN] : 1);
  }

  /** n_tty_read without the waiting: bytes, 0 at the end of file, -EAGAIN. */
  read(sink: IoSink): number {
    if (sink.remaining === 0) return 0;
    if (this.has(ICANON)) return this.readLine(sink);
    const { cc } = this.termios;
    const wanted = Math.min(Math.max(cc[VMIN], 1), sink.remaining);
    if (this.ready.length < wanted && !this.isHungUp) {
      if (this.ready.length === 0) return cc[VMIN] === 0 && cc[VTIME] === 0 ? 0 : -EAGAIN;
      if (cc[VMIN] > 0 && cc[VTIME] === 0) return -EAGAIN;
    }
    const bytes = Uint8Array.from(this.ready.slice(0, Math.min(this.ready.length, sink.remaining)));
    const moved = sink.put(bytes);
    this.ready.splice(0, moved);
    return moved;
  }

  private readLine(sink: IoSink): number {
    if (this.ready.length === 0) return this.isHungUp ? 0 : -EAGAIN;
    const bytes: number[] = [];
    let taken = 0;
    for (const mark of this.ready) {
      if ((mark & NOT_DATA) !== 0) {
        taken++;
        break;
      }
      if (bytes.length === sink.remaining) break;
      bytes.push(mark & 0xff);
      taken++;
      if ((mark & LINE_END) !== 0) break;
    }
    const moved = sink.put(Uint8Array.from(bytes));
    // An end-of-file mark right behind a full buffer goes with the read, or the next one would report a false end.
    if (moved === bytes.length && taken === moved && this.ready[taken] !== undefined) {
      const isLineDone = taken > 0 && (this.ready[taken - 1] & LINE_END) !== 0;
      if (!isLineDone && (this.ready[taken] & NOT_DATA) !== 0) taken++;
    }
    this.ready.splice(0, moved < bytes.length ? moved : taken);
    return moved;
  }

  /** VTIME: a raw read that waits gives up after so long (10ths of a second); only with VMIN 0, else from the first byte on. */
  get readTimeoutNs(): number {
    const { cc } = this.termios;
    if (this.has(ICANON) || cc[VTIME] === 0) return Number.POSITIVE_INFINITY;
    return cc[VMIN] === 0 || this.ready.length > 0 ? cc[VTIME] * 100_000_000 : Number.POSITIVE_INFINITY;
  }

  /** n_tty_write: bytes taken, -EAGAIN while output is stopped, the host's error. */
  write(source: IoSource): number {
    if (this.isStopped) return -EAGAIN;
    return this.output.writeFrom(source);
  }

  /** Bytes from the host's terminal. */
  receive(bytes: Uint8Array): void {
    for (const byte of bytes) this.receiveByte(byte);
    this.output.flush();
    if (this.ready.length > 0) this.readQueue.wakeAll();
  }

  /** The host's terminal is gone. */
  hangUp(): void {
    this.isHungUp = true;
    this.ready.push(...this.line.splice(0));
    this.readQueue.wakeAll();
  }

  private receiveByte(raw: number): void {
    const { iflag, cc } = this.termios;
    let byte = (iflag & ISTRIP) !== 0 ? raw & 0x7f : raw;
    if ((iflag & IUCLC) !== 0 && this.has(IEXTEN) && byte >= 65 && byte <= 90) byte += 32;
    if (this.isNextLiteral) {
      this.isNextLiteral = false;
      this.accept(byte);
      return;
    }
    if ((iflag & IXON) !== 0 && this.receiveFlowControl(byte)) return;
    if (this.has(ISIG) && this.receiveSignal(byte)) return;
    if (byte === 13) {
      if ((iflag & IGNCR) !== 0) return;
      if ((iflag & ICRNL) !== 0) byte = 10;
    } else if (byte === 10 && (iflag & INLCR) !== 0) byte = 13;
    if (this.has(ICANON) && this.receiveEditing(byte)) return;
    if (
      this.has(ICANON) &&
      (byte === 10 || matches(cc, VEOL, byte) || (matches(cc, VEOL2, byte) && this.has(IEXTEN)))
    ) {
      if (this.has(ECHO) || (byte === 10 && this.has(0x40))) this.output.echo(byte);
      this.endLine(byte | LINE_END);
      return;
    }
    this.accept(byte);
  }

  private receiveFlowControl(byte: number): boolean {
    const { cc, iflag } = this.termios;
    if (matches(cc, VSTOP, byte)) {
      this.isStopped = true;
      return true;
    }
    if (matches(cc, VSTART, byte)) {
      this.start();
      return true;
    }
    if (this.isStopped && (iflag & IXANY) !== 0) this.start();
    return false;
  }

  start(): void {
    this.isStopped = false;
    this.writeQueue.wakeAll();
  }

  private receiveSignal(byte: number): boolean {
    const { cc } = this.termios;
    const signal = matches(cc, VINTR, byte)
      ? SIGINT
      : matches(cc, VQUIT, byte)
        ? SIGQUIT
        : matches(cc, VSUSP, byte)
          ? SIGTSTP
          : 0;
    if (signal === 0) return false;
    if (this.isStopped) this.start();
    if (!this.has(NOFLSH)) this.flushInput();
    if (this.has(ECHO)) this.output.echo(byte);
    this.signal(signal);
    return true;
  }

  /** To the foreground group. */
  signal(signal: number): void {
    if (this.foregroundPgrp !== 0) this.pendingSignals.push({ pgrp: this.foregroundPgrp, signal });
  }

  /** Canonical mode: keys that change the line or end it without a newline. */
  private receiveEditing(byte: number): boolean {
    const { cc } = this.termios;
    if (matches(cc, VERASE, byte)) this.erase('char', byte);
    else if (matches(cc, VKILL, byte)) this.erase('line', byte);
    else if (matches(cc, VWERASE, byte) && this.has(IEXTEN)) this.erase('word', byte);
    else if (matches(cc, VLNEXT, byte) && this.has(IEXTEN)) {
      this.isNextLiteral = true;
      if (this.has(ECHO)) this.output.echoNextLiteral();
    } else if (matches(cc, VREPRINT, byte) && this.has(ECHO) && this.has(IEXTEN)) {
      this.output.echo(byte);
      this.output.echo(10);
      for (const each of this.line) this.output.echo(each);
    } else if (matches(cc, VEOF, byte)) this.endLine(LINE_END | NOT_DATA);
    else return false;
    return true;
  }

  /** n_tty eraser: takes characters off the line and off the screen. */
  private erase(what: 'char' | 'word' | 'line', key: number): void {
    if (this.line.length === 0) return;
    const isUtf8 = (this.termios.iflag & 0x4000) !== 0;
    if (what === 'line' && !this.output.echoesEachErase('line')) {
      this.line.length = 0;
      this.output.echoKill(key);
      return;
    }
    let hasSeenWord = false;
    while (this.line.length > 0) {
      let start = this.line.length - 1;
      while (isUtf8 && start > 0 && (this.line[start] & 0xc0) === 0x80) start--;
      const byte = this.line[start];
      if (what === 'word') {
        if (isWordByte(byte)) hasSeenWord = true;
        else if (hasSeenWord) break;
      }
      this.line.length = start;
      this.output.echoErase(byte, this.line, key);
      if (what === 'char') break;
    }
  }

  private accept(byte: number): void {
    const room = BUFFER_BYTES - 1 - this.ready.length - this.line.length;
    if (room <= 0) {
      if ((this.termios.iflag & 0x2000) !== 0) this.output.bell();
      return;
    }
    if (this.has(ECHO)) {
      if (this.line.length === 0) this.output.beginLine();
      this.output.echo(byte);
    }
    (this.has(ICANON) ? this.line : this.ready).push(byte);
  }

  private endLine(mark: number): void {
    for (const byte of this.line) this.ready.push(byte);
    this.line.length = 0;
    if (this.ready.length < BUFFER_BYTES) this.ready.push(mark);
    this.readQueue.wakeAll();
  }

  flushInput(): void {
    this.ready.length = 0;
    this.line.length = 0;
  }

  /** TCSETS: going raw frees the line in the making; going canonical makes a line of what is there (n_tty_set_termios). */
  setTermios(termios: Termios): void {
    const wasCanonical = this.has(ICANON);
    const hadFlow = (this.termios.iflag & IXON) !== 0;
    this.termios = termios;
    const isCanonical = this.has(ICANON);
    if (wasCanonical && !isCanonical) {
      this.ready.push(...this.line.splice(0));
      for (let i = this.ready.length - 1; i >= 0; i--) {
        if ((this.ready[i] & NOT_DATA) !== 0) this.ready[i] = 0;
        else this.ready[i] &= 0xff;
      }
      this.isNextLiteral = false;
    } else if (!wasCanonical && isCanonical && this.ready.length > 0) {
      this.ready[this.ready.length - 1] |= LINE_END;
    }
    if (hadFlow && (termios.iflag & IXON) === 0 && this.isStopped) this.start();
    if (this.isReadable) this.readQueue.wakeAll();
  }

  /**
   * __tty_check_change and job_control (drivers/tty): 0 if the caller may go on, the signal that its group gets first
   * (SIGTTIN, SIGTTOU), or -EIO where it would be stopped with nobody to wake it (orphaned group). Whether the signal is
   * blocked or ignored is the kernel's to look at: then a read is -EIO, and a write or change goes on.
   */
  checkJobControl(operation: 'read' | 'write' | 'change'): number {
    const { current, jobControl } = this.core;
    if (this.session === 0 || current.session !== this.session) return 0;
    if (this.foregroundPgrp === 0 || current.pgrp === this.foregroundPgrp) return 0;
    if (operation === 'write' && !this.has(TOSTOP)) return 0;
    if (jobControl?.isOrphaned(current.pgrp) === true) return -EIO;
    return operation === 'read' ? SIGTTIN : SIGTTOU;
  }
}

/** A control character that is set (0 is __DISABLED_CHAR). */
function matches(cc: Uint8Array, index: number, byte: number): boolean {
  return cc[index] !== 0 && cc[index] === byte;
}

function isWordByte(byte: number): boolean {
  return (
    (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte === 95 || byte > 127
  );
}
