import {
  SI_KERNEL,
  SI_SIGIO,
  SI_TIMER,
  SIGBUS,
  SIGCHLD,
  SIGFPE,
  SIGILL,
  SIGIO,
  SIGSEGV,
  SIGSYS,
  SIGTRAP,
} from './signal.ts';

export type SiginfoLayout = 'kill' | 'rt' | 'timer' | 'chld' | 'fault' | 'poll';

/** Which part of the union in siginfo_t a signal has (siginfo_layout, 6.18, kernel/signal.c). */
export function siginfoLayout(signo: number, code: number): SiginfoLayout {
  if (code > 0 && code < SI_KERNEL) {
    switch (signo) {
      case SIGILL:
      case SIGFPE:
      case SIGSEGV:
      case SIGBUS:
      case SIGTRAP:
      case SIGSYS:
        return 'fault';
      case SIGCHLD:
        return 'chld';
      case SIGIO:
        return 'poll';
      default:
        return code <= 6 ? 'poll' : 'kill';
    }
  }
  if (code === SI_TIMER) return 'timer';
  if (code === SI_SIGIO) return 'poll';
  return code < 0 ? 'rt' : 'kill';
}
