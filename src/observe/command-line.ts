import type { Kernel } from '../kernel/kernel.ts';
import { vaddr } from '../machine/units.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import { peekMemory } from './peek-memory.ts';

/** The program's arguments as they are in its memory now: read without a fault, so that a run is the same with and without a look. */

/** The words, as far as they are resident, of at most so many bytes; '' where they are not. */
export function argumentsOf(kernel: Kernel, space: AddressSpace, mostBytes = Number.POSITIVE_INFINITY): string {
  const bytes = new Uint8Array(Math.max(0, Math.min(mostBytes, space.argEnd - space.argStart)));
  const length = peekMemory(kernel.mm, space, vaddr(space.argStart), bytes);
  return new TextDecoder().decode(bytes.subarray(0, length)).replace(/\0+$/, '').replaceAll('\0', ' ');
}

/** The words; where they are not resident, the program's name in brackets, as ps has it. */
export function commandOf(kernel: Kernel, space: AddressSpace, pid: number): string {
  return argumentsOf(kernel, space).trim() || `[${kernel.processes.get(pid)?.leader.comm ?? '?'}]`;
}
