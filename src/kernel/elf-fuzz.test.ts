import { describe, expect, it } from 'vitest';
import { fc } from '../../test/property.ts';
import { MemoryEnvironment, MemoryHostFiles } from '../machine/memory-environment.ts';
import { System } from '../system.ts';

/**
 * Any bytes may stand where a program should be: what comes back is -ERRNO or a process that a signal ends, never an exception
 * of the host, and all frames are free afterwards (decision D8).
 */
const EHDR = 64;
const PHDR = 56;

interface Segment {
  type: number;
  flags: number;
  offset: bigint;
  vaddr: bigint;
  fileBytes: bigint;
  memoryBytes: bigint;
  align: bigint;
}

function image(type: number, entry: bigint, phoff: bigint, phnum: number, segments: readonly Segment[]): Uint8Array {
  const bytes = new Uint8Array(8192);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, type, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, entry, true);
  view.setBigUint64(32, phoff, true);
  view.setUint16(52, EHDR, true);
  view.setUint16(54, PHDR, true);
  view.setUint16(56, phnum, true);
  segments.forEach((segment, i) => {
    const at = EHDR + i * PHDR;
    view.setUint32(at, segment.type, true);
    view.setUint32(at + 4, segment.flags, true);
    const fields = [
      segment.offset,
      segment.vaddr,
      segment.vaddr,
      segment.fileBytes,
      segment.memoryBytes,
      segment.align,
    ];
    fields.forEach((value, field) => {
      view.setBigUint64(at + 8 + field * 8, value, true);
    });
  });
  return bytes;
}

const size = fc.oneof(
  fc.bigInt({ min: 0n, max: 0x3000n }),
  fc.constantFrom(
    0n,
    1n,
    0xfffn,
    0x1000n,
    0x10000n,
    1n << 31n,
    1n << 38n,
    (1n << 38n) - 1n,
    1n << 63n,
    (1n << 64n) - 1n,
  ),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);
const segment = fc.record({
  type: fc.constantFrom(1, 1, 1, 1, 3, 6, 0x6474e551, 0),
  flags: fc.integer({ min: 0, max: 7 }),
  offset: size,
  vaddr: size,
  fileBytes: size,
  memoryBytes: size,
  align: fc.constantFrom(0n, 1n, 3n, 0x1000n, 0x200000n, 1n << 40n, 1n << 63n),
});

function runProgram(bytes: Uint8Array): void {
  const host = new MemoryHostFiles();
  host.addFile('/p/program', bytes, 0o755);
  const environment = new MemoryEnvironment({ host });
  const system = new System({ environment, memoryBytes: 8 * 2 ** 20 });
  system.mount({ host: '/p', guest: '/p', mode: 'overlay' });
  const pid = system.spawn('/p/program', ['/p/program']);
  if (pid >= 0) {
    for (let i = 0; i < 3 && system.run({ instructions: 10_000 }) === 'budget'; i++);
    system.checkInvariants();
  } else expect(pid).toBeGreaterThan(-134);
  expect(system.shutdown().leakedFrames).toBeLessThanOrEqual(0);
}

describe('hostile ELF files', () => {
  it('random headers and segments never reach the host', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(2, 3, 1, 0),
        size,
        fc.oneof(fc.constant(64n), size),
        fc.integer({ min: 0, max: 8 }),
        fc.array(segment, { maxLength: 6 }),
        (type, entry, phoff, phnum, segments) => {
          runProgram(image(type, entry, phoff, phnum === 7 ? 0xffff : Math.max(phnum, segments.length), segments));
        },
      ),
      { numRuns: 150, seed: 4 },
    );
  });

  it('truncated and random bytes are no programs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isScript) => {
        runProgram(isScript ? new Uint8Array([0x23, 0x21, ...bytes]) : bytes);
      }),
      { numRuns: 60, seed: 5 },
    );
  });
});
