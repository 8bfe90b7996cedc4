import type { ArchSiginfo } from '../../arch/arch.ts';

/** The kernel makes and queues them; the architecture lays them out in user memory. */
export type Siginfo = ArchSiginfo;

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
