import { type AccessSink, type TraceDecoder, TraceError } from './access.ts';

const NEWLINE = 10;
const RETURN = 13;
/** No line of a trace is longer; what is, is no text. */
const LONGEST_LINE = 65_536;

/** A trace of lines: finds them in pieces of any length, and keeps nothing but a line that goes on in the next piece. */
export abstract class LineDecoder implements TraceDecoder {
  /** Of the line that is read now, from 1. */
  protected lineNumber = 0;
  private readonly begun = new Uint8Array(LONGEST_LINE);
  private begunLength = 0;

  push(bytes: Uint8Array, sink: AccessSink): void {
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, start);
      if (end < 0) break;
      if (this.begunLength > 0) {
        this.keep(bytes.subarray(start, end));
        this.takeLine(this.begun, 0, this.begunLength, sink);
        this.begunLength = 0;
      } else this.takeLine(bytes, start, end, sink);
      start = end + 1;
    }
    this.keep(bytes.subarray(start));
  }

  end(sink: AccessSink): string | null {
    if (this.begunLength === 0) return null;
    try {
      this.takeLine(this.begun, 0, this.begunLength, sink);
    } catch (error) {
      if (error instanceof TraceError) return `line ${this.lineNumber}, the last one, is cut off`;
      throw error;
    }
    return `line ${this.lineNumber}, the last one, has no end; the trace may be cut off`;
  }

  /** One line without its end, bytes[start, end). */
  protected abstract line(bytes: Uint8Array, start: number, end: number, sink: AccessSink): void;

  protected wrong(bytes: Uint8Array, start: number, end: number, wanted: string): TraceError {
    const text = new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 60)));
    // Control characters would disturb a terminal.
    const shown = JSON.stringify(text).slice(1, -1);
    return new TraceError(`line ${this.lineNumber}: '${shown}' is ${wanted}`);
  }

  private takeLine(bytes: Uint8Array, start: number, end: number, sink: AccessSink): void {
    this.lineNumber++;
    this.line(bytes, start, end > start && bytes[end - 1] === RETURN ? end - 1 : end, sink);
  }

  private keep(part: Uint8Array): void {
    if (this.begunLength + part.length > LONGEST_LINE)
      throw new TraceError(`line ${this.lineNumber + 1} is longer than ${LONGEST_LINE} bytes: this is no such trace`);
    this.begun.set(part, this.begunLength);
    this.begunLength += part.length;
  }
}
