import { TICK_NS } from '../../abi/time.ts';
import { SYSCALL_NUMBERS } from './syscall-numbers.ts';
import { A0, A1, A4, T0, T1, T2, T3, T4, T5, T6, VdsoAssembler, ZERO } from './vdso-assembler.ts';
import { ARCH_PAGE, vvarOffsets as at, CLOCKS, TIME_PAGE, VVAR_PAGES } from './vvar.ts';

/**
 * The functions of the vdso (6.18: lib/vdso/gettimeofday.c, arch/riscv/kernel/vdso/): the clocks are read from the time counter
 * and the data pages in front of the code, without a trap; what they cannot answer is left to the system call. rt_sigreturn,
 * getcpu and flush_icache are system calls on Linux's riscv64 too.
 */
export interface VdsoFunction {
  readonly symbol: string;
  readonly code: Uint8Array;
}

const NS_PER_S = 1_000_000_000;
/** VDSO_HRES and VDSO_RAW: REALTIME, MONOTONIC, MONOTONIC_RAW, BOOTTIME, TAI. */
const FINE_CLOCKS = (1 << 0) | (1 << 1) | (1 << 4) | (1 << 7) | (1 << 11);
/** VDSO_COARSE: REALTIME_COARSE, MONOTONIC_COARSE. */
const COARSE_CLOCKS = (1 << 5) | (1 << 6);

const number = (name: string): number => SYSCALL_NUMBERS.get(name) as number;

/** rd = address of a data page. The code is in the page behind them all. */
function pageAddress(a: VdsoAssembler, rd: number, page: number): VdsoAssembler {
  return a
    .auipc(rd, page - VVAR_PAGES)
    .alui('srli', rd, rd, 12)
    .alui('slli', rd, rd, 12);
}

/** t3 = ns since the counter's base: ((cycles - last) * mult) >> shift. t0 is the time page; t4 is used. */
function readCounter(a: VdsoAssembler): VdsoAssembler {
  return a
    .rdtime(T3)
    .load('ld', T4, at.cycleLast, T0)
    .alu('sub', T3, T3, T4)
    .load('ld', T4, at.mult, T0)
    .alu('mul', T3, T3, T4)
    .load('ld', T4, at.shift, T0)
    .alu('srl', T3, T3, T4);
}

/** t1 = 1 << clock, where that is one of `clocks`; else to 'trap'. t2 is used. */
function clockBit(a: VdsoAssembler, clocks: number): VdsoAssembler {
  return a
    .li(T1, CLOCKS)
    .branch('bgeu', A0, T1, 'trap')
    .li(T1, 1)
    .alu('sll', T1, T1, A0)
    .li(T2, clocks)
    .alu('and', T2, T2, T1)
    .branch('beq', T2, ZERO, 'trap');
}

function clockGettime(): Uint8Array {
  const a = new VdsoAssembler();
  clockBit(a, FINE_CLOCKS | COARSE_CLOCKS);
  pageAddress(a, T0, TIME_PAGE).load('lw', T2, at.clockMode, T0).branch('beq', T2, ZERO, 'trap');
  readCounter(a)
    .alui('slli', T4, A0, 4)
    .alu('add', T4, T0, T4)
    .load('ld', T5, at.baseTimes, T4)
    .load('ld', T6, at.baseTimes + 8, T4)
    .alu('add', T3, T3, T6)
    .li(T4, NS_PER_S)
    .alu('divu', T6, T3, T4)
    .alu('add', T5, T5, T6)
    .alu('remu', T3, T3, T4)
    .alui('andi', T1, T1, COARSE_CLOCKS)
    .branch('beq', T1, ZERO, 'store')
    // A coarse clock stands since the last tick.
    .li(T4, TICK_NS)
    .alu('remu', T6, T3, T4)
    .alu('sub', T3, T3, T6)
    .label('store')
    .store('sd', T5, 0, A1)
    .store('sd', T3, 8, A1)
    .li(A0, 0)
    .ret()
    .label('trap')
    .trap(number('clock_gettime'));
  return a.finish();
}

function clockGetres(): Uint8Array {
  const a = new VdsoAssembler();
  return clockBit(a, FINE_CLOCKS | COARSE_CLOCKS)
    .branch('beq', A1, ZERO, 'done')
    .li(T2, 1)
    .alui('andi', T1, T1, COARSE_CLOCKS)
    .branch('beq', T1, ZERO, 'store')
    .li(T2, TICK_NS)
    .label('store')
    .store('sd', ZERO, 0, A1)
    .store('sd', T2, 8, A1)
    .label('done')
    .li(A0, 0)
    .ret()
    .label('trap')
    .trap(number('clock_getres'))
    .finish();
}

function gettimeofday(): Uint8Array {
  const a = new VdsoAssembler();
  pageAddress(a, T0, TIME_PAGE).load('lw', T2, at.clockMode, T0).branch('beq', T2, ZERO, 'trap');
  a.branch('beq', A0, ZERO, 'zone');
  readCounter(a)
    .load('ld', T5, at.baseTimes, T0)
    .load('ld', T6, at.baseTimes + 8, T0)
    .alu('add', T3, T3, T6)
    .li(T4, NS_PER_S)
    .alu('divu', T6, T3, T4)
    .alu('add', T5, T5, T6)
    .alu('remu', T3, T3, T4)
    .li(T4, 1000)
    .alu('divu', T3, T3, T4)
    .store('sd', T5, 0, A0)
    .store('sd', T3, 8, A0)
    .label('zone')
    .branch('beq', A1, ZERO, 'done')
    .store('sw', ZERO, 0, A1)
    .store('sw', ZERO, 4, A1)
    .label('done')
    .li(A0, 0)
    .ret()
    .label('trap')
    .trap(number('gettimeofday'));
  return a.finish();
}

/** riscv_vdso_get_values: the values are those of all CPUs; flags are the system call's. */
function hwprobe(): Uint8Array {
  const a = new VdsoAssembler();
  a.branch('bne', A4, ZERO, 'trap');
  pageAddress(a, T0, ARCH_PAGE)
    .load('ld', T4, at.hwprobeKnown, T0)
    .label('next')
    .branch('beq', A1, ZERO, 'done')
    .load('ld', T1, 0, A0)
    .li(T2, 64)
    .branch('bgeu', T1, T2, 'unknown')
    .alu('srl', T3, T4, T1)
    .alui('andi', T3, T3, 1)
    .branch('beq', T3, ZERO, 'unknown')
    .alui('slli', T2, T1, 3)
    .alu('add', T2, T0, T2)
    .load('ld', T3, at.hwprobeValues, T2)
    .store('sd', T3, 8, A0)
    .jump('step')
    .label('unknown')
    .li(T3, -1)
    .store('sd', T3, 0, A0)
    .store('sd', ZERO, 8, A0)
    .label('step')
    .alui('addi', A0, A0, 16)
    .alui('addi', A1, A1, -1)
    .jump('next')
    .label('done')
    .li(A0, 0)
    .ret()
    .label('trap')
    .trap(number('riscv_hwprobe'));
  return a.finish();
}

const trapping = (call: string): Uint8Array => new VdsoAssembler().trap(number(call)).finish();

/** The first is the signal trampoline: the kernel knows its place. */
export const VDSO_FUNCTIONS: readonly VdsoFunction[] = [
  { symbol: '__vdso_rt_sigreturn', code: trapping('rt_sigreturn') },
  { symbol: '__vdso_gettimeofday', code: gettimeofday() },
  { symbol: '__vdso_clock_gettime', code: clockGettime() },
  { symbol: '__vdso_clock_getres', code: clockGetres() },
  { symbol: '__vdso_getcpu', code: trapping('getcpu') },
  { symbol: '__vdso_flush_icache', code: trapping('riscv_flush_icache') },
  { symbol: '__vdso_riscv_hwprobe', code: hwprobe() },
];
