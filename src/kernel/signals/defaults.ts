import {
  SIGABRT,
  SIGBUS,
  SIGCHLD,
  SIGCONT,
  SIGFPE,
  SIGILL,
  SIGKILL,
  SIGQUIT,
  SIGSEGV,
  SIGSTOP,
  SIGSYS,
  SIGTRAP,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGURG,
  SIGWINCH,
  SIGXCPU,
  SIGXFSZ,
} from '../../abi/signal.ts';
import { SigSet } from './sigset.ts';

/** What a signal does when it is not caught (include/linux/signal.h, SIG_KERNEL_*_MASK). */
const STOPS = SigSet.of(SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU);
const IGNORED = SigSet.of(SIGCONT, SIGCHLD, SIGWINCH, SIGURG);
const DUMPS = SigSet.of(SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSEGV, SIGBUS, SIGSYS, SIGXCPU, SIGXFSZ);
const SYNCHRONOUS = SigSet.of(SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS);
const UNBLOCKABLE = SigSet.of(SIGKILL, SIGSTOP);

export const stopsByDefault = (signo: number): boolean => STOPS.has(signo);
export const isIgnoredByDefault = (signo: number): boolean => IGNORED.has(signo);
export const dumpsCore = (signo: number): boolean => DUMPS.has(signo);
export const STOP_SIGNALS: readonly number[] = [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU];
export const SYNCHRONOUS_SIGNALS: SigSet = SYNCHRONOUS;
export const UNBLOCKABLE_SIGNALS: SigSet = UNBLOCKABLE;
