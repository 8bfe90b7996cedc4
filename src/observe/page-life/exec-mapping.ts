import { PAGE_SIZE, type Vpn, vpnOf } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { VM_EXEC } from '../../mm/vm-flags.ts';
import type { Vma } from '../../mm/vma.ts';
import type { CodeMap } from '../code/code-map.ts';

const PT_LOAD = 1;

/** What a VMA that execve has just made is for: `segment 3 of /bin/ls`, numbered as readelf -l does; the stack; the kernel's own pages. */
export function describeExecMapping(code: CodeMap, space: AddressSpace, vma: Vma, page: Vpn): string {
  if (vma.special !== null) return `the kernel's ${vma.special.name}`;
  if (vma.pages !== null) return describeSegment(code, space, vma, page);
  if (vma.startVpn <= vpnOf(space.startStack) && vpnOf(space.startStack) < vma.endVpn) return "the program's stack";
  const before = space.vmas.findPrev(vma.startVpn);
  if (before !== null && before.endVpn === vma.startVpn && before.pages !== null)
    return `zeroes behind the file's part of ${describeSegment(code, space, before, (before.endVpn - 1) as Vpn)}`;
  return "zeroes of the program's";
}

function describeSegment(code: CodeMap, space: AddressSpace, vma: Vma, page: Vpn): string {
  const { elf, path } = code.moduleOf(vma);
  const offset = (vma.pgoff + (page - vma.startVpn)) * PAGE_SIZE;
  const isCode = (vma.flags & VM_EXEC) !== 0;
  const holds = (each: (typeof elf.segments)[number]): boolean =>
    each.type === PT_LOAD &&
    offset >= each.offset - (each.offset % PAGE_SIZE) &&
    offset < each.offset + each.fileBytes &&
    each.isCode === isCode;
  // Where a page of the file is in two segments, the VMA begins where its own does.
  const begins = (each: (typeof elf.segments)[number]): boolean =>
    holds(each) && each.offset - (each.offset % PAGE_SIZE) === vma.pgoff * PAGE_SIZE;
  const exact = elf.segments.findIndex(begins);
  const number = exact >= 0 ? exact : elf.segments.findIndex(holds);
  const whose = vma.pages === space.exeFile?.pages ? '' : ', its interpreter';
  return number < 0 ? `${path}${whose}` : `segment ${number} of ${path}${whose}`;
}
