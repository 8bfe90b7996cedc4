import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../abi/fcntl.ts';
import { BufferSink, BufferSource } from '../base/io.ts';
import type { Vfs } from './vfs.ts';

/** What a root in memory holds: the folders and the few files that C libraries and shells look for. */
const FOLDERS = [
  '/bin',
  '/sbin',
  '/usr',
  '/usr/bin',
  '/lib',
  '/etc',
  '/root',
  '/proc',
  '/sys',
  '/run',
  '/var',
  '/var/tmp',
];
const FILES: readonly (readonly [path: string, text: string])[] = [
  ['/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n'],
  ['/etc/group', 'root:x:0:\nnogroup:x:65534:\n'],
  ['/etc/hosts', '127.0.0.1 localhost\n::1 localhost\n'],
  ['/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files\n'],
];

/** Fills the machine's own root folder. Called once, before anything is mounted on it. 0 or -ERRNO. */
export function makeInitialTree(vfs: Vfs): number {
  const context = vfs.makeContext();
  let error = 0;
  for (const folder of FOLDERS) error ||= vfs.mkdir(context, null, folder, 0o755);
  context.release();
  for (const [path, text] of FILES) error ||= writeWholeFile(vfs, path, new TextEncoder().encode(text), 0o644);
  return error;
}

/** Creates or replaces a file of the guest. 0 or -ERRNO. */
export function writeWholeFile(vfs: Vfs, path: string, bytes: Uint8Array, mode: number): number {
  const context = vfs.makeContext();
  context.umask = 0;
  const file = vfs.open(context, null, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  context.release();
  if (typeof file === 'number') return file;
  const source = new BufferSource(bytes);
  let result = 0;
  while (source.remaining > 0 && result >= 0) result = file.write(source, null);
  file.release();
  return Math.min(result, 0);
}

/** A file of the guest, whole, or -ERRNO. */
export function readWholeFile(vfs: Vfs, path: string): Uint8Array | number {
  const context = vfs.makeContext();
  const file = vfs.open(context, null, path, O_RDONLY, 0);
  context.release();
  if (typeof file === 'number') return file;
  const chunks: Uint8Array[] = [];
  let result = 0;
  do {
    const sink = new BufferSink(65536);
    result = file.read(sink, null);
    if (result > 0) chunks.push(sink.filled);
  } while (result > 0);
  file.release();
  if (result < 0) return result;
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
