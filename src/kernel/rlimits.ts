import { CAP_IPC_LOCK, CAP_SYS_ADMIN, CAP_SYS_RAWIO } from '../abi/capability.ts';
import {
  RLIM_INFINITY,
  RLIMIT_AS,
  RLIMIT_CORE,
  RLIMIT_DATA,
  RLIMIT_MEMLOCK,
  RLIMIT_MSGQUEUE,
  RLIMIT_NICE,
  RLIMIT_NOFILE,
  RLIMIT_NPROC,
  RLIMIT_RSS,
  RLIMIT_RTPRIO,
  RLIMIT_SIGPENDING,
  RLIMIT_STACK,
} from '../abi/resource.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import { type Credentials, capable } from './credentials.ts';
import type { Process, Rlimit } from './process.ts';

/** INIT_RLIMITS (include/asm-generic/resource.h); NPROC and SIGPENDING follow from the size of memory, as fork_init sets them. */
export function initialRlimits(totalFrames: number): Rlimit[] {
  const unlimited = (): Rlimit => ({ soft: RLIM_INFINITY, hard: RLIM_INFINITY });
  const limits = Array.from({ length: 16 }, unlimited);
  const perUser = Math.floor(threadsMax(totalFrames) / 2);
  limits[RLIMIT_STACK] = { soft: 8 * 1024 * 1024, hard: RLIM_INFINITY };
  limits[RLIMIT_CORE] = { soft: 0, hard: RLIM_INFINITY };
  limits[RLIMIT_NPROC] = { soft: perUser, hard: perUser };
  limits[RLIMIT_NOFILE] = { soft: 1024, hard: 4096 };
  limits[RLIMIT_MEMLOCK] = { soft: 8 * 1024 * 1024, hard: 8 * 1024 * 1024 };
  limits[RLIMIT_SIGPENDING] = { soft: perUser, hard: perUser };
  limits[RLIMIT_MSGQUEUE] = { soft: 819200, hard: 819200 };
  limits[RLIMIT_NICE] = { soft: 0, hard: 0 };
  limits[RLIMIT_RTPRIO] = { soft: 0, hard: 0 };
  return limits;
}

/** kernel.threads-max (set_max_threads): an eighth of memory for stacks of THREAD_SIZE, 16 KiB. */
export function threadsMax(totalFrames: number): number {
  return Math.max(20, Math.floor(totalFrames / (4 * 8)));
}

/** What mm obeys, copied to the space: when a task comes to the CPU, at exec, and at each change of limits or credentials. */
export function applyMmLimits(process: Process, space: AddressSpace, cred: Credentials | null): void {
  const { limits } = space;
  limits.stackBytes = process.rlimits[RLIMIT_STACK].soft;
  limits.dataBytes = process.rlimits[RLIMIT_DATA].soft;
  limits.dataMaxBytes = process.rlimits[RLIMIT_DATA].hard;
  limits.asBytes = process.rlimits[RLIMIT_AS].soft;
  limits.memlockBytes = process.rlimits[RLIMIT_MEMLOCK].soft;
  limits.rssBytes = process.rlimits[RLIMIT_RSS].soft;
  limits.mayIgnoreMemlock = cred !== null && capable(cred, CAP_IPC_LOCK);
  limits.mayMapLow = cred !== null && capable(cred, CAP_SYS_RAWIO);
  limits.mayUseReserve = cred !== null && capable(cred, CAP_SYS_ADMIN);
}
