import { ENOMEM } from '../abi/errno.ts';
import { assert } from '../base/assert.ts';
import { PAGE_SIZE, type Pfn, vaddr, vpn } from '../machine/units.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import { installSpecialMapping } from '../mm/ops/special-mapping.ts';
import { NO_FRAME } from '../mm/phys/frame-table.ts';
import { __GFP_ZERO, GFP_KERNEL } from '../mm/phys/gfp.ts';
import {
  VM_DONTDUMP,
  VM_EXEC,
  VM_IO,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYWRITE,
  VM_PFNMAP,
  VM_READ,
} from '../mm/vm-flags.ts';
import type { SpecialMapping } from '../mm/vma.ts';
import type { Kernel } from './kernel.ts';
import type { TimeNamespace } from './time-namespace.ts';

/** The frames of the vdso and of its data: one copy a machine, mapped into every program; time namespaces have their own page of times. */
export interface VdsoMapping {
  readonly data: SpecialMapping;
  readonly code: SpecialMapping;
}

export function buildVdso(k: Kernel): VdsoMapping {
  const { bytes } = k.arch.vdso;
  const code: number[] = [];
  for (let at = 0; at < bytes.length; at += PAGE_SIZE) code.push(frameWith(k, bytes.subarray(at, at + PAGE_SIZE)));
  const pages = dataPages(k, k.initialTime);
  const data = pages.map((page) => (page === null ? NO_FRAME : frameWith(k, page)));
  return { data: { name: '[vvar]', frames: data }, code: { name: '[vdso]', frames: code } };
}

function dataPages(k: Kernel, ns: TimeNamespace): readonly (Uint8Array | null)[] {
  return k.arch.vdso.dataPages({
    // The host's clock is no function of instructions: the counter cannot stand for it.
    source: k.config.clockSource === 'virtual' ? 'counter' : 'none',
    bootRealSeconds: Math.floor(k.config.bootRealNs / 1e9),
    monotonic: ns.monotonic,
    boottime: ns.boottime,
  });
}

/** A frame with the page of times as the programs of a namespace read them. */
export function buildTimeData(k: Kernel, ns: TimeNamespace): number {
  return frameWith(k, dataPages(k, ns)[0]!);
}

function frameWith(k: Kernel, bytes: Uint8Array): number {
  const frame = k.mm.alloc.allocFrame(GFP_KERNEL | __GFP_ZERO);
  assert(frame !== NO_FRAME, 'kernel/vdso-mapping.ts: memory for the vdso at boot');
  k.mm.ram.writeFrame(frame as Pfn, 0, bytes);
  return frame;
}

/** arch_setup_additional_pages (6.18, arch/riscv/kernel/vdso.c): data, then code, where mmap finds room for both; 0 or -ERRNO. */
export function mapVdso(k: Kernel, space: AddressSpace, data: SpecialMapping): number {
  const { code } = k.vdso!;
  const pages = data.frames.length + code.frames.length;
  const gap =
    space.layout === 'topDown'
      ? space.vmas.gapTopDown(vpn(Math.ceil(k.mm.config.mmapMinAddrBytes / PAGE_SIZE)), space.mmapBase, pages)
      : space.vmas.gapBottomUp(space.mmapBase, space.taskSize, pages);
  if (gap < 0) return -ENOMEM;
  const start = gap * PAGE_SIZE;
  const dataFlags = VM_READ | VM_MAYREAD | VM_IO | VM_DONTDUMP | VM_PFNMAP;
  const failed = installSpecialMapping(k.mm, space, start, data, dataFlags);
  if (failed < 0) return failed;
  const address = start + data.frames.length * PAGE_SIZE;
  const codeFlags = VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
  const codeFailed = installSpecialMapping(k.mm, space, address, code, codeFlags);
  if (codeFailed < 0) return codeFailed;
  space.vdso = vaddr(address);
  return 0;
}

export function freeVdso(k: Kernel): void {
  for (const frame of [...(k.vdso?.data.frames ?? []), ...(k.vdso?.code.frames ?? [])])
    if (frame !== NO_FRAME) k.mm.alloc.putFrame(frame as Pfn);
  k.vdso = null;
}
