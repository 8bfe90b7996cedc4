/**
 * A point in time as whole seconds since the epoch and 0 to 999,999,999 nanoseconds (struct timespec64). One number of
 * nanoseconds would lose the last three digits: 2^53 ns are 104 days.
 */
export interface Timespec {
  readonly seconds: number;
  readonly nanoseconds: number;
}

const NS_PER_S = 1_000_000_000;

export function compareTimespec(a: Timespec, b: Timespec): number {
  return a.seconds === b.seconds ? a.nanoseconds - b.nanoseconds : a.seconds - b.seconds;
}

/** `start` and `ns` later; fractions of a nanosecond are cut off. */
export function addNs(start: Timespec, ns: number): Timespec {
  const whole = Math.floor(ns);
  const seconds = Math.floor(whole / NS_PER_S);
  const rest = start.nanoseconds + (whole - seconds * NS_PER_S);
  return rest < NS_PER_S
    ? { seconds: start.seconds + seconds, nanoseconds: rest }
    : { seconds: start.seconds + seconds + 1, nanoseconds: rest - NS_PER_S };
}

/** As good as a number of nanoseconds can say it. */
export function timespecOfNs(ns: number): Timespec {
  const seconds = Math.floor(ns / NS_PER_S);
  return { seconds, nanoseconds: Math.floor(ns - seconds * NS_PER_S) };
}
