import type { ReferenceDetail, ReferenceStream } from './reference-stream.ts';
import type { Pfn, Vaddr, Vpn } from './units.ts';

/** What an access wants. Values are those of mmap's prot bits. */
export const ACCESS_READ = 1;
export const ACCESS_WRITE = 2;
export const ACCESS_EXEC = 4;
export type Access = typeof ACCESS_READ | typeof ACCESS_WRITE | typeof ACCESS_EXEC;

/** What a translation needs to know of an address space. */
export interface TranslationRoot {
  /** The frame of the top-level table. */
  readonly rootFrame: Pfn;
  /** Address-space identifier that tags this space's TLB entries; 0 is never used. */
  readonly asid: number;
}

/**
 * The one way from a virtual address to memory (decision D2). The CPU's loads and stores, the kernel's copy-in and
 * copy-out, /proc/PID/mem and debuggers all use it. It sets Accessed and Dirty in the real tables.
 */
export interface Mmu {
  /** Byte offset in Ram.memory of the byte at `address`, or -1 where the access faults. Never raises a trap itself. */
  translate(root: TranslationRoot, address: Vaddr, access: Access): number;
  /**
   * Copies between the memory of an address space from `address` on and Ram.memory from its byte `place` on, upwards: ACCESS_READ from the
   * space, ACCESS_WRITE into it. Bytes copied: all, or fewer, maybe none, where a page faults, or holds code, or is of those at `place`.
   * To copy the same bytes again then changes nothing.
   */
  copyPresent(root: TranslationRoot, address: Vaddr, access: Access, place: number, bytes: number): number;
  /** sfence.vma of one page of one address space. */
  flushPage(asid: number, page: Vpn): void;
  /** sfence.vma of one address space. */
  flushSpace(asid: number): void;
  flushAll(): void;
  /** Who is told of all accesses from now on; null: nobody. `detail`: 'runs' by default. */
  setReferenceStream(stream: ReferenceStream | null, detail?: ReferenceDetail): void;
}
