import {
  EI_CLASS,
  ELF32_EHDR_BYTES,
  ELF32_PHDR_BYTES,
  ELF64_EHDR_BYTES,
  ELF64_PHDR_BYTES,
  ET_DYN,
  ET_EXEC,
  PT_LOAD,
} from '../abi/elf.ts';
import { EIO, ELIBBAD, ENOEXEC } from '../abi/errno.ts';
import type { Arch } from '../arch/arch.ts';
import { BufferSink } from '../base/io.ts';
import type { File } from '../fs/file.ts';
import { PAGE_SIZE, roundDownToPage } from '../machine/units.ts';

/** Reading ELF headers; nothing here trusts them. Addresses above 2^53 are rounded: they are above any task size anyway. */
export interface ElfHeader {
  readonly type: number;
  readonly entry: number;
  readonly phoff: number;
  readonly phnum: number;
}

export interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly vaddr: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly align: number;
}

/** Up to `length` bytes at `position`; short at the end of the file; or -ERRNO. */
export function readAt(file: File, position: number, length: number): Uint8Array | number {
  const sink = new BufferSink(length);
  let got = 0;
  while (got < length) {
    const count = file.read(sink, position + got);
    if (count < 0) return got > 0 ? sink.filled : count;
    if (count === 0) break;
    got += count;
  }
  return sink.filled;
}

/** kernel_read of exactly these bytes: -EIO where the file is shorter (elf_read). */
export function readExactly(file: File, position: number, length: number): Uint8Array | number {
  if (position > Number.MAX_SAFE_INTEGER) return -EIO;
  const bytes = readAt(file, position, length);
  if (typeof bytes === 'number') return bytes;
  return bytes.length === length ? bytes : -EIO;
}

export function isElf(head: Uint8Array): boolean {
  return head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;
}

/** The header if it is one that this architecture runs; else -ENOEXEC (or -ELIBBAD for an interpreter). */
export function parseHeader(arch: Arch, head: Uint8Array, role: 'program' | 'interpreter'): ElfHeader | number {
  const bad = role === 'program' ? -ENOEXEC : -ELIBBAD;
  const is64 = arch.elfClass === 2;
  if (head.length < (is64 ? ELF64_EHDR_BYTES : ELF32_EHDR_BYTES) || !isElf(head)) return bad;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const type = view.getUint16(16, true);
  if (type !== ET_EXEC && type !== ET_DYN) return bad;
  // elf_check_arch of riscv looks at the class; nobody looks at EI_DATA.
  if (view.getUint16(18, true) !== arch.elfMachine || head[EI_CLASS] !== arch.elfClass) return bad;
  const phentsize = view.getUint16(is64 ? 54 : 42, true);
  const phnum = view.getUint16(is64 ? 56 : 44, true);
  const size = is64 ? ELF64_PHDR_BYTES : ELF32_PHDR_BYTES;
  if (phentsize !== size || phnum === 0 || phnum * size > 65536) return bad;
  return {
    type,
    entry: is64 ? u64(view, 24) : view.getUint32(24, true),
    phoff: is64 ? u64(view, 32) : view.getUint32(28, true),
    phnum,
  };
}

/** load_elf_phdrs: -ENOEXEC where they cannot be read. */
export function readProgramHeaders(arch: Arch, file: File, header: ElfHeader): ProgramHeader[] | number {
  const is64 = arch.elfClass === 2;
  const size = is64 ? ELF64_PHDR_BYTES : ELF32_PHDR_BYTES;
  const bytes = readExactly(file, header.phoff, header.phnum * size);
  if (typeof bytes === 'number') return -ENOEXEC;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headers: ProgramHeader[] = [];
  for (let i = 0; i < header.phnum; i++) {
    const at = i * size;
    headers.push(
      is64
        ? {
            type: view.getUint32(at, true),
            flags: view.getUint32(at + 4, true),
            offset: u64(view, at + 8),
            vaddr: u64(view, at + 16),
            fileBytes: u64(view, at + 32),
            memoryBytes: u64(view, at + 40),
            align: u64(view, at + 48),
          }
        : {
            type: view.getUint32(at, true),
            offset: view.getUint32(at + 4, true),
            vaddr: view.getUint32(at + 8, true),
            fileBytes: view.getUint32(at + 16, true),
            memoryBytes: view.getUint32(at + 20, true),
            flags: view.getUint32(at + 24, true),
            align: view.getUint32(at + 28, true),
          },
    );
  }
  return headers;
}

/** total_mapping_size: bytes from the first loaded page to the last loaded byte; 0 with no PT_LOAD. */
export function totalMappingBytes(headers: readonly ProgramHeader[]): number {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const header of headers) {
    if (header.type !== PT_LOAD) continue;
    low = Math.min(low, roundDownToPage(header.vaddr));
    high = Math.max(high, header.vaddr + header.memoryBytes);
  }
  return low === Number.POSITIVE_INFINITY ? 0 : high - low;
}

/** maximum_alignment: the largest p_align of the loaded segments that is a power of two, at least a page. */
export function maximumAlignment(headers: readonly ProgramHeader[]): number {
  let largest = 0;
  for (const { type, align } of headers) {
    if (type !== PT_LOAD || !isPowerOfTwo(align)) continue;
    largest = Math.max(largest, align);
  }
  return Math.max(largest, PAGE_SIZE);
}

/** Exact, as a logarithm is not; 2^64 is a number just below it that a double cannot hold. */
function isPowerOfTwo(value: number): boolean {
  if (value === 0 || value > 2 ** 63) return false;
  let rest = value;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}

function u64(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true);
}
