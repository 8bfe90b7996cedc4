import * as at from '../layout.ts';
import type { Guest } from './guest.ts';

/**
 * Recomputes every TLB entry of the guest's own space from the page tables; the messages of those that disagree.
 * Only for a guest that has run one space and flushed none, so that its tag is the only one.
 */
export function checkTlb(guest: Guest): string[] {
  const wrong: string[] = [];
  const tables = [
    { name: 'read', base: at.READ_TLB, count: at.DATA_TLB_ENTRIES, need: guest.format.READ },
    { name: 'write', base: at.WRITE_TLB, count: at.DATA_TLB_ENTRIES, need: guest.format.WRITE | guest.format.DIRTY },
    { name: 'fetch', base: at.FETCH_TLB, count: at.FETCH_TLB_ENTRIES, need: guest.format.EXEC },
  ];
  const { u32, holdsCode, ramBase } = guest.ram;
  for (const { name, base, count, need } of tables) {
    for (let index = 0; index < count; index++) {
      const word = (base + index * at.TLB_ENTRY_BYTES) / 4;
      if (u32[word] === 0 && u32[word + 1] === 0) continue;
      const page = u32[word + 1] * 2 ** 20 + (u32[word] >>> 12);
      const frame = ((u32[word + 2] + (u32[word] & ~4095)) >>> 0) / 4096 - ramBase / 4096;
      const where = `${name} entry of page ${page.toString(16)}`;
      const leaf = guest.findLeaf(page);
      if (leaf === null) wrong.push(`${where}: no leaf`);
      else if ((leaf.flags & (need | guest.format.ACCESSED)) !== (need | guest.format.ACCESSED))
        wrong.push(`${where}: flags ${leaf.flags}`);
      else if (leaf.frame !== frame) wrong.push(`${where}: frame ${frame}, not ${leaf.frame}`);
      if (name === 'write' && holdsCode[frame] !== 0) wrong.push(`${where}: the frame holds code`);
    }
  }
  for (let frame = 0; frame < guest.ram.frameCount; frame++) {
    if ((u32[at.SLOT_MAP / 4 + frame] !== 0) !== (holdsCode[frame] !== 0)) wrong.push(`frame ${frame}: slot map`);
  }
  return wrong;
}
