import { vmaName } from '../../kernel/procfs/vma-name.ts';
import { vaddr, vaddrOf, vpnOf } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import type { Vma } from '../../mm/vma.ts';
import { rightsOf } from '../page-view.ts';

/** A VMA as it was seen, also when it is gone. */
export interface Mapping {
  /** As in /proc/PID/maps; '//anon' as perf calls what has no name. */
  readonly name: string;
  /** 'rw-p' */
  readonly rights: string;
  /** The widest range that it was seen with. */
  start: number;
  end: number;
}

/** The number of what is in no VMA. */
export const NO_MAPPING = 0;

/** VMAs as numbers. One that grows or shrinks keeps its number. */
export class MappingNames {
  private readonly all: Mapping[] = [{ name: '[no mapping]', rights: '----', start: 0, end: 0 }];
  private readonly numbers = new WeakMap<Vma, number>();

  /** Of the VMA at the address. */
  at(space: AddressSpace, address: number): number {
    const vma = space.vmas.find(vpnOf(vaddr(address)));
    if (vma === null || vaddrOf(vma.startVpn) > address) return NO_MAPPING;
    const start = vaddrOf(vma.startVpn);
    const end = vaddrOf(vma.endVpn);
    const known = this.numbers.get(vma);
    if (known === undefined) {
      const name = vmaName(vma) ?? '//anon';
      const number = this.all.push({ name, rights: rightsOf(vma), start, end }) - 1;
      this.numbers.set(vma, number);
      return number;
    }
    const mapping = this.all[known];
    mapping.start = Math.min(mapping.start, start);
    mapping.end = Math.max(mapping.end, end);
    return known;
  }

  of(number: number): Mapping {
    return this.all[number];
  }
}
