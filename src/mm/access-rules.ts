import type { PagingFormat } from '../machine/paging/format.ts';

/**
 * Which accesses a VMA's rights allow, as the architecture's page-table format can express them: a format without a READ
 * bit (i386) lets everything present be read; riscv64 keeps execute-only. Linux: access_error of each architecture, and
 * protection_map.
 */
export class AccessRules {
  /** Index: (VM_READ|VM_WRITE|VM_EXEC bits) * 8 + access (1 read, 2 write, 4 exec); 1 where allowed. */
  private readonly allowed = new Uint8Array(64);
  /** Permission bits of a shared mapping's entry, by VM_READ|VM_WRITE|VM_EXEC; 0 for none. */
  readonly permission = new Uint32Array(8);

  constructor(format: PagingFormat) {
    for (let prot = 1; prot < 8; prot++) {
      const flags = format.permissionFlags(prot);
      this.permission[prot] = flags;
      const readable = format.READ === 0 ? (flags & format.PRESENT) !== 0 : (flags & format.READ) !== 0;
      const executable = format.EXEC === 0 ? readable : (flags & format.EXEC) !== 0;
      if (readable) this.allowed[prot * 8 + 1] = 1;
      if ((prot & 2) !== 0) this.allowed[prot * 8 + 2] = 1;
      if (executable) this.allowed[prot * 8 + 4] = 1;
    }
  }

  allows(vmFlags: number, access: number): boolean {
    return this.allowed[(vmFlags & 7) * 8 + access] !== 0;
  }
}
