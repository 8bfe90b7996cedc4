import { COST_FAULT_NS } from '../machine/cost-model.ts';
import { ACCESS_READ, ACCESS_WRITE } from '../machine/mmu.ts';
import { offsetInPage, PAGE_SIZE, type Pfn, vaddr, vpnOf } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import { countFault, resolveFault } from './fault/fault.ts';
import { FAULT_DONE } from './fault/results.ts';
import type { MemoryManager } from './memory-manager.ts';
import { PG_anon, PG_anon_exclusive } from './phys/page-flags.ts';
import { ensureUserByte } from './user-access.ts';
import { isCowMapping, VM_IO, VM_MAYREAD, VM_PFNMAP } from './vm-flags.ts';
import type { Vma } from './vma.ts';

/**
 * Another process's memory as a debugger reaches it (Linux 6.18: access_remote_vm). 'plain' obeys the mapping's rights. 'force'
 * (FOLL_FORCE) reads what mprotect could make readable, and writes read-only private mappings, which copies the page as a
 * store of the program would: the file and other processes never see it.
 * 'patient' is 'plain' that may sleep in a fault (GUP with FOLL_UNLOCKABLE: process_vm_readv); for the others that is a failure.
 */
export type RemoteMode = 'plain' | 'force' | 'patient';

/** Bytes read, from the front. */
export function readRemote(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  into: Uint8Array,
  mode: RemoteMode,
): number {
  let done = 0;
  while (done < into.length) {
    const at = address + done;
    const offset = remoteByte(mm, space, at, ACCESS_READ, mode);
    if (offset === -1) break;
    touch(mm, offset);
    const count = Math.min(into.length - done, PAGE_SIZE - offsetInPage(at));
    into.set(mm.ram.u8.subarray(offset, offset + count), done);
    done += count;
  }
  return done;
}

/** Bytes written, from the front. */
export function writeRemote(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  from: Uint8Array,
  mode: RemoteMode,
): number {
  let done = 0;
  while (done < from.length) {
    const at = address + done;
    const offset = remoteByte(mm, space, at, ACCESS_WRITE, mode);
    if (offset === -1) break;
    touch(mm, offset);
    const count = Math.min(from.length - done, PAGE_SIZE - offsetInPage(at));
    mm.ram.beforeWrite(Math.floor((offset - mm.ram.ramBase) / PAGE_SIZE) as Pfn);
    mm.ram.u8.set(from.subarray(done, done + count), offset);
    done += count;
  }
  return done;
}

/** FOLL_TOUCH: the access counts as a use of the page. */
function touch(mm: MemoryManager, offset: number): void {
  const frame = Math.floor((offset - mm.ram.ramBase) / PAGE_SIZE) as Pfn;
  if (frame !== mm.zeroPage) mm.pageCache.markAccessed(mm.frames.headOf(frame));
}

/** Offset in Ram.memory of the byte, its page made present; -1 where the access is refused. */
function remoteByte(mm: MemoryManager, space: AddressSpace, address: number, access: 1 | 2, mode: RemoteMode): number {
  if (mode === 'patient') return findByte(mm, space, address, access, mode);
  const { waiter } = mm;
  mm.waiter = null;
  const offset = findByte(mm, space, address, access, mode);
  mm.waiter = waiter;
  return offset;
}

function findByte(mm: MemoryManager, space: AddressSpace, address: number, access: 1 | 2, mode: RemoteMode): number {
  if (!(address >= 0 && address < space.taskSize * PAGE_SIZE)) return -1;
  const page = vpnOf(vaddr(address));
  const vma = space.vmas.find(page);
  if (vma === null) return -1;
  if (vma.startVpn > page || mm.access.allows(vma.flags, access)) return ensureUserByte(mm, space, address, access);
  if (mode !== 'force' || !mayForce(vma, access)) return -1;
  return forceByte(mm, vma, address, access);
}

/** check_vma_flags. */
function mayForce(vma: Vma, access: 1 | 2): boolean {
  if ((vma.flags & (VM_IO | VM_PFNMAP)) !== 0) return false;
  return access === ACCESS_WRITE ? isCowMapping(vma.flags) : (vma.flags & VM_MAYREAD) !== 0;
}

/** follow_page_pte and faultin_page: by the entry itself, as the MMU would refuse. */
function forceByte(mm: MemoryManager, vma: Vma, address: number, access: 1 | 2): number {
  const { pageTables, frames, format } = mm;
  const page = vpnOf(vaddr(address));
  for (let tries = 0; tries < 3; tries++) {
    const slot = pageTables.findEntry(vma.space, page);
    const entry = slot === -1 ? 0 : pageTables.read(slot);
    if (pageTables.isMapped(entry)) {
      const frame = pageTables.frameWithin(entry, pageTables.foundLevel, page);
      const offset = mm.ram.offsetOf(frame) + offsetInPage(address);
      if (access === ACCESS_READ) return offset;
      // can_follow_write_pte: only a page that nobody else can see.
      const own = PG_anon | PG_anon_exclusive;
      if ((frames.flags[frames.headOf(frame)] & own) === own) {
        pageTables.set(slot, (entry | format.DIRTY) >>> 0);
        return offset;
      }
    }
    mm.lastFaultMajor = 0;
    mm.lastFaultFrame = -1;
    mm.faultAddress = address;
    mm.faultMode = 'kernel';
    mm.clock.charge(COST_FAULT_NS);
    const result = resolveFault(mm, vma, page, access);
    countFault(mm, vma.space, vaddr(address), access, 'kernel');
    if (result !== FAULT_DONE) return -1;
  }
  return -1;
}
