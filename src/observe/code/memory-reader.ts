import { PAGE_SIZE, type Vaddr, vaddr } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import type { MemoryManager } from '../../mm/memory-manager.ts';
import { peekMemory } from '../peek-memory.ts';

/** Words of one space's memory, read as a reader must (peekMemory): a page once for all words of it. */
export class MemoryReader {
  private readonly mm: MemoryManager;
  private space: AddressSpace | null = null;
  private readonly page = new Uint8Array(PAGE_SIZE);
  private readonly view = new DataView(this.page.buffer);
  private pageAt = -1;
  private readonly word = new Uint8Array(8);

  constructor(mm: MemoryManager) {
    this.mm = mm;
  }

  /** Begins anew: what was read before may have changed. */
  start(space: AddressSpace): void {
    this.space = space;
    this.pageAt = -1;
  }

  /** null: not resident, or no address. */
  word64(address: number): number | null {
    if (!Number.isSafeInteger(address) || address < 0 || this.space === null) return null;
    const offset = address % PAGE_SIZE;
    if (offset > PAGE_SIZE - 8) return this.acrossPages(address);
    if (address - offset !== this.pageAt) {
      if (peekMemory(this.mm, this.space, (address - offset) as Vaddr, this.page) < PAGE_SIZE) return null;
      this.pageAt = address - offset;
    }
    return this.view.getUint32(offset, true) + this.view.getUint32(offset + 4, true) * 0x1_0000_0000;
  }

  read(address: number, sizeBytes: number): number | null {
    const whole = this.word64(address);
    return whole === null || sizeBytes >= 8 ? whole : whole % 2 ** (8 * sizeBytes);
  }

  private acrossPages(address: number): number | null {
    if (this.space === null || peekMemory(this.mm, this.space, vaddr(address), this.word) < 8) return null;
    const view = new DataView(this.word.buffer);
    return view.getUint32(0, true) + view.getUint32(4, true) * 0x1_0000_0000;
  }
}
