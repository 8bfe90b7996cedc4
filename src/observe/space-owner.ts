import type { Kernel } from '../kernel/kernel.ts';
import type { AddressSpace } from '../mm/address-space.ts';

/** The process that has the address space: the one with the lowest pid; 0: nobody (any more). */
export function pidOfSpace(kernel: Kernel, space: AddressSpace): number {
  let found = 0;
  for (const process of kernel.processes.values())
    if (process.leader.space === space && (found === 0 || process.pid < found)) found = process.pid;
  return found;
}
