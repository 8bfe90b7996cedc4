import { EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM } from '../abi/errno.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import type { Timespec } from '../base/timespec.ts';
import type { Environment, HostFiles, HostStat, StdioKind } from './environment.ts';

const EPOCH: Timespec = { seconds: 0, nanoseconds: 0 };

/** A file, folder or link of the host in memory. */
interface MemoryNode {
  mode: number;
  bytes: Uint8Array;
  readonly children: Map<string, MemoryNode> | null;
  target: string;
  readonly ino: number;
  nlink: number;
  atime: Timespec;
  mtime: Timespec;
}

/** A tree of host files in memory, for tests and the browser. Paths are absolute; folders above a file are made by `add*`. */
export class MemoryHostFiles implements HostFiles {
  private lastIno = 0;
  private readonly root: MemoryNode = this.makeNode(S_IFDIR | 0o755);
  /** Errors to give from now on, by operation name: tests of failing hosts. */
  readonly failing = new Map<string, number>();

  private makeNode(mode: number, target = ''): MemoryNode {
    return {
      mode,
      bytes: new Uint8Array(0),
      children: (mode & S_IFMT) === S_IFDIR ? new Map() : null,
      target,
      ino: ++this.lastIno,
      nlink: 1,
      atime: EPOCH,
      mtime: EPOCH,
    };
  }

  addFile(path: string, bytes: Uint8Array, mode = 0o644): void {
    const node = this.makeNode(S_IFREG | mode);
    node.bytes = bytes;
    this.put(path, node);
  }
  addFolder(path: string, mode = 0o755): void {
    this.put(path, this.makeNode(S_IFDIR | mode));
  }
  addLink(path: string, target: string): void {
    this.put(path, this.makeNode(S_IFLNK | 0o777, target));
  }
  /** The bytes of a file, or null. */
  bytesOf(path: string): Uint8Array | null {
    const node = this.find(path);
    return typeof node === 'number' ? null : node.bytes;
  }

  private put(path: string, node: MemoryNode): void {
    const names = namesOf(path);
    const last = names.pop();
    let folder = this.root;
    for (const name of names) {
      let next = folder.children!.get(name);
      if (next === undefined) {
        next = this.makeNode(S_IFDIR | 0o755);
        folder.children!.set(name, next);
      }
      folder = next;
    }
    if (last !== undefined) folder.children!.set(last, node);
  }

  private find(path: string): MemoryNode | number {
    let node = this.root;
    for (const name of namesOf(path)) {
      if (node.children === null) return -ENOTDIR;
      const next = node.children.get(name);
      if (next === undefined) return -ENOENT;
      node = next;
    }
    return node;
  }

  private place(path: string): { folder: Map<string, MemoryNode>; name: string } | number {
    const names = namesOf(path);
    const name = names.pop();
    if (name === undefined) return -EINVAL;
    const folder = this.find(`/${names.join('/')}`);
    if (typeof folder === 'number') return folder;
    return folder.children === null ? -ENOTDIR : { folder: folder.children, name };
  }

  private failure(operation: string): number {
    return this.failing.get(operation) ?? 0;
  }

  stat(path: string): HostStat | number {
    const node = this.find(path);
    if (typeof node === 'number') return node;
    const size = node.children !== null ? 4096 : node.target !== '' ? node.target.length : node.bytes.length;
    const nlink = node.children === null ? node.nlink : 2;
    const { mode, ino, atime, mtime } = node;
    return { mode, size, ino, dev: 1, nlink, atime, mtime, ctime: mtime, btime: mtime };
  }
  readdir(path: string): string[] | number {
    const node = this.find(path);
    if (typeof node === 'number') return node;
    return node.children === null ? -ENOTDIR : [...node.children.keys()];
  }
  readlink(path: string): string | number {
    const node = this.find(path);
    if (typeof node === 'number') return node;
    return (node.mode & S_IFMT) === S_IFLNK ? node.target : -EINVAL;
  }
  read(path: string, position: number, into: Uint8Array): number {
    const error = this.failure('read');
    if (error < 0) return error;
    const node = this.find(path);
    if (typeof node === 'number') return node;
    if (node.children !== null) return -EISDIR;
    const bytes = node.bytes.subarray(position, position + into.length);
    into.set(bytes);
    return bytes.length;
  }
  write(path: string, position: number, from: Uint8Array): number {
    const error = this.failure('write');
    if (error < 0) return error;
    const node = this.find(path);
    if (typeof node === 'number') return node;
    if (position + from.length > node.bytes.length) node.bytes = resized(node.bytes, position + from.length);
    node.bytes.set(from, position);
    return from.length;
  }
  truncate(path: string, size: number): number {
    const node = this.find(path);
    if (typeof node === 'number') return node;
    node.bytes = resized(node.bytes, size);
    return 0;
  }
  private make(path: string, node: () => MemoryNode): number {
    const at = this.place(path);
    if (typeof at === 'number') return at;
    if (at.folder.has(at.name)) return -EEXIST;
    at.folder.set(at.name, node());
    return 0;
  }
  create(path: string, mode: number): number {
    return this.make(path, () => this.makeNode(S_IFREG | mode));
  }
  mkdir(path: string, mode: number): number {
    return this.make(path, () => this.makeNode(S_IFDIR | mode));
  }
  symlink(target: string, path: string): number {
    return this.make(path, () => this.makeNode(S_IFLNK | 0o777, target));
  }
  link(existing: string, path: string): number {
    const node = this.find(existing);
    if (typeof node === 'number') return node;
    if (node.children !== null) return -EPERM;
    const error = this.make(path, () => node);
    if (error === 0) node.nlink++;
    return error;
  }
  unlink(path: string): number {
    const at = this.place(path);
    if (typeof at === 'number') return at;
    const node = at.folder.get(at.name);
    if (node === undefined) return -ENOENT;
    if (node.children !== null) return -EISDIR;
    at.folder.delete(at.name);
    node.nlink--;
    return 0;
  }
  rmdir(path: string): number {
    const at = this.place(path);
    if (typeof at === 'number') return at;
    const node = at.folder.get(at.name);
    if (node === undefined) return -ENOENT;
    if (node.children === null) return -ENOTDIR;
    if (node.children.size > 0) return -ENOTEMPTY;
    at.folder.delete(at.name);
    return 0;
  }
  rename(from: string, to: string): number {
    const source = this.place(from);
    if (typeof source === 'number') return source;
    const node = source.folder.get(source.name);
    if (node === undefined) return -ENOENT;
    const target = this.place(to);
    if (typeof target === 'number') return target;
    const old = target.folder.get(target.name);
    if (old === node) return 0;
    if (old !== undefined) {
      if (node.children !== null && old.children === null) return -ENOTDIR;
      if (node.children === null && old.children !== null) return -EISDIR;
      if (old.children !== null && old.children.size > 0) return -ENOTEMPTY;
      old.nlink--;
    }
    source.folder.delete(source.name);
    target.folder.set(target.name, node);
    return 0;
  }
  chmod(path: string, mode: number): number {
    const node = this.find(path);
    if (typeof node === 'number') return node;
    node.mode = (node.mode & S_IFMT) | mode;
    return 0;
  }
  utimes(path: string, atime: Timespec, mtime: Timespec): number {
    const node = this.find(path);
    if (typeof node === 'number') return node;
    node.atime = atime;
    node.mtime = mtime;
    return 0;
  }
  fsync(path: string): number {
    const node = this.find(path);
    return typeof node === 'number' ? node : this.failure('fsync');
  }
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

function resized(bytes: Uint8Array, size: number): Uint8Array {
  const to = new Uint8Array(size);
  to.set(bytes.subarray(0, size));
  return to;
}

function hostOf(given: HostFiles | Readonly<Record<string, Uint8Array>>): HostFiles {
  if (isHostFiles(given)) return given;
  const files = new MemoryHostFiles();
  for (const [path, bytes] of Object.entries(given)) files.addFile(path, bytes, 0o755);
  return files;
}

function isHostFiles(given: HostFiles | Readonly<Record<string, Uint8Array>>): given is HostFiles {
  return typeof given.stat === 'function';
}

export type OutputListener = (descriptor: 1 | 2, bytes: Uint8Array) => void;

/** An environment without a host: files in memory, scripted input, captured output. For tests and the browser. */
export class MemoryEnvironment implements Environment {
  readonly host: HostFiles | null;
  stdio: readonly [StdioKind, StdioKind, StdioKind];
  /** What the program wrote to descriptors 1 and 2, in pieces as they came. */
  readonly output: readonly [Uint8Array[], Uint8Array[]] = [[], []];
  /** Called with each piece of output: a terminal on a page. */
  onOutput: OutputListener | null;
  /** What writeOutput answers from now on, if not 0. */
  outputError = 0;
  size: readonly [rows: number, columns: number] = [24, 80];
  timeNs = 0;
  private readonly input: Uint8Array[] = [];
  private isInputEnded = false;

  constructor(
    options: {
      /** Or a list of files: absolute path to bytes. */
      host?: HostFiles | Readonly<Record<string, Uint8Array>> | null;
      stdio?: readonly [StdioKind, StdioKind, StdioKind];
      onOutput?: OutputListener;
    } = {},
  ) {
    this.host = options.host === undefined || options.host === null ? null : hostOf(options.host);
    this.onOutput = options.onOutput ?? null;
    this.stdio = options.stdio ?? ['pipe', 'pipe', 'pipe'];
  }

  pushInput(bytes: Uint8Array): void {
    this.input.push(bytes);
  }
  endInput(): void {
    this.isInputEnded = true;
  }

  readInput(max: number): Uint8Array | 'eof' | 'later' {
    const first = this.input.shift();
    if (first === undefined) return this.isInputEnded ? 'eof' : 'later';
    if (first.length > max) this.input.unshift(first.subarray(max));
    return first.subarray(0, max);
  }
  writeOutput(descriptor: 1 | 2, bytes: Uint8Array): number {
    if (this.outputError !== 0) return this.outputError;
    const copy = bytes.slice();
    this.output[descriptor - 1].push(copy);
    this.onOutput?.(descriptor, copy);
    return 0;
  }
  /** All of a descriptor's output as one array. */
  outputBytes(descriptor: 1 | 2): Uint8Array {
    const pieces = this.output[descriptor - 1];
    const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
  windowSize(): readonly [rows: number, columns: number] {
    return this.size;
  }
  hostTimeNs(): number {
    return this.timeNs;
  }
}
