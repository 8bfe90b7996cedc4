import { CallFrameInfo } from './call-frame-info.ts';
import { DebugInfo } from './debug-info.ts';
import { type Decompress, ElfFile } from './elf-file.ts';
import { FunctionSymbols } from './elf-symbols.ts';

/** A file that code is mapped from, or the vdso. What it says of its code is read when it is asked for. */
export class Module {
  readonly id: number;
  /** As in /proc/PID/maps. */
  readonly path: string;
  private readonly read: () => Uint8Array;
  private readonly decompress: Decompress;
  private elfFile: ElfFile | null = null;
  private symbolTable: FunctionSymbols | null = null;
  private frameInfo: CallFrameInfo | null = null;
  private debugInfo: DebugInfo | null = null;

  constructor(id: number, path: string, read: () => Uint8Array, decompress: Decompress) {
    this.id = id;
    this.path = path;
    this.read = read;
    this.decompress = decompress;
  }

  get elf(): ElfFile {
    this.elfFile ??= new ElfFile(this.read(), this.decompress);
    return this.elfFile;
  }

  get symbols(): FunctionSymbols {
    this.symbolTable ??= new FunctionSymbols(this.elf);
    return this.symbolTable;
  }

  get frames(): CallFrameInfo {
    this.frameInfo ??= new CallFrameInfo(this.elf);
    return this.frameInfo;
  }

  get debug(): DebugInfo {
    this.debugInfo ??= new DebugInfo(this.elf);
    return this.debugInfo;
  }
}
