import type { CallStacks, CodeFrame } from '../code/call-stacks.ts';
import type { SourceFrames } from '../code/source-frames.ts';
import { CALLSTACK, FRAME, INTERNED, INTERNED_STRING } from './perfetto-fields.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** Call stacks of a Perfetto trace. Each, and each of its frames and names, is written once: before the first event that has it. */
export class PerfettoStacks {
  private readonly stacks: CallStacks;
  private readonly sources: SourceFrames;
  private readonly written = new Set<number>();
  private readonly frames = new Map<CodeFrame, readonly number[]>();
  private readonly names = new Map<string, number>();
  private readonly paths = new Map<string, number>();
  private nextFrame = 1;
  private interned = new ProtobufWriter();
  private hasInterned = false;

  constructor(stacks: CallStacks, sources: SourceFrames) {
    this.stacks = stacks;
    this.sources = sources;
  }

  /** Its iid, which is the stack's number; 0: there are no frames. */
  idOf(stack: number): number {
    if (stack === 0 || this.written.has(stack)) return stack;
    this.written.add(stack);
    const frames = this.stacks.framesOf(stack).flatMap((frame) => this.framesOf(frame));
    // The outermost frame first.
    const message = new ProtobufWriter().number(CALLSTACK.iid, stack);
    for (const frame of frames.reverse()) message.number(CALLSTACK.frames, frame);
    this.intern(INTERNED.callstacks, message);
    return stack;
  }

  /** The interned data that is new since the last time: it goes with the packet that has it. */
  takeNew(): ProtobufWriter | null {
    if (!this.hasInterned) return null;
    const { interned } = this;
    this.interned = new ProtobufWriter();
    this.hasInterned = false;
    return interned;
  }

  /** Innermost first: of inlined functions, each has a frame. */
  private framesOf(frame: CodeFrame): readonly number[] {
    let numbers = this.frames.get(frame);
    if (numbers !== undefined) return numbers;
    numbers = this.sources.of(frame).map(({ symbol, file, line }) => {
      const name = this.textId(this.names, INTERNED.functionNames, symbol);
      const message = new ProtobufWriter().number(FRAME.iid, this.nextFrame).number(FRAME.functionName, name);
      if (file !== '') {
        message.number(FRAME.sourcePath, this.textId(this.paths, INTERNED.sourcePaths, file));
        message.number(FRAME.line, line);
      }
      this.intern(INTERNED.frames, message);
      return this.nextFrame++;
    });
    this.frames.set(frame, numbers);
    return numbers;
  }

  private textId(known: Map<string, number>, field: number, text: string): number {
    let iid = known.get(text);
    if (iid === undefined) {
      iid = known.size + 1;
      known.set(text, iid);
      this.intern(field, new ProtobufWriter().number(INTERNED_STRING.iid, iid).text(INTERNED_STRING.text, text));
    }
    return iid;
  }

  private intern(field: number, message: ProtobufWriter): void {
    this.interned.message(field, message);
    this.hasInterned = true;
  }
}
