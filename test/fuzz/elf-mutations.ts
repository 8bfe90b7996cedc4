import { Rng } from '../../src/base/rng.ts';

/**
 * Small static ELF files, right but for a few fields. Each seed gives twins, one for riscv64 and one for x86-64, that differ in
 * e_machine and code only, so that fs/binfmt_elf.c of the machine under the tests can be asked what it says to the same headers.
 * All code is a slide of nops to `exit(0)` at the end of each page: it runs from wherever it is entered on a word.
 */
export type Machine = 'riscv64' | 'x86-64';

const PAGE = 4096;
const PT_LOAD = 1;
const EHDR_BYTES = 64;
const PHDR_BYTES = 56;
const HUGE = [
  1n << 47n,
  1n << 48n,
  1n << 62n,
  1n << 63n,
  (1n << 63n) - 0x1000n,
  (1n << 63n) - 1n,
  (1n << 64n) - 0x1000n,
  (1n << 64n) - 1n,
  (1n << 64n) - 0x400000n,
];

interface Segment {
  type: number;
  flags: number;
  offset: bigint;
  vaddr: bigint;
  fileBytes: bigint;
  memoryBytes: bigint;
  align: bigint;
}

interface Header {
  type: number;
  version: number;
  entry: bigint;
  phoff: bigint;
  ehsize: number;
  phentsize: number;
  phnum: number;
  magic: number[];
}

const INTERPRETERS = ['/elf/nothing', '/dev/null', '/elf', '/elf/interpreter', '/elf/text', ''] as const;

function page(machine: Machine): Uint8Array {
  const bytes = new Uint8Array(PAGE);
  if (machine === 'x86-64') {
    bytes.fill(0x90);
    bytes.set([0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05], PAGE - 16);
    return bytes;
  }
  const words = new Uint32Array(bytes.buffer);
  words.fill(0x13);
  words.set([0x05d00893, 0x00000513, 0x00000073], PAGE / 4 - 3);
  return bytes;
}

const load = (flags: number, offset: number, vaddr: number, fileBytes: number, memoryBytes: number): Segment => ({
  type: PT_LOAD,
  flags,
  offset: BigInt(offset),
  vaddr: BigInt(vaddr),
  fileBytes: BigInt(fileBytes),
  memoryBytes: BigInt(memoryBytes),
  align: 0x1000n,
});

export interface MutatedElf {
  bytes(machine: Machine): Uint8Array;
}

export function mutatedElf(seed: number): MutatedElf {
  const rng = new Rng(seed);
  const pick = <T>(list: readonly T[]): T => list[rng.below(list.length)];
  const isDynamic = rng.below(4) === 0;
  const base = isDynamic ? 0 : 0x400000;
  const segments = [
    load(4, 0, base, 0x400, 0x400),
    load(5, 0x1000, base + 0x1000, 0x1000, 0x1000),
    load(6, 0x2000, base + 0x2000, 0x1000, 0x3000),
  ];
  const header: Header = {
    type: isDynamic ? 3 : 2,
    version: 1,
    entry: BigInt(base + 0x1000),
    phoff: 64n,
    ehsize: 64,
    phentsize: 56,
    phnum: -1,
    magic: [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1],
  };
  let interpreter: string | null = null;
  const address = (): bigint =>
    rng.below(5) === 0 ? pick(HUGE) : BigInt(base + rng.below(10) * PAGE + pick([0, 0, 0, 4, 0x800, 0xffc]));
  const size = (): bigint =>
    rng.below(5) === 0 ? pick(HUGE) : BigInt(pick([0, 4, 0x800, 0xffc, 0x1000, 0x1004, 0x2000, 0x5000, 0x20000]));
  const mutateSegment = (segment: Segment): void => {
    switch (rng.below(8)) {
      case 0:
        segment.type = pick([0, 2, 4, 5, 6, 7, 0x6474e550, 0x6474e551, 0x6474e552, 0x7000_0003, 0xffff_ffff]);
        return;
      case 1:
        segment.flags = pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 0xffff_fff8]);
        return;
      case 2:
        segment.offset =
          rng.below(4) === 0 ? pick(HUGE) : BigInt(rng.below(8) * PAGE + pick([0, 0, 0, 4, 0x10, 0xffc]));
        return;
      case 3:
        segment.vaddr = address();
        return;
      case 4:
        segment.fileBytes = size();
        return;
      case 5:
        segment.memoryBytes = size();
        return;
      case 6:
        segment.align = pick([0n, 1n, 3n, 0x1000n, 0x1001n, 0x4000n, 0x200000n, ...HUGE]);
        return;
      default: {
        const bytes = size();
        segment.fileBytes = bytes;
        segment.memoryBytes = bytes;
      }
    }
  };
  const mutate = (): void => {
    switch (rng.below(16)) {
      case 0:
        header.entry = address();
        return;
      case 1:
        header.type = pick([0, 1, 2, 3, 4, 0xfe00, 0xffff]);
        return;
      case 2:
        header.phnum = pick([0, 1, 2, 3, 4, 5, 73, 1170, 1171, 0xffff]);
        return;
      case 3:
        header.phoff = pick([0n, 8n, 56n, 64n, 120n, 0x1000n, 0x4ff0n, 0x5000n, ...HUGE]);
        return;
      case 4:
        header.phentsize = pick([0, 1, 32, 55, 56, 57, 64, 0xffff]);
        return;
      case 5:
        // Not EI_CLASS, which riscv looks at and x86-64 does not.
        header.magic[pick([0, 1, 2, 3, 5, 6])] = pick([0, 1, 2, 3, 0x7f, 255]);
        return;
      case 6:
        segments.push(
          load(
            pick([4, 5, 6, 7]),
            rng.below(6) * PAGE,
            base + rng.below(10) * PAGE,
            pick([0, 0x800, 0x1000]),
            pick([0, 0x800, 0x1000, 0x3000]),
          ),
        );
        return;
      case 7:
        segments.splice(rng.below(segments.length), 1);
        return;
      case 8:
        segments.reverse();
        return;
      case 9:
        interpreter = pick(INTERPRETERS);
        return;
      case 10:
        segments.push({
          ...load(pick([4, 6, 7]), 0, 0, 0, 0),
          type: pick([6, 7, 0x6474e551]),
          memoryBytes: size(),
          vaddr: address(),
        });
        return;
      default:
        if (segments.length > 0) mutateSegment(pick(segments));
    }
  };
  for (let i = 1 + rng.below(3); i > 0; i--) mutate();
  return { bytes: (machine) => encode(machine, header, segments, interpreter) };
}

const TEXT_AT = 0xe00;

function encode(machine: Machine, header: Header, loads: readonly Segment[], interpreter: string | null): Uint8Array {
  const segments = [...loads];
  const bytes = new Uint8Array(5 * PAGE);
  for (let at = PAGE; at < bytes.length; at += PAGE) bytes.set(page(machine), at);
  if (interpreter !== null) {
    const text = new TextEncoder().encode(`${interpreter}\0`);
    bytes.set(text, TEXT_AT);
    segments.unshift({ ...load(4, TEXT_AT, 0, text.length, text.length), type: 3 });
  }
  const view = new DataView(bytes.buffer);
  const word = (at: number, value: bigint): void => view.setBigUint64(at, BigInt.asUintN(64, value), true);
  bytes.set(header.magic);
  view.setUint16(16, header.type, true);
  view.setUint16(18, machine === 'x86-64' ? 62 : 243, true);
  view.setUint32(20, header.version, true);
  word(24, header.entry);
  word(32, header.phoff);
  view.setUint16(52, header.ehsize, true);
  view.setUint16(54, header.phentsize, true);
  view.setUint16(56, header.phnum < 0 ? segments.length : header.phnum, true);
  for (const [i, segment] of segments.entries()) {
    const at = EHDR_BYTES + i * PHDR_BYTES;
    view.setUint32(at, segment.type, true);
    view.setUint32(at + 4, segment.flags, true);
    word(at + 8, segment.offset);
    word(at + 16, segment.vaddr);
    word(at + 24, segment.vaddr);
    word(at + 32, segment.fileBytes);
    word(at + 40, segment.memoryBytes);
    word(at + 48, segment.align);
  }
  return bytes;
}
