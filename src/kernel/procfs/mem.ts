import { EFAULT, EIO } from '../../abi/errno.ts';
import type { IoSink, IoSource } from '../../base/io.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { readRemote, writeRemote } from '../../mm/remote-access.ts';
import type { Kernel } from '../kernel.ts';

/** /proc/PID/mem (mem_rw): -EIO where the first byte cannot be had; 0 when the space has ended. */
export function readMem(k: Kernel, space: AddressSpace | null, pos: number, sink: IoSink): number {
  if (space === null) return 0;
  return readSpace(k, space, pos, Number.POSITIVE_INFINITY, sink, -EIO);
}

export function writeMem(k: Kernel, space: AddressSpace | null, pos: number, source: IoSource): number {
  if (space === null) return 0;
  const page = new Uint8Array(PAGE_SIZE);
  let moved = 0;
  while (source.remaining > 0) {
    const bytes = page.subarray(0, Math.min(source.remaining, PAGE_SIZE));
    if (source.take(bytes) !== bytes.length) return moved > 0 ? moved : -EFAULT;
    const done = writeRemote(k.mm, space, pos + moved, bytes, 'force');
    moved += done;
    if (done < bytes.length) return moved > 0 ? moved : -EIO;
  }
  return moved;
}

/** /proc/PID/environ (environ_read): the bytes that the program has there now. */
export function readEnviron(k: Kernel, space: AddressSpace | null, pos: number, sink: IoSink): number {
  if (space === null || space.envEnd === 0) return 0;
  const left = space.envEnd - space.envStart - pos;
  return left <= 0 ? 0 : readSpace(k, space, space.envStart + pos, left, sink, -EIO);
}

/** /proc/PID/auxv (auxv_read). */
export function readAuxv(_k: Kernel, space: AddressSpace | null, pos: number, sink: IoSink): number {
  if (space === null) return 0;
  const moved = sink.put(space.auxv.subarray(Math.min(pos, space.auxv.length)));
  return moved === 0 && sink.faulted ? -EFAULT : moved;
}

/**
 * /proc/PID/cmdline (get_mm_cmdline, 6.18): the argument bytes as they are in memory. A program that has overwritten the final
 * NUL (setproctitle) shows the one string that starts there and may reach into its environment.
 */
export function readCmdline(k: Kernel, space: AddressSpace | null, pos: number, sink: IoSink): number {
  if (space === null || space.envEnd === 0 || space.argStart >= space.argEnd) return 0;
  const { argStart, argEnd, envStart, envEnd } = space;
  const end = envStart !== argEnd || envEnd < envStart ? argEnd : envEnd;
  if (pos >= end - argStart) return 0;
  const last = new Uint8Array(1);
  if (readRemote(k.mm, space, argEnd - 1, last, 'plain') === 1 && last[0] !== 0) {
    const title = readTitle(k, space);
    return sink.put(title.subarray(Math.min(pos, title.length)));
  }
  const left = argEnd - argStart - pos;
  return left <= 0 ? 0 : readSpace(k, space, argStart + pos, left, sink, 0);
}

/** get_mm_proctitle: at most a page from the first argument byte on, up to and with the first NUL. */
function readTitle(k: Kernel, space: AddressSpace): Uint8Array {
  const bytes = new Uint8Array(PAGE_SIZE);
  const text = bytes.subarray(0, readRemote(k.mm, space, space.argStart, bytes, 'plain'));
  const nul = text.indexOf(0);
  return nul < 0 ? text : text.subarray(0, nul + 1);
}

function readSpace(
  k: Kernel,
  space: AddressSpace,
  start: number,
  lengthBytes: number,
  sink: IoSink,
  errorAtStart: number,
): number {
  const mode = errorAtStart === -EIO && lengthBytes === Number.POSITIVE_INFINITY ? 'force' : 'plain';
  const page = new Uint8Array(PAGE_SIZE);
  let moved = 0;
  while (sink.remaining > 0 && moved < lengthBytes) {
    const bytes = page.subarray(0, Math.min(sink.remaining, lengthBytes - moved, PAGE_SIZE));
    const got = readRemote(k.mm, space, start + moved, bytes, mode);
    if (got === 0) return moved > 0 ? moved : errorAtStart;
    const put = sink.put(bytes.subarray(0, got));
    moved += put;
    if (put < got) return moved > 0 ? moved : -EFAULT;
    if (got < bytes.length) return moved;
  }
  return moved;
}
