import { ET_EXEC, PF_R, PF_W, PF_X, PT_LOAD } from '../abi/elf.ts';
import { EFAULT, EINVAL, ENOMEM } from '../abi/errno.ts';
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_PRIVATE,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from '../abi/mman.ts';
import type { File } from '../fs/file.ts';
import { PAGE_SIZE, roundDownToPage, roundUpToPage } from '../machine/units.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import { randomMmapOffset } from '../mm/layout.ts';
import { mmap } from '../mm/ops/mmap.ts';
import { munmap } from '../mm/ops/munmap.ts';
import { clearUser } from '../mm/user-access.ts';
import { type ElfHeader, maximumAlignment, type ProgramHeader, totalMappingBytes } from './elf.ts';
import type { Kernel } from './kernel.ts';

/** Where an image lies: sums of what its segments say. */
export interface LoadedImage {
  /** Added to the file's addresses. */
  readonly bias: number;
  /** Address of the first segment's page, bias included. */
  readonly base: number;
  readonly entry: number;
  /** Address of the program headers in memory; 0 if no segment holds them. */
  readonly phdrAddress: number;
  readonly startCode: number;
  readonly endCode: number;
  readonly startData: number;
  readonly endData: number;
  readonly brk: number;
}

export interface LoadRequest {
  readonly file: File;
  readonly header: ElfHeader;
  readonly headers: readonly ProgramHeader[];
  /** 'program' with an interpreter goes to ELF_ET_DYN_BASE; 'static' programs and 'interpreter's where mmap puts them. */
  readonly role: 'program' | 'static' | 'interpreter';
}

/** The segment loop of load_elf_binary and load_elf_interp (6.18, fs/binfmt_elf.c). The image, or -ERRNO: the space is then lost. */
export function loadImage(k: Kernel, space: AddressSpace, request: LoadRequest): LoadedImage | number {
  const { file, header, headers, role } = request;
  const taskSize = space.taskSize * PAGE_SIZE;
  const isFixed = header.type === ET_EXEC;
  let bias = 0;
  let base = 0;
  let phdrAddress = 0;
  let startCode = Number.POSITIVE_INFINITY;
  let endCode = 0;
  let startData = 0;
  let endData = 0;
  let brk = 0;
  let isFirst = true;
  for (const segment of headers) {
    if (segment.type !== PT_LOAD) continue;
    let flags = MAP_PRIVATE;
    let totalBytes = 0;
    if (!isFirst) flags |= MAP_FIXED;
    else if (isFixed) flags |= role === 'interpreter' ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    else {
      totalBytes = totalMappingBytes(headers);
      if (totalBytes === 0) return -EINVAL;
      const alignment = maximumAlignment(headers);
      if (role === 'program') {
        bias = k.mm.config.layout.elfEtDynBase + randomMmapOffset(k.mm, space);
        bias = Math.floor(bias / alignment) * alignment;
        flags |= MAP_FIXED_NOREPLACE;
      } else if (role === 'static' && alignment > PAGE_SIZE) {
        // A stricter alignment than a page: where it would lie, rounded down; what is below is free as a rule.
        const found = reserve(k, space, totalBytes);
        if (found < 0) return found;
        bias = Math.floor(found / alignment) * alignment;
        flags |= MAP_FIXED_NOREPLACE;
      }
      bias = role === 'interpreter' ? -segment.vaddr : roundDownToPage(bias - segment.vaddr);
    }
    const at = loadSegment(k, space, file, bias + segment.vaddr, segment, flags, totalBytes);
    if (at < 0) return at;
    if (isFirst) {
      isFirst = false;
      if (!isFixed) bias += at - roundDownToPage(bias + segment.vaddr);
      base = roundDownToPage(bias + segment.vaddr);
    }
    if (segment.offset <= header.phoff && header.phoff < segment.offset + segment.fileBytes)
      phdrAddress = header.phoff - segment.offset + segment.vaddr + bias;
    const start = segment.vaddr;
    if (
      start + (role === 'interpreter' ? bias : 0) >= taskSize ||
      segment.fileBytes > segment.memoryBytes ||
      segment.memoryBytes > taskSize ||
      taskSize - segment.memoryBytes < start
    )
      return role === 'interpreter' ? -ENOMEM : -EINVAL;
    if ((segment.flags & PF_X) !== 0 && start < startCode) startCode = start;
    if (startData < start) startData = start;
    const fileEnd = start + segment.fileBytes;
    if ((segment.flags & PF_X) !== 0 && endCode < fileEnd) endCode = fileEnd;
    if (endData < fileEnd) endData = fileEnd;
    if (brk < start + segment.memoryBytes) brk = start + segment.memoryBytes;
  }
  const entry = header.entry + bias;
  if (isFirst && role === 'interpreter') return -EINVAL;
  if (entry >= taskSize || entry < 0) return -EINVAL;
  return {
    bias,
    base,
    entry,
    phdrAddress,
    startCode: (startCode === Number.POSITIVE_INFINITY ? 0 : startCode) + bias,
    endCode: endCode + bias,
    startData: startData + bias,
    endData: endData + bias,
    brk: brk + bias,
  };
}

/** elf_load: maps the file's part, clears the rest of its last page, maps anonymous pages behind. Address or -ERRNO. */
function loadSegment(
  k: Kernel,
  space: AddressSpace,
  file: File,
  address: number,
  segment: ProgramHeader,
  flags: number,
  totalBytes: number,
): number {
  const prot =
    ((segment.flags & PF_R) !== 0 ? PROT_READ : 0) |
    ((segment.flags & PF_W) !== 0 ? PROT_WRITE : 0) |
    ((segment.flags & PF_X) !== 0 ? PROT_EXEC : 0);
  const inPage = segment.vaddr % PAGE_SIZE;
  let at = roundDownToPage(address);
  let zeroStart = at;
  let zeroEnd = at + inPage + segment.memoryBytes;
  if (segment.fileBytes > 0) {
    at = mapFile(k, space, file, address, segment, prot, flags, totalBytes);
    if (at < 0) return at;
    if (segment.memoryBytes <= segment.fileBytes) return at;
    zeroStart = at + inPage + segment.fileBytes;
    zeroEnd = at + inPage + segment.memoryBytes;
    const tail = roundUpToPage(zeroStart) - zeroStart;
    // A segment that cannot be written keeps what the file has there, as on Linux.
    if (tail > 0 && clearUser(k.mm, space, zeroStart, tail) !== tail && (prot & PROT_WRITE) !== 0) return -EFAULT;
  } else if (segment.memoryBytes === 0) return at;
  const start = roundUpToPage(zeroStart);
  const lengthBytes = roundUpToPage(zeroEnd) - start;
  if (lengthBytes <= 0) return at;
  const done = mmap(k.mm, space, {
    address: start,
    lengthBytes,
    prot: PROT_READ | PROT_WRITE | (prot & PROT_EXEC),
    flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
    file: null,
    offsetBytes: 0,
  });
  return done < 0 ? done : at;
}

/** elf_map: with `totalBytes`, room for the whole image is found first and what is behind this segment given back. */
function mapFile(
  k: Kernel,
  space: AddressSpace,
  file: File,
  address: number,
  segment: ProgramHeader,
  prot: number,
  flags: number,
  totalBytes: number,
): number {
  const inPage = segment.vaddr % PAGE_SIZE;
  const lengthBytes = roundUpToPage(segment.fileBytes + inPage);
  const offsetBytes = segment.offset - inPage;
  if (offsetBytes < 0 || offsetBytes % PAGE_SIZE !== 0) return -EINVAL;
  const wanted = { address: roundDownToPage(address), prot, flags, file, offsetBytes };
  if (wanted.address < 0) return -EINVAL;
  if (totalBytes === 0) return mmap(k.mm, space, { ...wanted, lengthBytes });
  const all = roundUpToPage(totalBytes);
  const at = mmap(k.mm, space, { ...wanted, lengthBytes: all });
  if (at >= 0 && all > lengthBytes) munmap(k.mm, space, at + lengthBytes, all - lengthBytes);
  return at;
}

function reserve(k: Kernel, space: AddressSpace, lengthBytes: number): number {
  const at = mmap(k.mm, space, {
    address: 0,
    lengthBytes,
    prot: 0,
    flags: MAP_PRIVATE | MAP_ANONYMOUS,
    file: null,
    offsetBytes: 0,
  });
  if (at >= 0) munmap(k.mm, space, at, lengthBytes);
  return at;
}
