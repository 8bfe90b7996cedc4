import { SYSCALL_NUMBERS } from '../../src/arch/riscv64/syscall-numbers.ts';
import { Rng } from '../../src/base/rng.ts';
import { MemoryEnvironment } from '../../src/machine/memory-environment.ts';
import { System } from '../../src/system.ts';
import { elfFile } from '../setup/elf-file.ts';

/**
 * Programs of random instructions in writable and executable pages, under the whole kernel: wild jumps, stores over their own
 * code, ecalls with whatever is in the registers, signal handlers in the middle of it, frames written by the program itself.
 */
const CODE_AT = 0x10000;
const PAGE = 4096;
const NR = (name: string): number => SYSCALL_NUMBERS.get(name) as number;
/** Calls that the generator aims at; others happen by chance. */
const CALLS = [
  'mmap',
  'mprotect',
  'munmap',
  'madvise',
  'rt_sigaction',
  'rt_sigreturn',
  'clone',
  'kill',
  'sigaltstack',
  'mremap',
  'futex',
  'brk',
  'write',
  'wait4',
  'riscv_flush_icache',
  'sched_yield',
  'setitimer',
  'execve',
].map(NR);

class CodeGenerator {
  private readonly rng: Rng;
  constructor(rng: Rng) {
    this.rng = rng;
  }
  private register(): number {
    return this.rng.below(3) === 0 ? this.rng.below(32) : 5 + this.rng.below(13);
  }
  private li(rd: number, value: number): number[] {
    const low = (value << 20) >> 20;
    return [
      ((((value - low) >>> 12) << 12) | (rd << 7) | 0x37) >>> 0,
      ((low << 20) | (rd << 15) | (rd << 7) | 0x13) >>> 0,
    ];
  }
  /** One to eight words. */
  next(): number[] {
    const { rng } = this;
    const rd = this.register();
    const rs = this.register();
    switch (rng.below(16)) {
      case 0:
        return [rng.u32()];
      case 1: // lui and an address near the code
        return this.li(rd, CODE_AT + rng.below(6 * PAGE));
      case 2: // store to (rs)
        return [
          ((rng.below(128) << 25) | (rs << 20) | (rd << 15) | (rng.below(4) << 12) | (rng.below(32) << 7) | 0x23) >>> 0,
        ];
      case 3: // load
        return [((rng.below(4096) << 20) | (rs << 15) | (rng.below(7) << 12) | (rd << 7) | 0x03) >>> 0];
      case 4: // jalr
        return rng.below(3) === 0
          ? [(((rng.below(16) * 4) << 20) | (rs << 15) | (rd << 7) | 0x67) >>> 0]
          : [0x0000100f];
      case 5: // branch
        return [
          ((rng.below(2) << 31) |
            (rng.below(4) << 25) |
            (rs << 20) |
            (rd << 15) |
            ([0, 1, 4, 5, 6, 7][rng.below(6)] << 12) |
            (rng.below(16) << 8) |
            0x63) >>>
            0,
        ];
      case 6: // jal near
        return [((rng.below(2) << 31) | (rng.below(64) << 21) | (rd << 7) | 0x6f) >>> 0];
      case 7: // amo, lr, sc
        return [
          ((rng.below(32) << 27) |
            (rs << 20) |
            (this.register() << 15) |
            ((2 + rng.below(2)) << 12) |
            (rd << 7) |
            0x2f) >>>
            0,
        ];
      case 8: // fp
        return [
          ((rng.below(128) << 25) | (rs << 20) | (rd << 15) | (rng.below(8) << 12) | (this.register() << 7) | 0x53) >>>
            0,
        ];
      case 9: // csr
        return [
          (((rng.below(4) === 0 ? rng.below(4096) : rng.below(4)) << 20) |
            (rs << 15) |
            (rng.below(8) << 12) |
            (rd << 7) |
            0x73) >>>
            0,
        ];
      case 10:
      case 11: {
        const words: number[] = [];
        for (const register of [10, 11, 12, 13, 14])
          if (rng.below(2) === 0)
            words.push(...this.li(register, rng.below(3) === 0 ? rng.below(64) : CODE_AT + rng.below(8) * PAGE));
        words.push(...this.li(17, rng.below(4) === 0 ? rng.below(460) : CALLS[rng.below(CALLS.length)]), 0x73);
        return words;
      }
      case 12: // two compressed
        return [(rng.u32() & ~3) | (rng.below(3) as number)].map(
          (word) => ((word & 0xfffc_ffff) | (rng.below(3) << 16)) >>> 0,
        );
      default:
        return [
          ((rng.below(2) << 30) |
            (rs << 20) |
            (this.register() << 15) |
            (rng.below(8) << 12) |
            (rd << 7) |
            (rng.below(2) ? 0x33 : 0x3b)) >>>
            0,
        ];
    }
  }
}

export function runRandomCode(seed: number): string {
  const rng = new Rng(seed);
  const generator = new CodeGenerator(rng);
  const words: number[] = [...SKIP_HANDLER];
  if (rng.below(8) !== 0) words.push(...useAltStack());
  for (const signo of [11, 4, 7, 5, 14, 10]) {
    const kind = rng.below(8);
    if (kind === 0) continue;
    const handler = kind === 1 ? CODE_AT + rng.below(6 * PAGE) : CODE_AT + 4;
    const flags = kind === 1 ? [0, 4, 0x4000_0000, 0x8000_0000][rng.below(4)] : 0x0800_0004;
    words.push(...install(signo, CODE_AT + 4 * PAGE, handler, flags));
  }
  while (words.length < 3 * 1024) words.push(...generator.next());
  const system = new System({ environment: new MemoryEnvironment({}), memoryBytes: 8 * 2 ** 20, seed });
  const contents = new Uint8Array(Uint32Array.from(words).buffer);
  const segment = { flags: 7, address: CODE_AT, fileBytes: contents.length, memoryBytes: 8 * PAGE, contents };
  system.writeFile('/code', elfFile({ segments: [segment] }), 0o755);
  const pid = system.spawn('/code', ['/code']);
  let status = 'budget';
  for (let i = 0; i < 8 && status === 'budget'; i++) {
    status = system.run({ instructions: 10_000 });
    system.checkInvariants();
  }
  const { code, signal } = system.exitStatus(pid);
  const { leakedFrames } = system.shutdown();
  if (leakedFrames !== 0) throw new Error(`${leakedFrames} frames leaked`);
  return status !== 'exited' ? status : signal !== null ? `signal ${signal}` : `exit ${code === 0 ? 0 : 'n'}`;
}

const li = (rd: number, value: number): number[] => {
  const low = (value << 20) >> 20;
  return [
    ((((value - low) >>> 12) << 12) | (rd << 7) | 0x37) >>> 0,
    ((low << 20) | (rd << 15) | (rd << 7) | 0x13) >>> 0,
  ];
};
const sd = (rs2: number, rs1: number, offset: number): number =>
  (((offset >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | (3 << 12) | ((offset & 31) << 7) | 0x23) >>> 0;
const MCONTEXT_PC = 176;
/** Jumped over at the start. The handler goes on behind the instruction, or at the same offset in the code if that lies elsewhere. */
const SKIP_HANDLER = [
  0x0240006f, // j behind the handler
  ((MCONTEXT_PC << 20) | (12 << 15) | (3 << 12) | (5 << 7) | 0x03) >>> 0, // ld t0, pc(a2)
  0x00428293, // addi t0, t0, 4
  0x03229293, // slli t0, t0, 50
  0x0322d293, // srli t0, t0, 50
  0x00010337, // lui t1, 0x10
  0x006282b3, // add t0, t0, t1
  sd(5, 12, MCONTEXT_PC),
  0x00008067, // ret
];

/** sigaltstack over the last two pages. */
function useAltStack(): number[] {
  return [
    ...li(10, CODE_AT + 4 * PAGE),
    ...li(5, CODE_AT + 6 * PAGE),
    sd(5, 10, 0),
    sd(0, 10, 8),
    ...li(5, 2 * PAGE),
    sd(5, 10, 16),
    ...li(11, 0),
    ...li(17, 132),
    0x73,
  ];
}

/** rt_sigaction(signo, scratch) with the struct written by stores. */
function install(signo: number, scratch: number, handler: number, flags: number): number[] {
  return [
    ...li(11, scratch),
    ...li(5, handler),
    sd(5, 11, 0),
    ...li(5, flags),
    sd(5, 11, 8),
    sd(0, 11, 16),
    ...li(10, signo),
    ...li(12, 0),
    ...li(13, 8),
    ...li(17, 134),
    0x73,
  ];
}
