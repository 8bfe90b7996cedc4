import type { AddressSpace } from '../address-space.ts';
import { VM_EXEC, VM_WRITE } from '../vm-flags.ts';

/**
 * Memory-Deny-Write-Execute (Linux 6.18: map_deny_write_exec): may a mapping not go from `before` to these flags? It must not be
 * written and executed at once, nor be executed later than it was made.
 */
export function deniesWriteExec(space: AddressSpace, before: number, after: number): boolean {
  if (space.denyWriteExec === 'no' || (after & VM_EXEC) === 0) return false;
  return (after & VM_WRITE) !== 0 || (before & VM_EXEC) === 0;
}
