import { EFAULT, EINVAL } from '../abi/errno.ts';
import { copyFromUser, copyToUser } from '../mm/user-access.ts';
import type { Kernel } from './kernel.ts';
import type { Task } from './task.ts';

/**
 * User structures that are rows of `long`s in the architecture's word size (timespec, timeval, rlimit, rusage, tms ...), and
 * plain words. Each returns 0 or a value, or -EFAULT.
 */
const TWO_32 = 0x1_0000_0000;
export const NS_PER_S = 1_000_000_000;

export function readBytes(k: Kernel, t: Task, address: number, into: Uint8Array): number {
  if (t.space === null) return -EFAULT;
  return copyFromUser(k.mm, t.space, address, into) === into.length ? 0 : -EFAULT;
}

export function writeBytes(k: Kernel, t: Task, address: number, from: Uint8Array): number {
  if (t.space === null) return -EFAULT;
  return copyToUser(k.mm, t.space, address, from) === from.length ? 0 : -EFAULT;
}

/** Signed longs. */
export function readLongs(k: Kernel, t: Task, address: number, count: number): number[] | number {
  const word = k.arch.wordBytes;
  const bytes = new Uint8Array(count * word);
  const failed = readBytes(k, t, address, bytes);
  if (failed < 0) return failed;
  const view = new DataView(bytes.buffer);
  const values: number[] = [];
  for (let i = 0; i < count; i++) {
    if (word === 4) values.push(view.getInt32(i * 4, true));
    else values.push(view.getInt32(i * 8 + 4, true) * TWO_32 + view.getUint32(i * 8, true));
  }
  return values;
}

/** Longs; Infinity is written as all ones (RLIM_INFINITY). */
export function writeLongs(k: Kernel, t: Task, address: number, values: readonly number[]): number {
  const word = k.arch.wordBytes;
  const bytes = new Uint8Array(values.length * word);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    const isAllOnes = value === Number.POSITIVE_INFINITY;
    view.setUint32(i * word, isAllOnes ? 0xffff_ffff : value >>> 0, true);
    if (word === 8) view.setUint32(i * 8 + 4, isAllOnes ? 0xffff_ffff : Math.floor(value / TWO_32) >>> 0, true);
  });
  return writeBytes(k, t, address, bytes);
}

/** 64-bit unsigned values, whatever the word size; all ones reads as Infinity. */
export function readU64s(k: Kernel, t: Task, address: number, count: number): number[] | number {
  const bytes = new Uint8Array(count * 8);
  const failed = readBytes(k, t, address, bytes);
  if (failed < 0) return failed;
  const view = new DataView(bytes.buffer);
  const values: number[] = [];
  for (let i = 0; i < count; i++) {
    const low = view.getUint32(i * 8, true);
    const high = view.getUint32(i * 8 + 4, true);
    values.push(low === 0xffff_ffff && high === 0xffff_ffff ? Number.POSITIVE_INFINITY : high * TWO_32 + low);
  }
  return values;
}

export function writeU64s(k: Kernel, t: Task, address: number, values: readonly number[]): number {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    const isAllOnes = value === Number.POSITIVE_INFINITY;
    view.setUint32(i * 8, isAllOnes ? 0xffff_ffff : value >>> 0, true);
    view.setUint32(i * 8 + 4, isAllOnes ? 0xffff_ffff : Math.floor(value / TWO_32) >>> 0, true);
  });
  return writeBytes(k, t, address, bytes);
}

export function writeI32s(k: Kernel, t: Task, address: number, values: readonly number[]): number {
  return writeBytes(k, t, address, new Uint8Array(Int32Array.from(values, (value) => value | 0).buffer));
}

/** A timespec as ns; -EFAULT, or -EINVAL where it is negative or not normalised. At most KTIME_MAX: then Infinity. */
export function readTimespecNs(k: Kernel, t: Task, address: number): number {
  const pair = readLongs(k, t, address, 2);
  if (typeof pair === 'number') return pair;
  const [seconds, nanoseconds] = pair;
  if (seconds < 0 || nanoseconds < 0 || nanoseconds >= NS_PER_S) return -EINVAL;
  return seconds >= 9_223_372_036 ? Number.POSITIVE_INFINITY : seconds * NS_PER_S + nanoseconds;
}

export function writeTimespecNs(k: Kernel, t: Task, address: number, ns: number): number {
  const whole = Math.floor(ns);
  return writeLongs(k, t, address, [Math.floor(whole / NS_PER_S), whole % NS_PER_S]);
}

/** struct timeval pair of longs for a duration. */
export function timevalOf(ns: number): [number, number] {
  const us = Math.floor(ns / 1000);
  return [Math.floor(us / 1_000_000), us % 1_000_000];
}
