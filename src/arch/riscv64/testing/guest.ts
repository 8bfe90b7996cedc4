import { ACCESS_EXEC, type Access } from '../../../machine/mmu.ts';
import type { PagingFormat } from '../../../machine/paging/format.ts';
import { Ram } from '../../../machine/ram.ts';
import { type Pfn, pfn, vaddr } from '../../../machine/units.ts';
import { Riscv64Cpu } from '../cpu.ts';
import type { JitMode, JitPace } from '../jit/pace.ts';
import { MACHINE_AREA_BYTES } from '../layout.ts';
import { REG_PC } from '../registers.ts';

const PAGE = 4096;

/** A CPU with page tables made by hand: frames are taken in order, nothing is ever freed. */
export class Guest {
  readonly ram: Ram;
  readonly cpu: Riscv64Cpu;
  readonly format: PagingFormat;
  private nextFrame = 1;
  readonly root: { rootFrame: Pfn; asid: number };

  /** Of guests that do not say: jit/as-interpreted.test.ts runs tests of the interpreter with another one. */
  static jit: JitMode | JitPace = 'off';

  constructor(format: PagingFormat, ramBytes = 16 * 1024 * 1024, jit = Guest.jit) {
    this.format = format;
    this.ram = new Ram({ ramBytes, machineAreaBytes: MACHINE_AREA_BYTES });
    this.cpu = new Riscv64Cpu(this.ram, format, jit);
    this.root = this.newSpace(1);
    this.cpu.setSpace(this.root);
  }

  newSpace(asid: number): { rootFrame: Pfn; asid: number } {
    return { rootFrame: this.frame(), asid };
  }

  frame(): Pfn {
    const frame = pfn(this.nextFrame++);
    this.ram.zeroFrame(frame);
    return frame;
  }

  /** Index in ram.u32 of the entry that maps `page` at `level`, making the tables above it. */
  entryAt(page: number, level = 0, root = this.root): number {
    let table = root.rootFrame;
    for (let l = this.format.levels - 1; ; l--) {
      const index = Math.floor(page / 512 ** l) % 512;
      const word = this.ram.offsetOf(table) / 4 + index * 2;
      if (l === level) return word;
      if (this.ram.u32[word] === 0) this.ram.u32[word] = this.format.makeTable(this.frame());
      table = this.format.frameOf(this.ram.u32[word]);
    }
  }

  /** Maps one page with mmap's prot; the frame is new unless it is given. */
  map(page: number, prot: number, options: { frame?: Pfn; root?: { rootFrame: Pfn; asid: number } } = {}): Pfn {
    const frame = options.frame ?? this.frame();
    const root = options.root ?? this.root;
    this.ram.u32[this.entryAt(page, 0, root)] = this.format.makeLeaf(frame, this.format.permissionFlags(prot));
    return frame;
  }

  /** The leaf that maps a page, its frame being that of the 4 KiB page; null if there is none. */
  findLeaf(page: number): { frame: number; flags: number } | null {
    let table = this.root.rootFrame;
    for (let level = this.format.levels - 1; level >= 0; level--) {
      const span = 512 ** level;
      const entry = this.ram.u32[this.ram.offsetOf(table) / 4 + (Math.floor(page / span) % 512) * 2];
      if ((entry & this.format.PRESENT) === 0) return null;
      if (this.format.isLeaf(entry)) {
        return { frame: this.format.frameOf(entry) + (page % span), flags: entry & 1023 };
      }
      table = this.format.frameOf(entry);
    }
    return null;
  }

  entry(page: number, level = 0): number {
    return this.ram.u32[this.entryAt(page, level)];
  }

  /** Puts machine code at a mapped address: 32-bit words, or 16-bit ones where they are compressed. */
  code(address: number, words: readonly number[]): void {
    let at = address;
    for (const word of words) {
      const halves = (word & 3) === 3 ? [word & 0xffff, word >>> 16] : [word];
      for (const half of halves) {
        const offset = this.translate(at, ACCESS_EXEC);
        this.ram.beforeWrite(pfn(Math.floor((offset - this.ram.ramBase) / PAGE)));
        this.ram.u16[offset / 2] = half;
        at += 2;
      }
    }
  }

  /** Translates for the guest's own space. */
  translate(address: number, access: Access): number {
    return this.cpu.translate(this.root, vaddr(address), access);
  }

  runFrom(pc: number, budget = 100_000): number {
    this.pc = pc;
    return this.cpu.run(budget);
  }

  get pc(): number {
    return this.cpu.registers[REG_PC] + this.cpu.registers[REG_PC + 1] * 2 ** 32;
  }

  set pc(value: number) {
    this.cpu.registers[REG_PC] = value % 2 ** 32;
    this.cpu.registers[REG_PC + 1] = Math.floor(value / 2 ** 32);
  }

  x(number: number): bigint {
    const { registers } = this.cpu;
    return (BigInt(registers[2 * number + 1]) << 32n) | BigInt(registers[2 * number]);
  }

  setX(number: number, value: bigint): void {
    this.cpu.registers[2 * number] = Number(value & 0xffffffffn);
    this.cpu.registers[2 * number + 1] = Number((value >> 32n) & 0xffffffffn);
  }
}
