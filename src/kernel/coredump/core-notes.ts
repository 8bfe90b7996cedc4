import { NT_PRFPREG, NT_PRSTATUS } from '../../abi/ptrace.ts';
import { encodeUtf8 } from '../../base/utf8.ts';
import { PAGE_SIZE, vaddrOf } from '../../machine/units.ts';
import { readRemote } from '../../mm/remote-access.ts';
import { VMA_ANON } from '../../mm/vma.ts';
import { cpuTimesOf } from '../cpu-times.ts';
import type { Kernel } from '../kernel.ts';
import type { Siginfo } from '../signals/siginfo.ts';
import type { Task } from '../task.ts';

/** The notes of a core file (fs/binfmt_elf.c, 6.18: fill_note_info, write_note_info), for ELF64. */

const NT_PRPSINFO = 3;
const NT_AUXV = 6;
const NT_SIGINFO = 0x5349_4749;
const NT_FILE = 0x4649_4c45;
const PSARGS_BYTES = 80;
const PSINFO_BYTES = 136;
const PRSTATUS_BYTES = 376;
/** Where the general registers are in struct elf_prstatus. */
const PRSTATUS_REGISTERS = 112;

function note(type: number, bytes: Uint8Array): Uint8Array {
  const padded = Math.ceil(bytes.length / 4) * 4;
  const out = new Uint8Array(20 + padded);
  const view = new DataView(out.buffer);
  view.setUint32(0, 5, true);
  view.setUint32(4, bytes.length, true);
  view.setUint32(8, type, true);
  out.set(encodeUtf8('CORE'), 12);
  out.set(bytes, 20);
  return out;
}

function putTime(view: DataView, at: number, ns: number): void {
  view.setBigInt64(at, BigInt(Math.floor(ns / 1e9)), true);
  view.setBigInt64(at + 8, BigInt(Math.floor((ns % 1e9) / 1000)), true);
}

function putIds(view: DataView, at: number, t: Task): void {
  const { process } = t;
  [t.tid, process.parent?.pid ?? 0, process.pgrp, process.session].forEach((id, i) => {
    view.setInt32(at + 4 * i, id, true);
  });
}

/** struct elf_prstatus. */
function prstatus(k: Kernel, t: Task, signo: number): Uint8Array {
  const bytes = new Uint8Array(PRSTATUS_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, signo, true);
  view.setInt16(12, signo, true);
  view.setUint32(24, t.sigmask.lo, true);
  view.setUint32(28, t.sigmask.hi, true);
  putIds(view, 32, t);
  const times = t.isLeader ? cpuTimesOf(t.process) : t;
  putTime(view, 48, times.utimeNs);
  putTime(view, 64, times.stimeNs);
  putTime(view, 80, t.process.cutimeNs);
  putTime(view, 96, t.process.cstimeNs);
  bytes.set(k.arch.readRegset(k.registersOf(t), NT_PRSTATUS) ?? new Uint8Array(0), PRSTATUS_REGISTERS);
  view.setInt32(PRSTATUS_BYTES - 8, 1, true);
  return bytes;
}

/** struct elf_prpsinfo. */
function psinfo(k: Kernel, t: Task): Uint8Array {
  const bytes = new Uint8Array(PSINFO_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[1] = 'R'.charCodeAt(0);
  bytes[3] = t.nice & 0xff;
  view.setUint32(16, t.cred.uid, true);
  view.setUint32(20, t.cred.gid, true);
  putIds(view, 24, t.process.leader);
  bytes.set(encodeUtf8(t.comm).subarray(0, 15), 40);
  const space = t.space!;
  const length = Math.min(space.argEnd - space.argStart, PSARGS_BYTES - 1);
  const text = new Uint8Array(Math.max(0, length));
  const got = readRemote(k.mm, space, space.argStart, text, 'plain');
  bytes.set(
    text.subarray(0, got).map((byte) => (byte === 0 ? 0x20 : byte)),
    56,
  );
  return bytes;
}

/** NT_FILE: count, page size, then start, end and page offset of each mapped file, then their names. */
function files(t: Task): Uint8Array {
  const { vmas } = t.space!;
  const ranges: bigint[] = [];
  let names = '';
  for (let vma = vmas.first(); vma !== null; vma = vmas.next(vma)) {
    if (vma.file === null || vma.kind === VMA_ANON) continue;
    ranges.push(BigInt(vaddrOf(vma.startVpn)), BigInt(vaddrOf(vma.endVpn)), BigInt(vma.pgoff));
    names += `${vma.file.displayPath()}\0`;
  }
  const words = BigUint64Array.from([BigInt(ranges.length / 3), BigInt(PAGE_SIZE), ...ranges]);
  const text = encodeUtf8(names);
  const bytes = new Uint8Array(words.byteLength + text.length);
  bytes.set(new Uint8Array(words.buffer));
  bytes.set(text, words.byteLength);
  return bytes;
}

/** The thread that dumps comes first; then what is the process's; then the other threads. */
export function coreNotes(k: Kernel, t: Task, info: Siginfo): Uint8Array {
  const own = (task: Task): Uint8Array[] => [
    note(NT_PRSTATUS, prstatus(k, task, info.signo)),
    ...(task === t
      ? [
          note(NT_PRPSINFO, psinfo(k, t)),
          note(NT_SIGINFO, k.arch.encodeSiginfo(info)),
          note(NT_AUXV, t.space!.auxv),
          note(NT_FILE, files(t)),
        ]
      : []),
    note(NT_PRFPREG, k.arch.readRegset(k.registersOf(task), NT_PRFPREG) ?? new Uint8Array(0)),
  ];
  const others = t.process.threads.filter((thread) => thread !== t && thread.state !== 'Z');
  const parts = [t, ...others].flatMap(own);
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
