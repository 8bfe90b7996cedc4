import type { ArchSiginfo } from '../../arch/arch.ts';

/** The kernel makes and queues them; the architecture lays them out in user memory. */
export type Siginfo = ArchSiginfo;

/** What is not given is 0. One shape always, field by field: a storm of signals makes millions. */
export function siginfo(signo: number, code: number, rest: Partial<Omit<Siginfo, 'signo' | 'code'>> = {}): Siginfo {
  return {
    signo,
    code,
    errno: rest.errno ?? 0,
    pid: rest.pid ?? 0,
    uid: rest.uid ?? 0,
    address: rest.address ?? 0,
    addressLow: rest.addressLow ?? 0,
    addressHigh: rest.addressHigh ?? 0,
    status: rest.status ?? 0,
    utime: rest.utime ?? 0,
    stime: rest.stime ?? 0,
    valueLow: rest.valueLow ?? 0,
    valueHigh: rest.valueHigh ?? 0,
    timerId: rest.timerId ?? 0,
    overrun: rest.overrun ?? 0,
  };
}

/** Of a fault at an address given as two words. */
export function faultSiginfo(signo: number, code: number, [low, high]: readonly [low: number, high: number]): Siginfo {
  return siginfo(signo, code, { address: high * 0x1_0000_0000 + low, addressLow: low, addressHigh: high });
}
