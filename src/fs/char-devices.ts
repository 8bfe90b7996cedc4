import { EBADF, EFAULT, ENOMEM, ENOSPC, ENXIO } from '../abi/errno.ts';
import { makeDev } from '../abi/stat.ts';
import type { IoSink, IoSource } from '../base/io.ts';
import type { DeviceDriver } from './device-table.ts';
import { File, takeFilpSlot } from './file.ts';
import type { FsCore } from './fs-core.ts';
import type { PathRef } from './path.ts';
import { TtyFile } from './tty-file.ts';

const CHUNK_BYTES = 4096;

/** /dev/null: write_null takes everything unseen. */
export class NullFile extends File {
  override knowsNowait(): boolean {
    return true;
  }
  override get isSeekable(): boolean {
    return true;
  }
  override read(_sink: IoSink): number {
    return this.readable ? 0 : -EBADF;
  }
  override write(source: IoSource): number {
    if (!this.writable) return -EBADF;
    return source.remaining;
  }
  /** null_lseek, memory_lseek of the others that keep no position. */
  override seek(): number {
    this.pos = 0;
    return 0;
  }
}

export class ZeroFile extends NullFile {
  override get mapKind(): 'zero' | 'none' {
    return 'zero';
  }
  override read(sink: IoSink): number {
    if (!this.readable) return -EBADF;
    return fill(sink, (chunk) => {
      chunk.fill(0);
    });
  }
}

export class FullFile extends ZeroFile {
  override get mapKind(): 'zero' | 'none' {
    return 'none';
  }
  override write(): number {
    if (!this.writable) return -EBADF;
    return -ENOSPC;
  }
}

/** /dev/random and /dev/urandom: one generator, seeded by the machine's seed (D3). Writes stir nothing. */
export class RandomFile extends NullFile {
  override get canPoll(): boolean {
    return true;
  }
  override read(sink: IoSink): number {
    if (!this.readable) return -EBADF;
    return fill(sink, (chunk) => {
      this.core.random.fill(chunk);
    });
  }
}

function fill(sink: IoSink, produce: (chunk: Uint8Array) => void): number {
  const chunk = new Uint8Array(CHUNK_BYTES);
  let moved = 0;
  while (sink.remaining > 0) {
    const part = chunk.subarray(0, Math.min(CHUNK_BYTES, sink.remaining));
    produce(part);
    const count = sink.put(part);
    moved += count;
    if (count < part.length) break;
  }
  return moved === 0 && sink.faulted ? -EFAULT : moved;
}

export class SimpleDriver implements DeviceDriver {
  private readonly core: FsCore;
  private readonly type: new (
    path: PathRef,
    flags: number,
    slot: number,
  ) => File;

  constructor(core: FsCore, type: new (path: PathRef, flags: number, slot: number) => File) {
    this.core = core;
    this.type = type;
  }
  open(path: PathRef, flags: number): File | number {
    const slot = takeFilpSlot(this.core);
    return slot === 0 ? -ENOMEM : new this.type(path, flags, slot);
  }
}

/** /dev/console: the terminal; /dev/tty: the same, for those whose controlling terminal it is. */
export class TerminalDriver implements DeviceDriver {
  private readonly core: FsCore;
  private readonly which: 'console' | 'controlling';

  constructor(core: FsCore, which: 'console' | 'controlling') {
    this.core = core;
    this.which = which;
  }
  open(path: PathRef, flags: number): File | number {
    const { console: tty, current } = this.core;
    if (tty === null) return -ENXIO;
    if (this.which === 'controlling' && (tty.session === 0 || tty.session !== current.session)) return -ENXIO;
    const slot = takeFilpSlot(this.core);
    return slot === 0 ? -ENOMEM : new TtyFile(path, flags, slot, tty);
  }
}

export const DEV_NULL = makeDev(1, 3);
export const DEV_ZERO = makeDev(1, 5);
export const DEV_FULL = makeDev(1, 7);
export const DEV_RANDOM = makeDev(1, 8);
export const DEV_URANDOM = makeDev(1, 9);
/** A dynamic minor of the misc devices, where 6.18 puts it on a PC; the kernel registers the driver. */
export const DEV_USERFAULTFD = makeDev(10, 257);
export const DEV_TTY = makeDev(5, 0);
export const DEV_CONSOLE = makeDev(5, 1);

export function registerCharDevices(core: FsCore): void {
  const { devices } = core;
  devices.register(DEV_NULL, new SimpleDriver(core, NullFile));
  devices.register(DEV_ZERO, new SimpleDriver(core, ZeroFile));
  devices.register(DEV_FULL, new SimpleDriver(core, FullFile));
  devices.register(DEV_RANDOM, new SimpleDriver(core, RandomFile));
  devices.register(DEV_URANDOM, new SimpleDriver(core, RandomFile));
  devices.register(DEV_TTY, new TerminalDriver(core, 'controlling'));
  devices.register(DEV_CONSOLE, new TerminalDriver(core, 'console'));
}
