import { type BufferSink, BufferSource, BufferSink as Sink } from '../../base/io.ts';
import { WakeList } from '../../base/wait-queue.ts';
import { MemoryEnvironment } from '../../machine/memory-environment.ts';
import { sv39 } from '../../machine/paging/sv39.ts';
import { Hugetlb } from '../../mm/hugetlb/hugetlb.ts';
import { createTestMemory, type TestMemory } from '../../mm/testing/physical-memory.ts';
import type { File } from '../file.ts';
import type { FsContext } from '../fs-context.ts';
import { Vfs } from '../vfs.ts';

export interface TestVfs {
  readonly vfs: Vfs;
  readonly context: FsContext;
  readonly memory: TestMemory;
  readonly environment: MemoryEnvironment;
  readonly wakeList: WakeList;
  /** Ends the file system and answers how many frames are missing that were free before it began. */
  readonly countLeaks: () => number;
}

/** A file system on the physical memory alone, 16 MiB: no CPU, no kernel. */
export function createTestVfs(environment = new MemoryEnvironment(), frames = 4096): TestVfs {
  const memory = createTestMemory(frames);
  const free = memory.alloc.freeCount;
  const wakeList = new WakeList();
  const vfs = new Vfs({ ...memory, hugetlb: new Hugetlb(memory.alloc, sv39) }, environment, wakeList, memory.clock);
  const context = vfs.makeContext();
  const countLeaks = () => {
    context.release();
    vfs.shutdown();
    memory.check();
    return free - memory.alloc.freeCount;
  };
  return { vfs, context, memory, environment, wakeList, countLeaks };
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** The text read, or the -ERRNO as a number. */
export function readText(file: File, max = 65_536, pos: number | null = null): string | number {
  const sink: BufferSink = new Sink(max);
  const result = file.read(sink, pos);
  return result < 0 ? result : textOf(sink.filled);
}

export function writeText(file: File, text: string, pos: number | null = null): number {
  return file.write(new BufferSource(bytesOf(text)), pos);
}

/** Opens; a failure is an exception, which a test that expects none wants. */
export function openOrThrow(test: TestVfs, path: string, flags: number, mode = 0o644): File {
  const file = test.vfs.open(test.context, null, path, flags, mode);
  if (typeof file === 'number') throw new Error(`open ${path}: ${file}`);
  return file;
}
