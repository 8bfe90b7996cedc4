import type { CodeFrame } from './call-stacks.ts';

/** A frame in words. Of a function that is inlined, the one that it is inlined in follows. */
export interface SourcePlace {
  /** The function's name; where nothing names it, its file and where in that it begins (`libfoo.so+0x1234`). */
  readonly symbol: string;
  /** '' where no debug information says it. */
  readonly file: string;
  readonly line: number;
  /** The file that the code is from; '[kernel]'. */
  readonly module: string;
  readonly isInlined: boolean;
}

/** Frames in words, each once. */
export class SourceFrames {
  private readonly known = new Map<CodeFrame, readonly SourcePlace[]>();

  /** Innermost first; at least one. */
  of(frame: CodeFrame): readonly SourcePlace[] {
    let places = this.known.get(frame);
    if (places === undefined) {
      places = describe(frame);
      this.known.set(frame, places);
    }
    return places;
  }

  /** A stack's places, innermost first. */
  ofStack(frames: readonly CodeFrame[]): SourcePlace[] {
    return frames.flatMap((frame) => this.of(frame));
  }
}

function describe(frame: CodeFrame): SourcePlace[] {
  const { module, address, kernel } = frame;
  if (module === null) return [{ symbol: kernel, file: '', line: 0, module: '[kernel]', isInlined: false }];
  const path = module.path === '' ? '[anon code]' : module.path;
  const symbol = (module.path === '' ? null : module.symbols.find(address)?.name) ?? nameless(frame);
  const found = module.path === '' ? [] : module.debug.find(address);
  if (found.length === 0) return [{ symbol, file: '', line: 0, module: path, isInlined: false }];
  return found.map(({ functionName, file, line }, at) => {
    const isInlined = at + 1 < found.length;
    return { symbol: functionName ?? (isInlined ? '??' : symbol), file, line, module: path, isInlined };
  });
}

/** By where the function begins, which unwinding information says of stripped code too; else by the address itself. */
function nameless({ module, address }: CodeFrame): string {
  const path = module === null || module.path === '' ? '[anon code]' : module.path;
  const start = module === null || module.path === '' ? undefined : module.frames.find(address)?.start;
  return `${path.slice(path.lastIndexOf('/') + 1)}+0x${(start ?? address - (address % 2)).toString(16)}`;
}
