import { EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM, ESRCH } from '../abi/errno.ts';
import {
  _UFFDIO_CONTINUE,
  _UFFDIO_WRITEPROTECT,
  UFFD_API,
  UFFD_API_FEATURES,
  UFFD_API_IOCTLS_HIGH,
  UFFD_API_IOCTLS_LOW,
  UFFD_API_RANGE_IOCTLS,
  UFFD_API_RANGE_IOCTLS_BASIC,
  UFFD_FEATURE_EVENT_FORK,
  UFFD_FEATURE_INITIALIZED,
  UFFD_FEATURE_WP_ASYNC,
  UFFD_FEATURE_WP_UNPOPULATED,
  UFFDIO_API,
  UFFDIO_CONTINUE,
  UFFDIO_COPY,
  UFFDIO_MODE_DONTWAKE,
  UFFDIO_MODE_WP,
  UFFDIO_MOVE,
  UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES,
  UFFDIO_MOVE_MODE_DONTWAKE,
  UFFDIO_POISON,
  UFFDIO_REGISTER,
  UFFDIO_REGISTER_MODE_MINOR,
  UFFDIO_REGISTER_MODE_MISSING,
  UFFDIO_REGISTER_MODE_WP,
  UFFDIO_UNREGISTER,
  UFFDIO_WAKE,
  UFFDIO_WRITEPROTECT,
  UFFDIO_WRITEPROTECT_MODE_DONTWAKE,
  UFFDIO_WRITEPROTECT_MODE_WP,
  UFFDIO_ZEROPAGE,
} from '../abi/userfaultfd.ts';
import type { UserArg } from '../fs/file.ts';
import { isPageAligned, PAGE_SIZE, vpn } from '../machine/units.ts';
import type { UffdContext } from '../mm/uffd/context.ts';
import { fillRange, type UffdFill } from '../mm/uffd/fill.ts';
import { movePages } from '../mm/uffd/move.ts';
import { hasHugePages, registerRange, unregisterRange } from '../mm/uffd/register.ts';
import { writeProtect } from '../mm/uffd/write-protect.ts';
import { VM_UFFD_MINOR, VM_UFFD_MISSING, VM_UFFD_WP } from '../mm/vm-flags.ts';
import type { Kernel } from './kernel.ts';
import type { Task } from './task.ts';
import { readU64s, writeI32s, writeU64s } from './user-structs.ts';
import { mayTrace } from './userfaultfd.ts';

/** userfaultfd_ioctl (6.18): before the handshake there is nothing but UFFDIO_API. */
export function uffdIoctl(k: Kernel, t: Task, context: UffdContext, request: number, arg: UserArg): number {
  const call: Call = { k, t, context, address: arg.value };
  if (request === UFFDIO_API) return shakeHands(call);
  if (context.features === 0) return -EINVAL;
  switch (request) {
    case UFFDIO_REGISTER:
      return register(call);
    case UFFDIO_UNREGISTER:
      return unregister(call);
    case UFFDIO_WAKE:
      return wake(call);
    case UFFDIO_COPY:
      return copy(call);
    case UFFDIO_ZEROPAGE:
      return fill(call, 'zero', UFFDIO_MODE_DONTWAKE);
    case UFFDIO_CONTINUE:
      return fill(call, 'continue', UFFDIO_MODE_DONTWAKE | UFFDIO_MODE_WP);
    case UFFDIO_POISON:
      return fill(call, 'poison', UFFDIO_MODE_DONTWAKE);
    case UFFDIO_MOVE:
      return move(call);
    case UFFDIO_WRITEPROTECT:
      return protect(call);
    default:
      return -EINVAL;
  }
}

interface Call {
  readonly k: Kernel;
  readonly t: Task;
  readonly context: UffdContext;
  /** Of the structure. */
  readonly address: number;
}

function fields({ k, t, address }: Call, count: number): number[] | null {
  const words = readU64s(k, t, address, count);
  return typeof words === 'number' ? null : words;
}

/** userfaultfd_api. A refusal zeroes the structure. */
function shakeHands(call: Call): number {
  const { k, t, context, address } = call;
  const words = fields(call, 3);
  if (words === null) return -EFAULT;
  const [api, asked] = words;
  let refused = 0;
  if (api !== UFFD_API) refused = -EINVAL;
  else if (asked > UFFD_API_FEATURES || (asked & ~UFFD_API_FEATURES) !== 0) refused = -EINVAL;
  else if ((asked & UFFD_FEATURE_EVENT_FORK) !== 0 && !mayTrace(t)) refused = -EPERM;
  if (refused === 0) {
    if (writeU64s(k, t, address, [UFFD_API, UFFD_API_FEATURES]) < 0) return -EFAULT;
    if (writeWord(call, 16, UFFD_API_IOCTLS_LOW, UFFD_API_IOCTLS_HIGH) < 0) return -EFAULT;
    if (context.features === 0) {
      const implied = (asked & UFFD_FEATURE_WP_ASYNC) !== 0 ? UFFD_FEATURE_WP_UNPOPULATED : 0;
      context.features = (asked | implied | UFFD_FEATURE_INITIALIZED) >>> 0;
      return 0;
    }
    refused = -EINVAL;
  }
  return writeU64s(k, t, address, [0, 0, 0]) < 0 ? -EFAULT : refused;
}

/** validate_range without its start's alignment (validate_unaligned_range). */
function isRange({ k, context }: Call, start: number, length: number): boolean {
  const limit = context.space.taskSize * PAGE_SIZE;
  if (!isPageAligned(length) || length === 0) return false;
  return start >= k.mm.config.mmapMinAddrBytes && start < limit && length <= limit - start;
}

function isPageRange(call: Call, start: number, length: number): boolean {
  return isPageAligned(start) && isRange(call, start, length);
}

/** mmget_not_zero fails: the program whose memory it was is gone. */
function isGone({ k, context }: Call): boolean {
  return !k.mm.spaces.has(context.space);
}

function register(call: Call): number {
  const { k, context } = call;
  const words = fields(call, 3);
  if (words === null) return -EFAULT;
  const [start, length, mode] = words;
  const known = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP | UFFDIO_REGISTER_MODE_MINOR;
  if (mode === 0 || mode > known) return -EINVAL;
  if (!isPageRange(call, start, length)) return -EINVAL;
  if (isGone(call)) return -ENOMEM;
  let flags = 0;
  if ((mode & UFFDIO_REGISTER_MODE_MISSING) !== 0) flags |= VM_UFFD_MISSING;
  if ((mode & UFFDIO_REGISTER_MODE_WP) !== 0) flags |= VM_UFFD_WP;
  if ((mode & UFFDIO_REGISTER_MODE_MINOR) !== 0) flags |= VM_UFFD_MINOR;
  const result = registerRange(k.mm, context, vpn(start / PAGE_SIZE), vpn((start + length) / PAGE_SIZE), flags);
  if (result < 0) return result;
  const touchesHuge = hasHugePages(context.space, vpn(start / PAGE_SIZE), vpn((start + length) / PAGE_SIZE));
  let calls = touchesHuge ? UFFD_API_RANGE_IOCTLS_BASIC : UFFD_API_RANGE_IOCTLS;
  if ((mode & UFFDIO_REGISTER_MODE_WP) === 0) calls &= ~(1 << _UFFDIO_WRITEPROTECT);
  if ((mode & UFFDIO_REGISTER_MODE_MINOR) === 0) calls &= ~(1 << _UFFDIO_CONTINUE);
  return writeWord(call, 24, calls, 0);
}

function unregister(call: Call): number {
  const words = fields(call, 2);
  if (words === null) return -EFAULT;
  const [start, length] = words;
  if (!isPageRange(call, start, length)) return -EINVAL;
  if (isGone(call)) return -ENOMEM;
  return unregisterRange(call.k.mm, call.context, vpn(start / PAGE_SIZE), vpn((start + length) / PAGE_SIZE));
}

function wake(call: Call): number {
  const words = fields(call, 2);
  if (words === null) return -EFAULT;
  const [start, length] = words;
  if (!isPageRange(call, start, length)) return -EINVAL;
  call.context.wake(start, length);
  return 0;
}

function copy(call: Call): number {
  const { t, context } = call;
  if (context.isMappingChanging) return report(call, 32, -EAGAIN, 0, 0, 'wake');
  const words = fields(call, 4);
  if (words === null) return -EFAULT;
  const [to, source, length, mode] = words;
  if (!isRange(call, source, length) || !isPageRange(call, to, length)) return -EINVAL;
  if (mode > (UFFDIO_MODE_DONTWAKE | UFFDIO_MODE_WP)) return -EINVAL;
  if (isGone(call) || t.space === null) return -ESRCH;
  return fillAndReport(call, 32, to, length, mode, { kind: 'copy', from: t.space, source });
}

function fill(call: Call, kind: 'zero' | 'continue' | 'poison', modes: number): number {
  const { context } = call;
  if (context.isMappingChanging) return report(call, 24, -EAGAIN, 0, 0, 'wake');
  const words = fields(call, 3);
  if (words === null) return -EFAULT;
  const [start, length, mode] = words;
  if (!isPageRange(call, start, length) || mode > modes) return -EINVAL;
  if (isGone(call)) return -ESRCH;
  return fillAndReport(call, 24, start, length, mode, { kind });
}

function fillAndReport(
  call: Call,
  resultAt: number,
  start: number,
  length: number,
  mode: number,
  what: UffdFill,
): number {
  const done = fillRange(call.k.mm, call.context, {
    start: vpn(start / PAGE_SIZE),
    end: vpn((start + length) / PAGE_SIZE),
    fill: what,
    write: (mode & UFFDIO_MODE_WP) !== 0 ? 'protected' : 'plain',
  });
  return report(call, resultAt, done, start, length, (mode & UFFDIO_MODE_DONTWAKE) !== 0 ? 'sleep' : 'wake');
}

/** Writes back what was done, wakes who slept on it; -EAGAIN where it is less than all. */
function report(
  call: Call,
  at: number,
  done: number,
  start: number,
  length: number,
  sleepers: 'wake' | 'sleep',
): number {
  if (writeWord(call, at, done, Math.floor(done / 2 ** 32)) < 0) return -EFAULT;
  if (done < 0) return done;
  if (sleepers === 'wake') call.context.wake(start, done);
  return done === length ? 0 : -EAGAIN;
}

function move(call: Call): number {
  const { k, t, context } = call;
  if (context.isMappingChanging) return report(call, 32, -EAGAIN, 0, 0, 'wake');
  const words = fields(call, 4);
  if (words === null) return -EFAULT;
  const [to, from, length, mode] = words;
  if (t.space !== context.space) return -EINVAL;
  if (!isPageRange(call, to, length) || !isPageRange(call, from, length)) return -EINVAL;
  if (mode > (UFFDIO_MOVE_MODE_DONTWAKE | UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES)) return -EINVAL;
  const done = movePages(k.mm, context, {
    to: vpn(to / PAGE_SIZE),
    from: vpn(from / PAGE_SIZE),
    pages: length / PAGE_SIZE,
    holes: (mode & UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES) !== 0 ? 'allow' : 'refuse',
  });
  return report(call, 32, done, to, length, (mode & UFFDIO_MOVE_MODE_DONTWAKE) !== 0 ? 'sleep' : 'wake');
}

function protect(call: Call): number {
  const { k, context } = call;
  if (context.isMappingChanging) return -EAGAIN;
  const words = fields(call, 3);
  if (words === null) return -EFAULT;
  const [start, length, mode] = words;
  if (!isPageRange(call, start, length)) return -EINVAL;
  const both = UFFDIO_WRITEPROTECT_MODE_WP | UFFDIO_WRITEPROTECT_MODE_DONTWAKE;
  if (mode >= both) return -EINVAL;
  if (isGone(call)) return -ESRCH;
  const what = (mode & UFFDIO_WRITEPROTECT_MODE_WP) !== 0 ? 'protect' : 'resolve';
  const end = vpn((start + length) / PAGE_SIZE);
  const result = writeProtect(k.mm, context, vpn(start / PAGE_SIZE), end, what);
  if (result === 0 && mode === 0) context.wake(start, length);
  return result;
}

/** A 64-bit field, in two words, since not every one is exact as a number. */
function writeWord({ k, t, address }: Call, at: number, low: number, high: number): number {
  return writeI32s(k, t, address + at, [low, high]);
}
