import type { ArchStructs } from './structs.ts';
import type { Unwinding } from './unwinding.ts';

/**
 * All that the kernel needs to know of an architecture (docs/design.md, section 4): register roles, system-call numbers, structures
 * whose layout differs, the signal frame, ELF identification and the vdso. `registers` is a register file in the CPU's layout:
 * the live one or a task's saved one. Addresses are plain numbers here: they come from and go to registers.
 */
export interface Arch {
  /** `uname -m`. */
  readonly machine: string;
  /** AT_PLATFORM; null: none. */
  readonly platform: string | null;
  readonly elfMachine: number;
  readonly elfClass: 1 | 2;
  /** sizeof(long). */
  readonly wordBytes: 4 | 8;
  readonly registerWords: number;
  /** The text of /proc/cpuinfo; `mmu` is the paging format's name. */
  cpuinfo(mmu: string): string;
  /** AT_HWCAP. */
  readonly hwcap: number;
  /** AT_MINSIGSTKSZ. */
  readonly minSigStackBytes: number;
  /** ARCH_DLINFO without AT_SYSINFO_EHDR and AT_MINSIGSTKSZ: type, value pairs in order. */
  readonly extraAuxv: readonly (readonly [type: number, value: number])[];
  /** Name to number of every system call of the architecture (all that Linux has, also those not there). */
  readonly syscallNumbers: ReadonlyMap<string, number>;
  readonly vdso: VdsoImage;
  /** Calls that no other architecture has. */
  readonly ownCalls: readonly ArchCall[];
  /** stat, statfs, flock ... */
  readonly structs: ArchStructs;
  readonly unwinding: Unwinding;

  pc(registers: Uint32Array): number;
  setPc(registers: Uint32Array, pc: number): void;
  sp(registers: Uint32Array): number;
  setSp(registers: Uint32Array, sp: number): void;
  syscallNumber(registers: Uint32Array): number;
  /** Decodes argument i. */
  argument(registers: Uint32Array, index: number, width: 'i32' | 'u32' | 'i64' | 'u64'): number;
  /** Decodes all six into `into`. */
  decodeArguments(registers: Uint32Array, widths: readonly ('i32' | 'u32' | 'i64' | 'u64')[], into: number[]): void;
  /** Argument i, all its bits: one word's bytes. */
  argumentBytes(registers: Uint32Array, index: number): Uint8Array;
  /** AUDIT_ARCH_*. */
  readonly auditArch: number;
  /** A register set of ptrace and core files by its note (NT_PRSTATUS: struct user_regs_struct ...), whole; null: no such set. */
  readRegset(registers: Uint32Array, note: number): Uint8Array | null;
  /** The same bytes back. What user mode may not change stays. */
  writeRegset(registers: Uint32Array, note: number, bytes: Uint8Array): void;
  /** Words of the first argument as it was on entry: what a restart puts back (the result register overwrote it). */
  firstArgumentLow(registers: Uint32Array): number;
  firstArgumentHigh(registers: Uint32Array): number;
  setResult(registers: Uint32Array, value: number): void;
  /** Past the system-call instruction. */
  stepOverSyscall(registers: Uint32Array): void;
  /** Back to the system-call instruction, first argument restored; with `number` null the same call, else another one. */
  rewindSyscall(registers: Uint32Array, firstLow: number, firstHigh: number, number: number | null): void;
  /** start_thread: all registers cleared but the pc and sp. */
  startThread(registers: Uint32Array, entry: number, sp: number): void;
  /** copy_thread: the child's result is 0; `stack` 0 and `tls` null keep the parent's. */
  startChild(registers: Uint32Array, stack: number, tls: number | null): void;
  /** clone's arguments in the order flags, stack, parent_tid, tls, child_tid from the call's order (CONFIG_CLONE_BACKWARDS). */
  readonly cloneOrder: readonly ['flags', 'stack', 'parentTid', 'tls' | 'childTid', 'tls' | 'childTid'];

  /** 128 bytes of siginfo_t. */
  encodeSiginfo(info: ArchSiginfo): Uint8Array;
  decodeSiginfo(bytes: Uint8Array): ArchSiginfo;
  readonly sigActionBytes: number;
  encodeSigAction(action: ArchSigAction): Uint8Array;
  decodeSigAction(bytes: Uint8Array): ArchSigAction;
  /** Writes the frame and points the registers at the handler; false when the frame cannot be written (forced SIGSEGV). */
  pushSignalFrame(registers: Uint32Array, memory: UserMemory, frame: SignalFrame): boolean;
  /** Restores registers from the frame at sp; null when it cannot be read. */
  popSignalFrame(registers: Uint32Array, memory: UserMemory): PoppedFrame | null;
}

/** A system call that only this architecture has: it reads and writes user memory and needs nothing else of the kernel. */
export interface ArchCall {
  readonly name: string;
  readonly args: readonly ('int' | 'uint' | 'ptr' | 'size' | 'ulong')[];
  readonly run: (memory: UserMemory, args: readonly number[]) => number;
  readonly support: 'full' | 'partial';
  readonly note: string;
}

/** The vdso: an ELF image in whole pages, and what of it the kernel must know. */
export interface VdsoImage {
  readonly bytes: Uint8Array;
  /** Offset of the sigreturn trampoline. */
  readonly sigreturnOffset: number;
  /** The data pages that stand right before the image; null: a page that is not there. */
  dataPages(time: VdsoTime): readonly (Uint8Array | null)[];
}

/** What the vdso reads clocks from: the CPU's time counter, which is ns since boot, or nothing (then it makes the call). */
export interface VdsoTime {
  readonly source: 'counter' | 'none';
  /** CLOCK_REALTIME at boot. */
  readonly bootRealSeconds: number;
  /** What the clocks that count from boot show at boot: other than 0 in time namespaces. */
  readonly monotonic: { readonly seconds: number; readonly ns: number };
  readonly boottime: { readonly seconds: number; readonly ns: number };
}

/** User memory as the signal frame code sees it: each call copies all bytes or says false. */
export interface UserMemory {
  read(address: number, into: Uint8Array): boolean;
  write(address: number, from: Uint8Array): boolean;
}

/**
 * kernel_siginfo as plain data: the union's members under one roof, those that do not apply are 0. encodeSiginfo lays it out
 * in user memory.
 */
export interface ArchSiginfo {
  readonly signo: number;
  readonly code: number;
  readonly errno: number;
  /** si_pid, si_uid: the sender (kill, rt_sigqueueinfo, SIGCHLD). */
  readonly pid: number;
  readonly uid: number;
  /** si_addr of SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP: rounded above 2^53; the two words are exact (wild pointers). */
  readonly address: number;
  readonly addressLow: number;
  readonly addressHigh: number;
  /** SIGCHLD: si_status; SIGPOLL: si_fd. */
  readonly status: number;
  /** SIGCHLD: in clock ticks (USER_HZ). SIGPOLL: si_band in utime. */
  readonly utime: number;
  readonly stime: number;
  /** si_value as two words (sigqueue, timers). */
  readonly valueLow: number;
  readonly valueHigh: number;
  /** SI_TIMER: si_tid and si_overrun. */
  readonly timerId: number;
  readonly overrun: number;
}

export interface ArchSigAction {
  readonly handler: number;
  readonly flags: number;
  readonly restorer: number;
  readonly maskLow: number;
  readonly maskHigh: number;
}

export interface SignalFrame {
  readonly info: ArchSiginfo;
  readonly action: ArchSigAction;
  /** Mask to restore at sigreturn. */
  readonly maskLow: number;
  readonly maskHigh: number;
  /** sigaltstack settings as they go to uc_stack, flags included. */
  readonly stack: { readonly address: number; readonly flags: number; readonly sizeBytes: number };
  /** Where the frame goes down from: sigsp(). */
  readonly top: number;
  /** On the alternate stack already: a frame below this address overflows it (0: no check). */
  readonly floor: number;
  /** Address of the vdso's trampoline. */
  readonly sigreturn: number;
}

export interface PoppedFrame {
  readonly maskLow: number;
  readonly maskHigh: number;
  readonly stack: { readonly address: number; readonly flags: number; readonly sizeBytes: number };
}
