import type { FlagTable } from './text.ts';

/** Names of signals for the trace, in strace's order (which is the order of printing). asm-generic values. */
/** 0 has no name: strace leaves the bare 0. */
export const SA_FLAGS: FlagTable = [
  [0x04000000, 'SA_RESTORER'],
  [0x08000000, 'SA_ONSTACK'],
  [0x10000000, 'SA_RESTART'],
  [0x20000000, 'SA_INTERRUPT'],
  [0x40000000, 'SA_NODEFER'],
  [0x80000000, 'SA_RESETHAND'],
  [0x1, 'SA_NOCLDSTOP'],
  [0x2, 'SA_NOCLDWAIT'],
  [0x4, 'SA_SIGINFO'],
];
export const SIGPROCMASK: FlagTable = [
  [0, 'SIG_BLOCK'],
  [1, 'SIG_UNBLOCK'],
  [2, 'SIG_SETMASK'],
];
export const SS_FLAGS: FlagTable = [
  [1, 'SS_ONSTACK'],
  [2, 'SS_DISABLE'],
  [0x80000000, 'SS_AUTODISARM'],
];
const SIGNALS =
  '? HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  );
/** Without the SIG prefix, as in signal sets. */
export function shortSignalName(signo: number): string {
  if (signo > 0 && signo < 32) return SIGNALS[signo];
  if (signo === 32) return 'RTMIN';
  return signo > 32 && signo <= 64 ? `RT_${signo - 32}` : String(signo);
}
export const signalName = (signo: number): string =>
  signo > 0 && signo <= 64 ? `SIG${shortSignalName(signo)}` : String(signo);
const CODES: Readonly<Record<number, readonly string[]>> = {
  4: ['', 'ILL_ILLOPC', 'ILL_ILLOPN', 'ILL_ILLADR', 'ILL_ILLTRP', 'ILL_PRVOPC', 'ILL_PRVREG'],
  5: ['', 'TRAP_BRKPT', 'TRAP_TRACE'],
  7: ['', 'BUS_ADRALN', 'BUS_ADRERR', 'BUS_OBJERR'],
  8: ['', 'FPE_INTDIV', 'FPE_INTOVF', 'FPE_FLTDIV', 'FPE_FLTOVF', 'FPE_FLTUND', 'FPE_FLTRES', 'FPE_FLTINV'],
  11: ['', 'SEGV_MAPERR', 'SEGV_ACCERR', 'SEGV_BNDERR', 'SEGV_PKUERR'],
  17: ['', 'CLD_EXITED', 'CLD_KILLED', 'CLD_DUMPED', 'CLD_TRAPPED', 'CLD_STOPPED', 'CLD_CONTINUED'],
};
const COMMON_CODES: FlagTable = [
  [0, 'SI_USER'],
  [0x80, 'SI_KERNEL'],
  [-1, 'SI_QUEUE'],
  [-2, 'SI_TIMER'],
  [-3, 'SI_MESGQ'],
  [-4, 'SI_ASYNCIO'],
  [-5, 'SI_SIGIO'],
  [-6, 'SI_TKILL'],
];
export function signalCodeName(signo: number, code: number): string {
  return CODES[signo]?.[code] || (COMMON_CODES.find(([value]) => value === code)?.[1] ?? String(code));
}
