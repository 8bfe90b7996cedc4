import type { Kernel } from '../kernel/kernel.ts';
import type { Task } from '../kernel/task.ts';
import { PAGE_SIZE, vaddr, vaddrOf, vpnOf } from '../machine/units.ts';
import type { FilePages } from '../mm/page-cache/file-pages.ts';
import { peekFile } from './peek-file.ts';
import { SymbolTable } from './symbols.ts';

/** Names of code by the symbol tables of the files that it is mapped from, each read once. */
export class CodeNames {
  private readonly kernel: Kernel;
  private readonly symbols = new WeakMap<object, SymbolTable>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** `function+0xoffset` of what the task runs now, or the address as 0x... */
  ofTask(task: Task): string {
    const pc = this.kernel.arch.pc(this.kernel.registersOf(task));
    const vma = task.space?.vmas.find(vpnOf(vaddr(pc)));
    const pages = vma?.pages ?? null;
    if (vma === undefined || vma === null || pages === null || vma.startVpn * PAGE_SIZE > pc) return hex(pc);
    let table = this.symbols.get(pages);
    if (table === undefined) {
      table = new SymbolTable(this.read(pages));
      this.symbols.set(pages, table);
    }
    return table.find(table.toFileAddress(pc - vaddrOf(vma.startVpn) + vma.pgoff * PAGE_SIZE)) ?? hex(pc);
  }

  private read(pages: FilePages): Uint8Array {
    const { environment, mm } = this.kernel;
    const read = (): Uint8Array => peekFile(mm, pages);
    return environment.observe?.(read) ?? read();
  }
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
