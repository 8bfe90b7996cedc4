/** Source lines and inlined functions are those of addr2line -i, all over real programs. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { DebugInfo } from '../../src/observe/code/debug-info.ts';
import { addressesOf, HAS_CROSS_TOOLS, readElf, withCompiled } from './cross-tools.ts';

const CASES = [
  ...['2', '3', '4', '5'].map((version) => ({ source: 'inlined.c', flags: [`-gdwarf-${version}`, '-O2'] })),
  { source: 'inlined.c', flags: ['-g', '-gz=zlib', '-O2'] },
  { source: 'inlined.c', flags: ['-g', '-O0'] },
  { source: 'templates.cc', flags: ['-gdwarf-4', '-std=c++17', '-O2'] },
  { source: 'templates.cc', flags: ['-gdwarf-5', '-std=c++17', '-O1'] },
];

describe.skipIf(!HAS_CROSS_TOOLS)('source lines', () => {
  it.each(CASES)(
    'of $source with $flags',
    ({ source, flags }) => {
      withCompiled(source, flags, (file) => {
        const elf = readElf(file);
        const addresses = addressesOf(elf, 6);
        const wanted = addr2line(file, addresses);
        const debug = new DebugInfo(elf);
        let known = 0;
        addresses.forEach((address, at) => {
          const frames = debug.find(address);
          // Code of the compiler's own, at the start: addr2line names its file by the symbol table.
          if (frames.length === 0) {
            expect(
              wanted[at].every(({ place }) => place.endsWith(':?')),
              address.toString(16),
            ).toBe(true);
            return;
          }
          known++;
          if (wanted[at].some(({ place }) => isBeyond(place))) return;
          const places = frames.map(({ file: path, line }) => `${path}:${line}`);
          expect(places, address.toString(16)).toEqual(wanted[at].map(({ place }) => place.replace(/:\?$/, ':0')));
          if (source.endsWith('.c'))
            expect(frames.map(({ functionName }) => functionName)).toEqual(wanted[at].map(({ name }) => name));
        });
        expect(known).toBeGreaterThan(10);
      });
    },
    60_000,
  );
});

/** binutils 2.40 names the unit's own file in places where DWARF 5 names a header: a line that the file does not have. */
function isBeyond(place: string): boolean {
  const [, file, line] = /^(.*):(\d+)$/.exec(place) ?? [];
  return file?.includes('/observe/programs/') === true && Number(line) > 40;
}

function addr2line(file: string, addresses: readonly number[]): { name: string; place: string }[][] {
  const input = addresses.map((address) => address.toString(16)).join('\n');
  const output = execFileSync('riscv64-linux-gnu-addr2line', ['-afie', file], { input, maxBuffer: 2 ** 28 });
  const found: { name: string; place: string }[][] = [];
  const lines = output.toString().trimEnd().split('\n');
  for (let at = 0; at < lines.length; ) {
    if (/^0x[0-9a-f]{16}$/.test(lines[at])) {
      found.push([]);
      at++;
    } else {
      found.at(-1)?.push({ name: lines[at], place: lines[at + 1].replace(/ \(discriminator.*/, '') });
      at += 2;
    }
  }
  return found;
}
