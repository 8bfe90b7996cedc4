import { PT_INTERP } from '../abi/elf.ts';
import { EACCES, ELOOP, ENOEXEC, ENOMEM } from '../abi/errno.ts';
import type { File } from '../fs/file.ts';
import { type PathRef, resolve } from '../fs/path.ts';
import {
  type ElfHeader,
  isElf,
  type ProgramHeader,
  parseHeader,
  readAt,
  readExactly,
  readProgramHeaders,
} from './elf.ts';
import { MAX_ARG_STRLEN } from './exec-strings.ts';
import type { Kernel } from './kernel.ts';
import { parseScript } from './script.ts';
import type { Task } from './task.ts';

/**
 * Which program a file is: opened for execution, followed through scripts to an ELF file and its interpreter (fs/exec.c,
 * fs/binfmt_script.c, fs/binfmt_elf.c; 6.18). Nothing of the caller changes here.
 */

/** BINPRM_BUF_SIZE: what a format is recognised by. */
const HEAD_BYTES = 256;
/** Interpreters of interpreters (exec_binprm). */
const MAX_DEPTH = 5;
const PATH_MAX = 4096;

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const X_OK = 1;

/** do_open_execat: a regular file with an execute bit on a mount that allows it; the caller owns the reference. */
export function openForExec(k: Kernel, t: Task, base: PathRef | null, path: string, follow = true): File | number {
  if (t.fs === null) return -ENOEXEC;
  t.fs.actor = t.cred;
  const found = resolve(t.fs, base, path, follow ? 'follow' : 'nofollow');
  return typeof found === 'number' ? found : openExecPath(k, t, found);
}

export function openExecPath(k: Kernel, t: Task, path: PathRef): File | number {
  const { mode } = path.inode;
  if ((mode & S_IFMT) === S_IFLNK) return -ELOOP;
  if ((mode & S_IFMT) !== S_IFREG) return -EACCES;
  const denied = k.vfs.access(path, X_OK, t.cred);
  if (denied < 0) return denied;
  const file = k.vfs.openPath(path, 0, null);
  if (typeof file === 'number') return file;
  if (file.noExec) {
    file.release();
    return -EACCES;
  }
  return file;
}

/** What is known before anything of the caller is given up. */
export interface Program {
  readonly file: File;
  readonly header: ElfHeader;
  readonly headers: readonly ProgramHeader[];
  readonly interpreter: {
    readonly file: File;
    readonly header: ElfHeader;
    readonly headers: readonly ProgramHeader[];
  } | null;
}

/** search_binary_handler: follows scripts to an ELF file. Releases `file` when it fails or passes on. */
export function findProgram(
  k: Kernel,
  t: Task,
  file: File,
  argv: readonly Uint8Array[],
  name: Uint8Array,
  depth: number,
): { program: Program; argv: readonly Uint8Array[] } | number {
  const fail = (error: number): number => {
    file.release();
    return error;
  };
  if (depth > MAX_DEPTH) return fail(-ELOOP);
  const head = readAt(file, 0, HEAD_BYTES);
  if (typeof head === 'number') return fail(head);
  if (head[0] === 0x23 && head[1] === 0x21) {
    const padded = new Uint8Array(HEAD_BYTES);
    padded.set(head);
    const script = parseScript(padded);
    if (script === null) return fail(-ENOEXEC);
    file.release();
    const next = openForExec(k, t, null, new TextDecoder().decode(script.interpreter));
    if (typeof next === 'number') return next;
    const rest = [script.interpreter, ...(script.argument === null ? [] : [script.argument]), name, ...argv.slice(1)];
    if (rest.some((text) => text.length + 1 > MAX_ARG_STRLEN)) {
      next.release();
      return -ENOMEM;
    }
    return findProgram(k, t, next, rest, script.interpreter, depth + 1);
  }
  if (!isElf(head)) return fail(-ENOEXEC);
  const header = parseHeader(k.arch, head, 'program');
  if (typeof header === 'number') return fail(header);
  if (file.mapKind !== 'file' && file.mapKind !== 'shmem') return fail(-ENOEXEC);
  const headers = readProgramHeaders(k.arch, file, header);
  if (typeof headers === 'number') return fail(headers);
  const interpreter = openInterpreter(k, t, file, headers);
  if (typeof interpreter === 'number') return fail(interpreter);
  return { program: { file, header, headers, interpreter }, argv };
}

/** PT_INTERP: null without one. */
function openInterpreter(
  k: Kernel,
  t: Task,
  file: File,
  headers: readonly ProgramHeader[],
): Program['interpreter'] | number {
  const segment = headers.find((header) => header.type === PT_INTERP);
  if (segment === undefined) return null;
  if (segment.fileBytes > PATH_MAX || segment.fileBytes < 2) return -ENOEXEC;
  const bytes = readExactly(file, segment.offset, segment.fileBytes);
  if (typeof bytes === 'number') return bytes;
  if (bytes[bytes.length - 1] !== 0) return -ENOEXEC;
  const opened = openForExec(k, t, null, new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0))));
  if (typeof opened === 'number') return opened;
  const fail = (error: number): number => {
    opened.release();
    return error;
  };
  const head = readExactly(opened, 0, 64);
  if (typeof head === 'number') return fail(head);
  const header = parseHeader(k.arch, head, 'interpreter');
  if (typeof header === 'number') return fail(header);
  const interpreterHeaders = readProgramHeaders(k.arch, opened, header);
  if (typeof interpreterHeaders === 'number') return fail(interpreterHeaders);
  return { file: opened, header, headers: interpreterHeaders };
}
