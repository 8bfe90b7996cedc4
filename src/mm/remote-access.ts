import { COST_FAULT_NS } from '../machine/cost-model.ts';
import { ACCESS_READ, ACCESS_WRITE } from '../machine/mmu.ts';
import { offsetInPage, PAGE_SIZE, type Pfn, vaddr, vpnOf } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import { countFault, resolveFault, resolveUnshare } from './fault/fault.ts';
import { FAULT_DONE } from './fault/results.ts';
import { expandStack } from './fault/stack.ts';
import type { MemoryManager } from './memory-manager.ts';
import { PG_anon, PG_anon_exclusive } from './phys/page-flags.ts';
import { markPageDirty, touchPage } from './touch.ts';
import { isUffdProtected } from './uffd/protected.ts';
import { isCowMapping, VM_GROWSDOWN, VM_IO, VM_MAYREAD, VM_PFNMAP, VM_READ, VM_WRITE } from './vm-flags.ts';
import { VMA_HUGETLB, type Vma } from './vma.ts';

/**
 * Another process's memory as a debugger reaches it (Linux 6.18: access_remote_vm). 'plain' obeys the mapping's rights. 'force'
 * (FOLL_FORCE) reads what mprotect could make readable, and writes read-only private mappings, which copies the page as a
 * store of the program would: the file and other processes never see it.
 * 'patient' is 'plain' that may sleep in a fault (GUP with FOLL_UNLOCKABLE: process_vm_readv); for the others that is a failure.
 * It also holds the page (FOLL_PIN), so a page that is shared since fork becomes the process's own first.
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
    const count = Math.min(from.length - done, PAGE_SIZE - offsetInPage(at));
    const frame = Math.floor((offset - mm.ram.ramBase) / PAGE_SIZE) as Pfn;
    mm.ram.beforeWrite(frame);
    mm.ram.u8.set(from.subarray(done, done + count), offset);
    markPageDirty(mm, mm.frames.headOf(frame));
    done += count;
  }
  return done;
}

/** Offset in Ram.memory of the byte, its page made present and touched; -1 where the access is refused (check_vma_flags). */
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
  let vma = space.vmas.find(page);
  if (vma === null) return -1;
  if (vma.startVpn > page) {
    // __access_remote_vm: the stack grows for a debugger, too; gup_vma_lookup: not for process_vm_readv.
    if (mode === 'patient' || (vma.flags & VM_GROWSDOWN) === 0 || expandStack(mm, vma, page) !== 0) return -1;
    vma = space.vmas.find(page) as Vma;
  }
  if (vma.file?.isSecret === true) return -1;
  const allowed = rightsAllow(vma, access);
  if (!allowed && (mode !== 'force' || !mayForce(vma, access))) return -1;
  const hold = mode === 'patient' ? 'pin' : 'get';
  return pageByte(mm, vma, address, access, allowed ? 'allowed' : 'forced', hold);
}

/** The rights as written, not as an architecture widens them (write without read). */
function rightsAllow(vma: Vma, access: 1 | 2): boolean {
  if ((vma.flags & (VM_IO | VM_PFNMAP)) !== 0) return false;
  return (vma.flags & (access === ACCESS_WRITE ? VM_WRITE : VM_READ)) !== 0;
}

function mayForce(vma: Vma, access: 1 | 2): boolean {
  if ((vma.flags & (VM_IO | VM_PFNMAP)) !== 0) return false;
  return access === ACCESS_WRITE ? isCowMapping(vma.flags) : (vma.flags & VM_MAYREAD) !== 0;
}

/** Userfaultfd's mark goes, the page comes, it becomes the program's own, it is used. */
const MAX_TRIES = 4;

/** follow_page_pte and faultin_page: by the entry itself, as the MMU might refuse. */
function pageByte(
  mm: MemoryManager,
  vma: Vma,
  address: number,
  access: 1 | 2,
  rights: 'allowed' | 'forced',
  hold: 'pin' | 'get',
): number {
  const { pageTables, format } = mm;
  const page = vpnOf(vaddr(address));
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const slot = pageTables.findEntry(vma.space, page);
    const entry = slot === -1 ? 0 : pageTables.read(slot);
    let mustUnshare = false;
    if (pageTables.isMapped(entry)) {
      const frame = pageTables.frameWithin(entry, pageTables.foundLevel, page);
      // can_follow_write_pte: where writing is forced, only a page that nobody else can see.
      const usable =
        access === ACCESS_READ ||
        (entry & format.WRITE) !== 0 ||
        (rights === 'forced' && isAnon(mm, frame) && isExclusive(mm, entry) && !isUffdProtected(mm, vma, entry));
      mustUnshare = usable && hold === 'pin' && mustUnshareToPin(mm, vma, entry, access);
      if (usable && !mustUnshare) {
        touchPage(mm, slot, access);
        return mm.ram.offsetOf(frame) + offsetInPage(address);
      }
    }
    mm.lastFaultMajor = 0;
    mm.lastFaultFrame = -1;
    mm.faultAddress = address;
    mm.faultMode = 'kernel';
    mm.clock.charge(COST_FAULT_NS);
    const result = mustUnshare ? resolveUnshare(mm, vma, page) : resolveFault(mm, vma, page, access);
    countFault(mm, vma.space, vaddr(address), access, 'kernel');
    if (result !== FAULT_DONE) return -1;
  }
  return -1;
}

/** gup_must_unshare: of a page that others see, too, they might write to the original later. (Not of hugetlb's: its copies are whole.) */
function mustUnshareToPin(mm: MemoryManager, vma: Vma, entry: number, access: 1 | 2): boolean {
  const { pageTables, format } = mm;
  if (access === ACCESS_WRITE || (entry & format.WRITE) !== 0 || vma.kind === VMA_HUGETLB) return false;
  return isAnon(mm, pageTables.frameOf(entry)) && !isExclusive(mm, entry);
}

function isAnon({ frames }: MemoryManager, frame: Pfn): boolean {
  return (frames.flags[frames.headOf(frame)] & PG_anon) !== 0;
}

/** Of a huge leaf by its head. */
function isExclusive({ frames, pageTables }: MemoryManager, entry: number): boolean {
  return (frames.flags[pageTables.frameOf(entry)] & PG_anon_exclusive) !== 0;
}
