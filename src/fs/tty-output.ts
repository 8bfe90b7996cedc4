import { EFAULT, EIO } from '../abi/errno.ts';
import {
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  ICANON,
  IEXTEN,
  OCRNL,
  OLCUC,
  ONLCR,
  ONLRET,
  ONOCR,
  OPOST,
  TABDLY,
  XTABS,
} from '../abi/termios.ts';
import type { IoSource } from '../base/io.ts';
import type { FsCore } from './fs-core.ts';
import type { Tty } from './tty.ts';

/** Bytes of a write that are processed at a time. */
const CHUNK_BYTES = 4096;

/** The terminal's way out: output processing (do_output_char) and echo. Column positions are kept for tabs and erasing. */
export class TtyOutput {
  private readonly core: FsCore;
  private readonly tty: Tty;
  private readonly descriptor: 1 | 2 | null;
  private column = 0;
  /** Column where the line that is being typed began. */
  private lineColumn = 0;
  private readonly pending: number[] = [];

  constructor(core: FsCore, tty: Tty, descriptor: 1 | 2 | null) {
    this.core = core;
    this.tty = tty;
    this.descriptor = descriptor;
  }

  /** Bytes written, -EFAULT, or the host's error; -EIO where no descriptor of the host leads to the terminal. */
  writeFrom(source: IoSource): number {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(1, source.remaining)));
    let moved = 0;
    while (source.remaining > 0) {
      const count = source.take(chunk);
      if (count > 0) {
        for (let i = 0; i < count; i++) this.process(chunk[i]);
        const error = this.flush();
        if (error < 0) return moved > 0 ? moved : error;
        moved += count;
      }
      if (source.faulted) return moved > 0 ? moved : -EFAULT;
    }
    return moved;
  }

  flush(): number {
    if (this.pending.length === 0) return 0;
    const bytes = Uint8Array.from(this.pending);
    this.pending.length = 0;
    return this.descriptor === null ? -EIO : this.core.environment.writeOutput(this.descriptor, bytes);
  }

  private process(byte: number): void {
    const { oflag } = this.tty.termios;
    if ((oflag & OPOST) === 0) {
      this.put(byte);
      return;
    }
    if (byte === 10) {
      if ((oflag & ONLRET) !== 0) this.column = 0;
      if ((oflag & ONLCR) !== 0) this.put(13);
      this.put(10);
    } else if (byte === 13) {
      if ((oflag & ONOCR) !== 0 && this.column === 0) return;
      this.put((oflag & OCRNL) !== 0 ? 10 : 13);
    } else if (byte === 9 && (oflag & TABDLY) === XTABS) {
      do this.put(32);
      while (this.column % 8 !== 0);
    } else this.put((oflag & OLCUC) !== 0 && byte >= 97 && byte <= 122 ? byte - 32 : byte);
  }

  private put(byte: number): void {
    this.pending.push(byte);
    if (byte === 13) this.column = 0;
    else if (byte === 10) return;
    else if (byte === 8) this.column = Math.max(0, this.column - 1);
    else if (byte === 9) this.column = Math.floor(this.column / 8) * 8 + 8;
    else if (byte >= 32 && byte !== 127 && (byte & 0xc0) !== 0x80) this.column++;
  }

  beginLine(): void {
    this.lineColumn = this.column;
  }

  bell(): void {
    this.put(7);
  }

  /** echo_char: control characters as ^X with ECHOCTL, newline and tab as they are. */
  echo(byte: number): void {
    if (this.tty.has(ECHOCTL) && isControl(byte) && byte !== 9 && byte !== 10) {
      this.put(94);
      this.put(byte ^ 0x40);
    } else this.process(byte);
  }

  /** VLNEXT: ^ and back, until the next key takes its place. */
  echoNextLiteral(): void {
    if (!this.tty.has(ECHOCTL)) return;
    this.put(94);
    this.put(8);
  }

  /** A kill takes each character off the screen; otherwise it shows the key and a new line. */
  echoesEachErase(_what: 'line'): boolean {
    return this.tty.has(ECHO) && this.tty.has(ECHOK) && this.tty.has(ECHOKE) && this.tty.has(ECHOE);
  }

  echoKill(key: number): void {
    if (!this.tty.has(ECHO)) return;
    this.echo(key);
    if (this.tty.has(ECHOK)) this.echo(10);
  }

  /** `byte` has just been taken off the end of `line`. */
  echoErase(byte: number, line: readonly number[], key: number): void {
    if (!this.tty.has(ECHO)) return;
    if (!this.tty.has(ECHOE)) {
      this.echo(key);
      return;
    }
    let columns = 1;
    if (byte === 9) {
      const before = this.columnAfter(line);
      columns = this.column - before;
      for (let i = 0; i < columns; i++) this.put(8);
      return;
    }
    if (isControl(byte)) columns = this.tty.has(ECHOCTL) ? 2 : 0;
    for (let i = 0; i < columns; i++) {
      this.put(8);
      this.put(32);
      this.put(8);
    }
  }

  private columnAfter(line: readonly number[]): number {
    let column = this.lineColumn;
    for (const byte of line) {
      if (byte === 9) column = Math.floor(column / 8) * 8 + 8;
      else if (isControl(byte)) column += this.tty.has(ECHOCTL) ? 2 : 0;
      else if ((byte & 0xc0) !== 0x80) column++;
    }
    return column;
  }

  /** True where a key is neither echoed nor edited: raw mode. */
  get isRaw(): boolean {
    return !this.tty.has(ICANON) && !this.tty.has(IEXTEN);
  }
}

function isControl(byte: number): boolean {
  return byte < 32 || byte === 127;
}
