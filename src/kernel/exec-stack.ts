import {
  AT_BASE,
  AT_CLKTCK,
  AT_EGID,
  AT_ENTRY,
  AT_EUID,
  AT_EXECFN,
  AT_FLAGS,
  AT_GID,
  AT_HWCAP,
  AT_MINSIGSTKSZ,
  AT_NULL,
  AT_PAGESZ,
  AT_PHDR,
  AT_PHENT,
  AT_PHNUM,
  AT_PLATFORM,
  AT_RANDOM,
  AT_SECURE,
  AT_SYSINFO_EHDR,
  AT_UID,
} from '../abi/auxv.ts';
import { ELF32_PHDR_BYTES, ELF64_PHDR_BYTES } from '../abi/elf.ts';
import { EFAULT } from '../abi/errno.ts';
import { USER_HZ } from '../abi/time.ts';
import { PAGE_SIZE, vaddr } from '../machine/units.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import { copyToUser } from '../mm/user-access.ts';
import type { LoadedImage } from './elf-load.ts';
import type { Kernel } from './kernel.ts';
import type { Task } from './task.ts';

export interface StackContents {
  readonly argv: readonly Uint8Array[];
  readonly envp: readonly Uint8Array[];
  /** bprm->filename: AT_EXECFN. */
  readonly filename: Uint8Array;
  readonly image: LoadedImage;
  readonly phnum: number;
  /** AT_SECURE. */
  readonly secure: 0 | 1;
  /** Load address of the interpreter; 0 without one. */
  readonly interpreterBase: number;
}

/**
 * copy_strings and create_elf_tables (6.18): from high to low
 *
 *   top | 8 zero bytes | filename | envp strings | argv strings | AT_RANDOM bytes | padding | auxv | envp | argv | argc | sp
 *
 * Returns sp, or -EFAULT. Sets the space's arg, env, stack fields and auxv.
 */
export function writeInitialStack(
  k: Kernel,
  t: Task,
  space: AddressSpace,
  top: number,
  contents: StackContents,
): number {
  const { argv, envp, filename, image } = contents;
  const word = k.arch.wordBytes;
  let p = top - word;
  p -= filename.length + 1;
  const execfn = p;
  p -= bytesOf(envp);
  const envStart = p;
  p -= bytesOf(argv);
  const argStart = p;
  const strings = new Uint8Array(top - p);
  const argPointers = placeStrings(argv, strings, argStart, argStart);
  const envPointers = placeStrings(envp, strings, envStart, argStart);
  strings.set(filename, execfn - argStart);
  if (copyToUser(k.mm, space, argStart, strings) !== strings.length) return -EFAULT;

  let platform = 0;
  if (k.arch.platform !== null) {
    const text = new TextEncoder().encode(`${k.arch.platform}\0`);
    p -= text.length;
    platform = p;
    if (copyToUser(k.mm, space, p, text) !== text.length) return -EFAULT;
  }
  p -= 16;
  const randomAt = p;
  const random = new Uint8Array(16);
  k.config.rng.fill(random);
  if (copyToUser(k.mm, space, p, random) !== 16) return -EFAULT;

  const { uids, gids } = t.cred.userNs;
  // Type, value, type, value ...
  const auxWords: number[] = [];
  if (space.vdso !== 0) auxWords.push(AT_SYSINFO_EHDR, space.vdso);
  for (const [type, value] of k.arch.extraAuxv) auxWords.push(type, value);
  if (k.arch.minSigStackBytes !== 0) auxWords.push(AT_MINSIGSTKSZ, k.arch.minSigStackBytes);
  auxWords.push(AT_HWCAP, k.arch.hwcap, AT_PAGESZ, PAGE_SIZE, AT_CLKTCK, USER_HZ, AT_PHDR, image.phdrAddress);
  auxWords.push(AT_PHENT, k.arch.elfClass === 2 ? ELF64_PHDR_BYTES : ELF32_PHDR_BYTES, AT_PHNUM, contents.phnum);
  auxWords.push(AT_BASE, contents.interpreterBase, AT_FLAGS, 0, AT_ENTRY, image.entry);
  auxWords.push(AT_UID, uids.show(t.cred.uid), AT_EUID, uids.show(t.cred.euid));
  auxWords.push(AT_GID, gids.show(t.cred.gid), AT_EGID, gids.show(t.cred.egid));
  auxWords.push(AT_SECURE, contents.secure, AT_RANDOM, randomAt, AT_EXECFN, execfn);
  if (platform !== 0) auxWords.push(AT_PLATFORM, platform);
  auxWords.push(AT_NULL, 0);

  p -= auxWords.length * word;
  const head = [argPointers.length, ...argPointers, 0, ...envPointers, 0];
  const sp = Math.floor((p - head.length * word) / 16) * 16;
  const words = encodeWords([...head, ...auxWords], word);
  if (copyToUser(k.mm, space, sp, words) !== words.length) return -EFAULT;

  space.argStart = vaddr(argStart);
  space.argEnd = vaddr(envStart);
  space.envStart = vaddr(envStart);
  space.envEnd = vaddr(execfn);
  space.startStack = vaddr(sp);
  space.auxv = words.slice(words.length - auxWords.length * word);
  return sp;
}

function bytesOf(strings: readonly Uint8Array[]): number {
  return strings.reduce((sum, text) => sum + text.length + 1, 0);
}

function placeStrings(strings: readonly Uint8Array[], into: Uint8Array, start: number, base: number): number[] {
  const pointers: number[] = [];
  let at = start;
  for (const text of strings) {
    pointers.push(at);
    into.set(text, at - base);
    at += text.length + 1;
  }
  return pointers;
}

function encodeWords(values: readonly number[], word: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(values.length * word);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    view.setUint32(i * word, value >>> 0, true);
    if (word === 8) view.setUint32(i * 8 + 4, Math.floor(value / 0x1_0000_0000) >>> 0, true);
  }
  return bytes;
}
