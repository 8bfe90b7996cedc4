import { PAGE_SIZE } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { VM_EXEC, VM_MAYSHARE, VM_READ, VM_WRITE } from '../../mm/vm-flags.ts';
import type { Vma } from '../../mm/vma.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { mangle } from './text.ts';
import { vmaName } from './vma-name.ts';

/** Where names begin: seq_setwidth(m, 25 + sizeof(void *) * 6 - 1), and a blank. */
const nameColumn = (wordBytes: number): number => 25 + wordBytes * 6 - 1;

/** /proc/PID/maps: one record a VMA (show_map_vma). */
export function showMaps(k: Kernel, _t: Task, space: AddressSpace | null): readonly string[] {
  if (space === null || !k.mm.spaces.has(space)) return [];
  const lines: string[] = [];
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma))
    lines.push(`${mapsLine(vma, k.arch.wordBytes)}\n`);
  return lines;
}

/** The line of one VMA, without the newline. */
export function mapsLine(vma: Vma, wordBytes: number): string {
  const { flags, file } = vma;
  const rights =
    ((flags & VM_READ) !== 0 ? 'r' : '-') +
    ((flags & VM_WRITE) !== 0 ? 'w' : '-') +
    ((flags & VM_EXEC) !== 0 ? 'x' : '-') +
    ((flags & VM_MAYSHARE) !== 0 ? 's' : 'p');
  const offset = file === null ? 0 : vma.pgoff * PAGE_SIZE;
  return mapsText({
    startPage: vma.startVpn,
    endPage: vma.endVpn,
    rights,
    offset,
    devMajor: file?.devMajor ?? 0,
    devMinor: file?.devMinor ?? 0,
    ino: file?.ino ?? 0,
    name: vmaName(vma),
    wordBytes,
  });
}

export interface MapsFields {
  readonly startPage: number;
  readonly endPage: number;
  readonly rights: string;
  readonly offset: number;
  readonly devMajor: number;
  readonly devMinor: number;
  readonly ino: number;
  readonly name: string | null;
  readonly wordBytes: number;
}

/** show_vma_header_prefix and seq_pad. */
export function mapsText(fields: MapsFields): string {
  const range = `${hex(fields.startPage * PAGE_SIZE, 8)}-${hex(fields.endPage * PAGE_SIZE, 8)}`;
  const dev = `${hex(fields.devMajor, 2)}:${hex(fields.devMinor, 2)}`;
  const line = `${range} ${fields.rights} ${hex(fields.offset, 8)} ${dev} ${fields.ino} `;
  return fields.name === null ? line : `${line.padEnd(nameColumn(fields.wordBytes))} ${mangle(fields.name, '\n')}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
