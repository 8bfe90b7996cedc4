import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallFrameInfo } from '../../src/observe/code/call-frame-info.ts';
import { rowAt } from '../../src/observe/code/cfi-row.ts';
import { DebugInfo } from '../../src/observe/code/debug-info.ts';
import { ElfFile } from '../../src/observe/code/elf-file.ts';
import { FunctionSymbols } from '../../src/observe/code/elf-symbols.ts';
import { HAS_CROSS_TOOLS, readElf, withCompiled } from './cross-tools.ts';

describe.skipIf(!HAS_CROSS_TOOLS)('damaged ELF files', () => {
  it('say less, and nothing throws or goes on for ever', () => {
    const { bytes, addresses } = withCompiled('inlined.c', ['-g', '-O2'], (file) => {
      const text = readElf(file).sections.find(({ name }) => name === '.text');
      return { bytes: new Uint8Array(readFileSync(file)), addresses: [text?.address ?? 0, (text?.address ?? 0) + 200] };
    });
    const change = fc.record({ at: fc.nat(bytes.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 60 }), fc.nat(bytes.length), (changes, length) => {
        const damaged = bytes.slice(0, length < bytes.length / 4 ? length : bytes.length);
        for (const { at, value } of changes) if (at < damaged.length) damaged[at] = value;
        const elf = new ElfFile(damaged);
        const debug = new DebugInfo(elf);
        const frames = new CallFrameInfo(elf);
        const symbols = new FunctionSymbols(elf);
        for (const address of addresses) {
          debug.find(address);
          symbols.find(address);
          const description = frames.find(address);
          if (description !== null) rowAt(description, address);
        }
        expect(elf.bytes.length).toBe(damaged.length);
      }),
      { numRuns: 400, seed: 1 },
    );
  }, 60_000);
});
