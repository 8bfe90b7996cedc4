import type { JitMode } from '../../src/arch/riscv64/jit/pace.ts';
import { Guest } from '../../src/arch/riscv64/testing/guest.ts';
import { TRAP_SYSCALL } from '../../src/machine/cpu.ts';
import type { PagingFormat } from '../../src/machine/paging/format.ts';
import { pfn } from '../../src/machine/units.ts';

/** A bare static ELF64 in a hand-made address space: no kernel, every ecall comes back to the caller. */
export function loadElf(bytes: Uint8Array, format: PagingFormat, ramBytes?: number, jit?: JitMode): Guest {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const guest = new Guest(format, ramBytes, jit);
  const headers = Number(view.getBigUint64(32, true));
  const pages = new Map<number, { frame: ReturnType<Guest['frame']>; prot: number }>();
  for (let i = 0; i < view.getUint16(56, true); i++) {
    const at = headers + i * view.getUint16(54, true);
    if (view.getUint32(at, true) !== 1) continue;
    const flags = view.getUint32(at + 4, true);
    const prot = ((flags & 4) >> 2) | (flags & 2) | ((flags & 1) << 2);
    const offset = Number(view.getBigUint64(at + 8, true));
    const address = Number(view.getBigUint64(at + 16, true));
    const fileSize = Number(view.getBigUint64(at + 32, true));
    const memorySize = Number(view.getBigUint64(at + 40, true));
    for (let page = Math.floor(address / 4096); page * 4096 < address + memorySize; page++) {
      const known = pages.get(page);
      const both = (known?.prot ?? 0) | prot;
      const frame = guest.map(page, both, known === undefined ? {} : { frame: known.frame });
      pages.set(page, { frame, prot: both });
      const from = Math.max(address, page * 4096);
      const to = Math.min(address + fileSize, (page + 1) * 4096);
      if (from < to) {
        const start = offset + from - address;
        guest.ram.writeFrame(frame, from % 4096, bytes.subarray(start, start + to - from));
      }
    }
  }
  guest.pc = Number(view.getBigUint64(24, true));
  return guest;
}

/** Maps a stack of so many pages below `top` and points sp at it. */
export function giveStack(guest: Guest, top: number, pages: number): void {
  for (let page = top / 4096 - pages; page < top / 4096; page++) guest.map(page, 3);
  guest.setX(2, BigInt(top));
}

/** Runs to the first ecall; its number and a0, or the trap that came instead. */
export function runToEcall(guest: Guest, limit: number): { trap: number; number: number; a0: number } {
  const start = guest.cpu.retired;
  for (;;) {
    const trap = guest.cpu.run(100_000);
    if (trap === 0 && guest.cpu.retired - start < limit) continue;
    return { trap, number: trap === TRAP_SYSCALL ? Number(guest.x(17)) : -1, a0: Number(guest.x(10)) };
  }
}

export function frameOf(guest: Guest, offset: number): ReturnType<typeof pfn> {
  return pfn(Math.floor((offset - guest.ram.ramBase) / 4096));
}
