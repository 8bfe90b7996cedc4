import type { Kernel } from '../../kernel/kernel.ts';
import { PAGE_SIZE, vaddr, vaddrOf, vpnOf } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import type { FilePages } from '../../mm/page-cache/file-pages.ts';
import { VM_EXEC } from '../../mm/vm-flags.ts';
import type { Vma } from '../../mm/vma.ts';
import { peekFile } from '../peek-file.ts';
import type { Decompress } from './elf-file.ts';
import { Module } from './module.ts';

/** Where in which file an address of running code is. */
export interface CodePlace {
  module: Module;
  /** A virtual address of the file's own, as its symbols have them. */
  address: number;
}

/** Which files code comes from; each is read once. A reader: it changes nothing of the machine. */
export class CodeMap {
  readonly modules: Module[] = [];
  private readonly kernel: Kernel;
  private readonly decompress: Decompress;
  private readonly byFile = new WeakMap<object, Module>();

  constructor(kernel: Kernel, decompress: Decompress = () => null) {
    this.kernel = kernel;
    this.decompress = decompress;
  }

  /** null: the address is in no executable mapping. Code that is of no file (made at run time) is of a module without a path. */
  find(space: AddressSpace, pc: number): CodePlace | null {
    if (!Number.isSafeInteger(pc) || pc < 0 || pc >= space.taskSize * PAGE_SIZE) return null;
    const vma = space.vmas.find(vpnOf(vaddr(pc)));
    if (vma === null || vaddrOf(vma.startVpn) > pc || (vma.flags & VM_EXEC) === 0) return null;
    const module = this.moduleOf(vma);
    const offset = pc - vaddrOf(vma.startVpn) + (vma.pages === null ? 0 : vma.pgoff * PAGE_SIZE);
    if (module.path === '') return { module, address: pc };
    return { module, address: module.elf.addressOf(offset) };
  }

  /** The file that a VMA maps, or the vdso; of memory that is of no file a module without a path. */
  moduleOf(vma: Vma): Module {
    const key = vma.pages ?? vma.special ?? this;
    let module = this.byFile.get(key);
    if (module === undefined) {
      module = this.makeModule(vma);
      this.byFile.set(key, module);
    }
    return module;
  }

  private makeModule({ pages, special, file }: Vma): Module {
    const path = pages !== null ? (file?.displayPath() ?? '') : (special?.name ?? '');
    const vdso = this.kernel.arch.vdso.bytes;
    const read = (): Uint8Array =>
      pages !== null ? this.readFile(pages) : special !== null ? vdso : new Uint8Array(0);
    const module = new Module(this.modules.length, path, read, this.decompress);
    this.modules.push(module);
    return module;
  }

  private readFile(pages: FilePages): Uint8Array {
    const { environment, mm } = this.kernel;
    const read = (): Uint8Array => peekFile(mm, pages);
    return environment.observe?.(read) ?? read();
  }
}
