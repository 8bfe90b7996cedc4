import { afterEach, expect, test, vi } from 'vitest';
import { sv39 } from '../../machine/paging/sv39.ts';
import { sv48 } from '../../machine/paging/sv48.ts';
import { generateInterpreter } from './generate.ts';
import { prebuiltInterpreter } from './prebuilt.ts';

/** As scripts/build.mjs writes it. */
function textOf(bytes: Uint8Array): string {
  return Buffer.concat([bytes, Buffer.alloc(bytes.length % 2)]).toString('utf16le');
}

afterEach(() => vi.unstubAllGlobals());

test('what the build puts there is the interpreter again, of an even and of an odd length', () => {
  const machine = { format: sv39, translator: null };
  const built = generateInterpreter({ ...machine, memoryPages: 1 });
  for (const padding of [0, 1]) {
    // As if the last function were a byte longer.
    const bytes = Uint8Array.of(...built, ...new Array<number>(padding).fill(0x0b));
    vi.stubGlobal('FAULTLINE_INTERPRETER', textOf(bytes));
    for (const memoryPages of [577, 4608, 65535]) {
      const expected = generateInterpreter({ ...machine, memoryPages });
      expect(prebuiltInterpreter(sv39, memoryPages)?.subarray(0, built.length)).toEqual(expected);
    }
    expect(prebuiltInterpreter(sv39, 577)).toHaveLength(bytes.length);
  }
});

test('other machines, and source that was not built, have none', () => {
  expect(prebuiltInterpreter(sv39, 577)).toBeNull();
  vi.stubGlobal('FAULTLINE_INTERPRETER', textOf(Uint8Array.of(0, 0x0b)));
  expect(prebuiltInterpreter(sv48, 577)).toBeNull();
});
