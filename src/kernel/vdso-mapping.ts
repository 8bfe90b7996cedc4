import { ENOMEM } from '../abi/errno.ts';
import { assert } from '../base/assert.ts';
import { PAGE_SIZE, type Pfn, vaddr, vpn } from '../machine/units.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import { installSpecialMapping } from '../mm/ops/special-mapping.ts';
import { NO_FRAME } from '../mm/phys/frame-table.ts';
import { __GFP_ZERO, GFP_KERNEL } from '../mm/phys/gfp.ts';
import { VM_EXEC, VM_MAYEXEC, VM_MAYREAD, VM_MAYWRITE, VM_READ } from '../mm/vm-flags.ts';
import type { SpecialMapping } from '../mm/vma.ts';
import type { Kernel } from './kernel.ts';

/** The vdso's frames: one copy a machine, mapped into every program. */
export type VdsoMapping = SpecialMapping;

export function buildVdso(k: Kernel): VdsoMapping {
  const { bytes } = k.arch.vdso;
  const frames: number[] = [];
  for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
    const frame = k.mm.alloc.allocFrame(GFP_KERNEL | __GFP_ZERO);
    assert(frame !== NO_FRAME, 'kernel/vdso-mapping.ts: memory for the vdso at boot');
    k.mm.ram.writeFrame(frame as Pfn, 0, bytes.subarray(at, at + PAGE_SIZE));
    frames.push(frame);
  }
  return { name: '[vdso]', frames };
}

/** arch_setup_additional_pages: maps it where mmap finds room; 0 or -ERRNO. */
export function mapVdso(k: Kernel, space: AddressSpace): number {
  const mapping = k.vdso!;
  const pages = mapping.frames.length;
  const gap =
    space.layout === 'topDown'
      ? space.vmas.gapTopDown(vpn(Math.ceil(k.mm.config.mmapMinAddrBytes / PAGE_SIZE)), space.mmapBase, pages)
      : space.vmas.gapBottomUp(space.mmapBase, space.taskSize, pages);
  if (gap < 0) return -ENOMEM;
  const address = gap * PAGE_SIZE;
  const flags = VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
  const failed = installSpecialMapping(k.mm, space, address, mapping, flags);
  if (failed < 0) return failed;
  space.vdso = vaddr(address);
  return 0;
}

export function freeVdso(k: Kernel): void {
  for (const frame of k.vdso?.frames ?? []) k.mm.alloc.putFrame(frame as Pfn);
  k.vdso = null;
}
