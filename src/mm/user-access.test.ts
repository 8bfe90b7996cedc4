import { describe, expect, it } from 'vitest';
import { EFAULT, ENAMETOOLONG } from '../abi/errno.ts';
import { decodeUtf8, encodeUtf8 } from '../base/utf8.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import { futexKey } from './futex-key.ts';
import { dupSpace } from './ops/fork.ts';
import { mmap } from './ops/mmap.ts';
import { createTestMachine } from './testing/test-machine.ts';
import {
  clearUser,
  compareExchangeU32,
  copyFromUser,
  copyToUser,
  readU32,
  readU64,
  readUserString,
  writeU32,
  writeU64,
} from './user-access.ts';
import { UserIo } from './user-io.ts';

const AT = 0x40000000;
const END = AT + 2 * PAGE_SIZE;

function machineWithTwoPages(flags = 0x32) {
  const machine = createTestMachine();
  const space = machine.createSpace();
  const request = { address: AT, lengthBytes: 2 * PAGE_SIZE, prot: 3, flags, file: null, offsetBytes: 0 };
  mmap(machine.mm, space, request);
  return { ...machine, space };
}

describe('user access', () => {
  it('copies across pages and stops at the first bad one', () => {
    const { mm, space } = machineWithTwoPages();
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => i + 1);
    expect(copyToUser(mm, space, AT + PAGE_SIZE - 50, bytes)).toBe(100);
    const back = new Uint8Array(100);
    expect(copyFromUser(mm, space, AT + PAGE_SIZE - 50, back)).toBe(100);
    expect(back).toEqual(bytes);
    expect(copyToUser(mm, space, END - 50, bytes)).toBe(50);
    expect(copyFromUser(mm, space, END, back)).toBe(0);
    expect(clearUser(mm, space, AT + PAGE_SIZE - 50, 2 * PAGE_SIZE)).toBe(PAGE_SIZE + 50);
  });

  it('refuses addresses that are not user addresses without a fault', () => {
    const { mm, space } = machineWithTwoPages();
    const byte = new Uint8Array(1);
    for (const address of [-1, 2 ** 38, 2 ** 63, 2 ** 64 - 1, Number.NaN])
      expect(copyFromUser(mm, space, address, byte)).toBe(0);
    expect(space.faults.every((count) => count === 0)).toBe(true);
    expect(copyFromUser(mm, space, END, byte)).toBe(0);
    expect(mm.lastFaultKind).toBe(9);
  });

  it('reads and writes words', () => {
    const { mm, space } = machineWithTwoPages();
    expect(writeU64(mm, space, AT, -2)).toBe(0);
    expect(readU32(mm, space, AT)).toBe(0xfffffffe);
    expect(readU64(mm, space, AT)).toBe(2 ** 64);
    expect(writeU64(mm, space, AT, 2 ** 52 + 1)).toBe(0);
    expect(readU64(mm, space, AT)).toBe(2 ** 52 + 1);
    expect(writeU32(mm, space, END, 1)).toBe(-EFAULT);
    expect(readU32(mm, space, END - 2)).toBe(-EFAULT);
    expect(compareExchangeU32(mm, space, AT + 8, 0, 0xffffffff)).toBe(0);
    expect(compareExchangeU32(mm, space, AT + 8, 0, 5)).toBe(0xffffffff);
    expect(readU32(mm, space, AT + 8)).toBe(0xffffffff);
  });

  it('reads strings', () => {
    const { mm, space } = machineWithTwoPages();
    copyToUser(mm, space, AT + PAGE_SIZE - 3, encodeUtf8('größe\0'));
    expect(readUserString(mm, space, AT + PAGE_SIZE - 3, 4096)).toBe('größe');
    expect(readUserString(mm, space, AT + PAGE_SIZE - 3, 4)).toBe(-ENAMETOOLONG);
    clearUser(mm, space, END - 3, 3);
    copyToUser(mm, space, END - 3, Uint8Array.of(1, 1, 1));
    expect(readUserString(mm, space, END - 3, 100)).toBe(-EFAULT);
    const odd = Uint8Array.of(0x66, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0xf0, 0x9f, 0x98, 0x80);
    expect(encodeUtf8(decodeUtf8(odd))).toEqual(odd);
  });

  it('moves bytes through vectors until one is bad', () => {
    const { mm, space } = machineWithTwoPages();
    const io = new UserIo(mm, space, [
      { address: AT, lengthBytes: 3 },
      { address: 0, lengthBytes: 0 },
      { address: END - 2, lengthBytes: 10 },
    ]);
    expect(io.remaining).toBe(13);
    expect(io.put(Uint8Array.of(1, 2))).toBe(2);
    expect(io.put(Uint8Array.of(3, 4, 5, 6))).toBe(3);
    expect(io.faulted).toBe(true);
    const source = new UserIo(mm, space, [{ address: AT, lengthBytes: 3 }]);
    const into = new Uint8Array(8);
    expect(source.take(into)).toBe(3);
    expect([...into.subarray(0, 4)]).toEqual([1, 2, 3, 0]);
    expect(source.remaining).toBe(0);
  });

  it('gives tasks that share memory the same futex key, and others another', () => {
    const shared = machineWithTwoPages(0x31);
    const child = dupSpace(shared.mm, shared.space);
    if (typeof child === 'number') throw new Error('out of memory');
    expect(futexKey(shared.mm, child, AT + 4)).toBe(futexKey(shared.mm, shared.space, AT + 4));
    expect(futexKey(shared.mm, child, AT + 4)).not.toBe(futexKey(shared.mm, shared.space, AT + 8));
    const own = machineWithTwoPages();
    const other = dupSpace(own.mm, own.space);
    if (typeof other === 'number') throw new Error('out of memory');
    expect(futexKey(own.mm, other, AT)).not.toBe(futexKey(own.mm, own.space, AT));
    expect(futexKey(own.mm, own.space, END)).toBe(-EFAULT);
  });
});
