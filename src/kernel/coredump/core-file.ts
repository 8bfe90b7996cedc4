import { ET_CORE, PF_R, PF_W, PF_X, PT_LOAD, PT_NOTE } from '../../abi/elf.ts';
import { PAGE_SIZE, vaddrOf, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { readRemote } from '../../mm/remote-access.ts';
import { VM_DONTDUMP, VM_EXEC, VM_HUGETLB, VM_IO, VM_READ, VM_SHARED, VM_WRITE } from '../../mm/vm-flags.ts';
import { VMA_SHMEM, type Vma } from '../../mm/vma.ts';
import { isElf } from '../elf.ts';
import type { Kernel } from '../kernel.ts';

/** What of the memory goes into a core file, and the ELF file around it (fs/coredump.c, fs/binfmt_elf.c; 6.18). */

/** coredump_filter: MMF_DUMP_* from bit 0. */
const ANON_PRIVATE = 1 << 0;
const ANON_SHARED = 1 << 1;
const MAPPED_PRIVATE = 1 << 2;
const MAPPED_SHARED = 1 << 3;
const ELF_HEADERS = 1 << 4;
const HUGETLB_PRIVATE = 1 << 5;
const HUGETLB_SHARED = 1 << 6;
/** MMF_DUMP_FILTER_DEFAULT. */
export const DEFAULT_FILTER: number = ANON_PRIVATE | ANON_SHARED | HUGETLB_PRIVATE | ELF_HEADERS;

const EHDR_BYTES = 64;
const PHDR_BYTES = 56;

/** vma_dump_size, in pages. */
function pagesToDump(k: Kernel, vma: Vma, filter: number): number {
  const whole = vma.endVpn - vma.startVpn;
  const wants = (bit: number): boolean => (filter & bit) !== 0;
  if (vma.special !== null) return whole;
  if ((vma.flags & VM_DONTDUMP) !== 0) return 0;
  const isShared = (vma.flags & VM_SHARED) !== 0;
  if ((vma.flags & VM_HUGETLB) !== 0) return wants(isShared ? HUGETLB_SHARED : HUGETLB_PRIVATE) ? whole : 0;
  if ((vma.flags & VM_IO) !== 0) return 0;
  // Memory that no name leads to is anonymous, though it has a file.
  if (isShared) return wants(vma.kind === VMA_SHMEM && isUnnamed(vma) ? ANON_SHARED : MAPPED_SHARED) ? whole : 0;
  if (vma.anonVma !== null && wants(ANON_PRIVATE)) return whole;
  if (vma.file === null) return 0;
  if (wants(MAPPED_PRIVATE)) return whole;
  return wants(ELF_HEADERS) && vma.pgoff === 0 && (vma.flags & VM_READ) !== 0 && startsElf(k, vma) ? 1 : 0;
}

function isUnnamed(vma: Vma): boolean {
  return vma.file === null || vma.file.displayPath().endsWith(' (deleted)');
}

function startsElf(k: Kernel, vma: Vma): boolean {
  const head = new Uint8Array(4);
  return readRemote(k.mm, vma.space, vaddrOf(vma.startVpn), head, 'force') === 4 && isElf(head);
}

/** What dump_emit and dump_skip write to: false ends the dump. */
export interface CoreSink {
  emit(bytes: Uint8Array): boolean;
  /** A hole. */
  skip(lengthBytes: number): boolean;
}

/** elf_core_dump: up to where the sink refuses. */
export function writeCore(k: Kernel, space: AddressSpace, notes: Uint8Array, filter: number, sink: CoreSink): void {
  const segments: { readonly vma: Vma; readonly pages: number }[] = [];
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) {
    segments.push({ vma, pages: pagesToDump(k, vma, filter) });
  }
  const headers = coreHeaders(k, segments, notes.length);
  const dataAt = Math.ceil((headers.length + notes.length) / PAGE_SIZE) * PAGE_SIZE;
  if (!sink.emit(headers) || !sink.emit(notes) || !sink.skip(dataAt - headers.length - notes.length)) return;
  segments.every(({ vma, pages }) => writePages(k, vma, pages, sink));
}

/** dump_user_range: a page that is not there, and would be zeros, is a hole. */
function writePages(k: Kernel, vma: Vma, pages: number, sink: CoreSink): boolean {
  const bytes = new Uint8Array(PAGE_SIZE);
  for (let i = 0; i < pages; i++) {
    const page = vpn(vma.startVpn + i);
    const { pageTables } = k.mm;
    const slot = pageTables.findEntry(vma.space, page);
    const isNothing = vma.file === null && vma.special === null && (slot === -1 || pageTables.read(slot) === 0);
    const got = isNothing ? 0 : readRemote(k.mm, vma.space, vaddrOf(page), bytes, 'force');
    if (!(got === PAGE_SIZE ? sink.emit(bytes) : sink.skip(PAGE_SIZE))) return false;
  }
  return true;
}

function coreHeaders(
  k: Kernel,
  segments: readonly { readonly vma: Vma; readonly pages: number }[],
  noteBytes: number,
): Uint8Array {
  const count = segments.length + 1;
  const bytes = new Uint8Array(EHDR_BYTES + count * PHDR_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, k.arch.elfClass, 1, 1]);
  view.setUint16(16, ET_CORE, true);
  view.setUint16(18, k.arch.elfMachine, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(32, BigInt(EHDR_BYTES), true);
  view.setUint16(52, EHDR_BYTES, true);
  view.setUint16(54, PHDR_BYTES, true);
  view.setUint16(56, Math.min(count, 0xffff), true);
  const put = (at: number, type: number, flags: number, fields: readonly number[]): void => {
    view.setUint32(at, type, true);
    view.setUint32(at + 4, flags, true);
    fields.forEach((field, i) => {
      view.setBigUint64(at + 8 + 8 * i, BigInt(field), true);
    });
  };
  put(EHDR_BYTES, PT_NOTE, 0, [bytes.length, 0, 0, noteBytes, 0, 4]);
  let offset = Math.ceil((bytes.length + noteBytes) / PAGE_SIZE) * PAGE_SIZE;
  segments.forEach(({ vma, pages }, i) => {
    const { flags } = vma;
    const rights =
      ((flags & VM_READ) !== 0 ? PF_R : 0) |
      ((flags & VM_WRITE) !== 0 ? PF_W : 0) |
      ((flags & VM_EXEC) !== 0 ? PF_X : 0);
    const memoryBytes = (vma.endVpn - vma.startVpn) * PAGE_SIZE;
    const at = EHDR_BYTES + (i + 1) * PHDR_BYTES;
    put(at, PT_LOAD, rights, [offset, vaddrOf(vma.startVpn), 0, pages * PAGE_SIZE, memoryBytes, PAGE_SIZE]);
    offset += pages * PAGE_SIZE;
  });
  return bytes;
}
