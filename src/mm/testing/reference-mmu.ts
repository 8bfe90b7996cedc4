import { ACCESS_WRITE, type Access, type Mmu, type TranslationRoot } from '../../machine/mmu.ts';
import type { PagingFormat } from '../../machine/paging/format.ts';
import type { Ram } from '../../machine/ram.ts';
import type { ReferenceStream } from '../../machine/reference-stream.ts';
import { offsetInPage, PAGE_SIZE, type Pfn, type Vaddr, type Vpn, vaddr, vpnOf } from '../../machine/units.ts';

interface Cached {
  readonly entry: number;
  readonly frame: Pfn;
  readonly level: number;
}

/**
 * An Mmu in the plainest way: a walk for every access, A and D set in the tables, no TLB. With 'cached' it keeps every
 * translation until it is told to forget, so that a missing flush shows. Tests only; also an oracle for the CPU's own.
 */
export class ReferenceMmu implements Mmu {
  private readonly ram: Ram;
  private readonly format: PagingFormat;
  private readonly cache: Map<string, Cached> | null;
  flushes = 0;
  private stream: ReferenceStream | null = null;
  private last = -1;

  constructor(ram: Ram, format: PagingFormat, mode: 'plain' | 'cached' = 'plain') {
    this.ram = ram;
    this.format = format;
    this.cache = mode === 'cached' ? new Map() : null;
  }

  translate(root: TranslationRoot, address: Vaddr, access: Access): number {
    const { format } = this;
    const page = vpnOf(address);
    if (page >= format.userPages) return -1;
    const key = `${root.asid}:${page}`;
    const cached = this.cache?.get(key);
    if (
      cached !== undefined &&
      this.allows(cached.entry, access) &&
      (access !== 2 || (cached.entry & format.DIRTY) !== 0)
    )
      return this.accessed(root, cached.frame, address, access);
    let table = root.rootFrame;
    for (let level = format.levels - 1; ; level--) {
      const entries = 2 ** format.bitsPerLevel;
      const index = Math.floor(page / entries ** level) % entries;
      const slot = (this.ram.offsetOf(table) + index * format.entryBytes) / 4;
      const entry = this.ram.u32[slot];
      if ((entry & format.PRESENT) === 0) return -1;
      if (level > 0 && !format.isLeaf(entry)) {
        table = format.frameOf(entry);
        continue;
      }
      if (!this.allows(entry, access)) return -1;
      const marked = (entry | format.ACCESSED | (access === 2 ? format.DIRTY : 0)) >>> 0;
      this.ram.u32[slot] = marked;
      const frame = (format.frameOf(entry) + (page % entries ** level)) as Pfn;
      this.cache?.set(key, { entry: marked, frame, level });
      return this.accessed(root, frame, address, access);
    }
  }

  copyPresent(root: TranslationRoot, address: Vaddr, access: Access, place: number, bytes: number): number {
    const { ram } = this;
    let done = 0;
    while (done < bytes) {
      const user = this.translate(root, vaddr(address + done), access);
      if (user === -1) break;
      const page = user - (user % PAGE_SIZE);
      const count = Math.min(bytes - done, PAGE_SIZE - (user - page));
      const at = place + done;
      if (at < page + PAGE_SIZE && page < at + count) break;
      if (access === ACCESS_WRITE && ram.holdsCode[(page - ram.ramBase) / PAGE_SIZE] !== 0) break;
      const [to, from] = access === ACCESS_WRITE ? [user, at] : [at, user];
      ram.u8.copyWithin(to, from, from + count);
      done += count;
    }
    return done;
  }

  private accessed(root: TranslationRoot, frame: Pfn, address: Vaddr, access: Access): number {
    if (frame !== this.last) this.stream?.referenced(root.asid, vpnOf(address), frame, access);
    this.last = frame;
    return this.ram.offsetOf(frame) + offsetInPage(address);
  }

  setReferenceStream(stream: ReferenceStream | null): void {
    this.stream = stream;
  }

  private allows(entry: number, access: Access): boolean {
    const { format } = this;
    if ((entry & format.PRESENT) === 0 || (entry & format.USER) === 0) return false;
    if (access === 2) return (entry & format.WRITE) !== 0;
    if (access === 4) return format.EXEC === 0 || (entry & format.EXEC) !== 0;
    return format.READ === 0 || (entry & format.READ) !== 0;
  }

  flushPage(asid: number, page: Vpn): void {
    this.flushes++;
    this.cache?.delete(`${asid}:${page}`);
    // A superpage goes whole, by any of its pages.
    for (const [key, { level }] of this.cache ?? []) {
      if (level === 0) continue;
      const [owner, at] = key.split(':').map(Number);
      const span = 2 ** (this.format.bitsPerLevel * level);
      if (owner === asid && Math.floor(at / span) === Math.floor(page / span)) this.cache?.delete(key);
    }
  }

  flushSpace(asid: number): void {
    this.flushes++;
    for (const key of this.cache?.keys() ?? []) if (key.startsWith(`${asid}:`)) this.cache?.delete(key);
  }

  flushAll(): void {
    this.flushes++;
    this.cache?.clear();
  }
}
