/**
 * kernel_siginfo as plain data: the union's members under one roof, those that do not apply are 0. The architecture lays it
 * out in user memory (arch.encodeSiginfo).
 */
export interface Siginfo {
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

export const NO_INFO: Omit<Siginfo, 'signo' | 'code'> = {
  errno: 0,
  pid: 0,
  uid: 0,
  address: 0,
  addressLow: 0,
  addressHigh: 0,
  status: 0,
  utime: 0,
  stime: 0,
  valueLow: 0,
  valueHigh: 0,
  timerId: 0,
  overrun: 0,
};

export function siginfo(signo: number, code: number, rest: Partial<Omit<Siginfo, 'signo' | 'code'>> = {}): Siginfo {
  return { ...NO_INFO, signo, code, ...rest };
}

/** Of a fault at an address given as two words. */
export function faultSiginfo(signo: number, code: number, [low, high]: readonly [low: number, high: number]): Siginfo {
  return siginfo(signo, code, { address: high * 0x1_0000_0000 + low, addressLow: low, addressHigh: high });
}
