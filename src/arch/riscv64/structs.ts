import { siginfoLayout } from '../../abi/siginfo-layout.ts';
import type { ArchSigAction, ArchSiginfo } from '../arch.ts';
import { getS64, getU64, setU64 } from './words.ts';

/**
 * Structures whose layout is the LP64 asm-generic one: siginfo_t (include/uapi/asm-generic/siginfo.h) and the kernel's struct
 * sigaction (riscv has no sa_restorer).
 */
export const SIGINFO_BYTES = 128;
export const SIGACTION_BYTES = 24;

export function encodeSiginfo(info: ArchSiginfo): Uint8Array {
  const bytes = new Uint8Array(SIGINFO_BYTES);
  encodeSiginfoInto(new DataView(bytes.buffer), info);
  return bytes;
}

/** At the start of `view`, whose first SIGINFO_BYTES are 0. */
export function encodeSiginfoInto(view: DataView, info: ArchSiginfo): void {
  view.setInt32(0, info.signo, true);
  view.setInt32(4, info.errno, true);
  view.setInt32(8, info.code, true);
  switch (siginfoLayout(info.signo, info.code)) {
    case 'fault':
      view.setUint32(16, info.addressLow, true);
      view.setUint32(20, info.addressHigh, true);
      break;
    case 'timer':
      view.setInt32(16, info.timerId, true);
      view.setInt32(20, info.overrun, true);
      view.setUint32(24, info.valueLow, true);
      view.setUint32(28, info.valueHigh, true);
      break;
    case 'poll':
      setU64(view, 16, info.utime);
      view.setInt32(24, info.status, true);
      break;
    case 'chld':
      view.setInt32(16, info.pid, true);
      view.setUint32(20, info.uid, true);
      view.setInt32(24, info.status, true);
      setU64(view, 32, info.utime);
      setU64(view, 40, info.stime);
      break;
    case 'rt':
      view.setInt32(16, info.pid, true);
      view.setUint32(20, info.uid, true);
      view.setUint32(24, info.valueLow, true);
      view.setUint32(28, info.valueHigh, true);
      break;
    case 'kill':
      view.setInt32(16, info.pid, true);
      view.setUint32(20, info.uid, true);
      break;
  }
}

/** What rt_sigqueueinfo hands in: pid, uid and value are the caller's. */
export function decodeSiginfo(bytes: Uint8Array): ArchSiginfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const signo = view.getInt32(0, true);
  const code = view.getInt32(8, true);
  const layout = siginfoLayout(signo, code);
  const isFault = layout === 'fault';
  const isTimer = layout === 'timer';
  const isChild = layout === 'chld';
  return {
    signo,
    errno: view.getInt32(4, true),
    code,
    pid: isFault || isTimer ? 0 : view.getInt32(16, true),
    uid: isFault || isTimer ? 0 : view.getUint32(20, true),
    address: isFault ? getU64(view, 16) : 0,
    addressLow: isFault ? view.getUint32(16, true) : 0,
    addressHigh: isFault ? view.getUint32(20, true) : 0,
    status: isChild || layout === 'poll' ? view.getInt32(24, true) : 0,
    utime: isChild ? getS64(view, 32) : layout === 'poll' ? getS64(view, 16) : 0,
    stime: isChild ? getS64(view, 40) : 0,
    valueLow: layout === 'rt' || isTimer ? view.getUint32(24, true) : 0,
    valueHigh: layout === 'rt' || isTimer ? view.getUint32(28, true) : 0,
    timerId: isTimer ? view.getInt32(16, true) : 0,
    overrun: isTimer ? view.getInt32(20, true) : 0,
  };
}

export function encodeSigAction(action: ArchSigAction): Uint8Array {
  const bytes = new Uint8Array(SIGACTION_BYTES);
  const view = new DataView(bytes.buffer);
  setU64(view, 0, action.handler);
  setU64(view, 8, action.flags);
  view.setUint32(16, action.maskLow, true);
  view.setUint32(20, action.maskHigh, true);
  return bytes;
}

export function decodeSigAction(bytes: Uint8Array): ArchSigAction {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    handler: getU64(view, 0),
    flags: view.getUint32(8, true),
    restorer: 0,
    maskLow: view.getUint32(16, true),
    maskHigh: view.getUint32(20, true),
  };
}
