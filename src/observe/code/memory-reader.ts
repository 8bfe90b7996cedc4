import { PAGE_SIZE, type Vaddr, type Vpn, vaddr } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import type { MemoryManager } from '../../mm/memory-manager.ts';
import { peekMemory, presentFrame } from '../peek-memory.ts';

/** Words of one space's memory, read as a reader must (peekMemory): a page is looked for once for all words of it. */
export class MemoryReader {
  private readonly mm: MemoryManager;
  private space: AddressSpace | null = null;
  private page = -1;
  /** Of `page`, in RAM; -1: not resident. */
  private offset = -1;
  private readonly word = new Uint8Array(8);
  private readonly view = new DataView(this.word.buffer);

  constructor(mm: MemoryManager) {
    this.mm = mm;
  }

  /** Begins anew: what was found before may have moved. */
  start(space: AddressSpace): void {
    this.space = space;
    this.page = -1;
  }

  /** null: not resident, or no address. */
  word64(address: number): number | null {
    const { space, mm } = this;
    if (!Number.isSafeInteger(address) || address < 0 || space === null) return null;
    const within = address % PAGE_SIZE;
    if (within % 4 !== 0 || within > PAGE_SIZE - 8) return this.unaligned(address);
    const page = (address - within) / PAGE_SIZE;
    if (page !== this.page) {
      const frame = presentFrame(mm, space, page as Vpn);
      this.page = page;
      this.offset = frame < 0 ? -1 : mm.ram.ramBase + frame * PAGE_SIZE;
    }
    if (this.offset < 0) return null;
    const at = (this.offset + within) / 4;
    return mm.ram.u32[at] + mm.ram.u32[at + 1] * 0x1_0000_0000;
  }

  read(address: number, sizeBytes: number): number | null {
    const whole = this.word64(address);
    return whole === null || sizeBytes >= 8 ? whole : whole % 2 ** (8 * sizeBytes);
  }

  private unaligned(address: number): number | null {
    if (this.space === null || peekMemory(this.mm, this.space, vaddr(address) as Vaddr, this.word) < 8) return null;
    return this.view.getUint32(0, true) + this.view.getUint32(4, true) * 0x1_0000_0000;
  }
}
