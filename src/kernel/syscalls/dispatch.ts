import { EINTR, ENOSYS } from '../../abi/errno.ts';
import { EV_EXC_FAULT_KERNEL, EV_SYS_ENTER, EV_SYS_EXIT } from '../../base/event-kinds.ts';
import { COST_SYSCALL_NS } from '../../machine/cost-model.ts';
import { addSystemTime } from '../cgroup/cpu-stat.ts';
import { machineCapabilities } from '../credentials.ts';
import { finishOwing, leaveFault, owesWork, sleepInCall } from '../fault-wait.ts';
import type { Kernel } from '../kernel.ts';
import { stopForCall, takePendingStop } from '../ptrace/stop.ts';
import { isRestartCode } from '../signals/deliver.ts';
import type { Task } from '../task.ts';
import { ERESTART_RESTARTBLOCK } from '../wait-state.ts';
import { ALL_U64, BLOCKED, NO_RESULT, type SyscallRow } from './row.ts';

/** do_trap_ecall_u: decodes the call of the current task, runs its row, writes the result. */
export function dispatchSyscall(k: Kernel, t: Task): void {
  const { arch } = k;
  const registers = k.cpu.registers;
  const nr = arch.syscallNumber(registers);
  const widths = k.argWidths[nr] ?? ALL_U64;
  // One record a task, filled anew by each call: whoever keeps arguments longer (a restart) copies them.
  const call = t.call ?? { nr, args: [0, 0, 0, 0, 0, 0], origLow: 0, origHigh: 0 };
  const { args } = call;
  arch.decodeArguments(registers, widths, args);
  if (t.pidNs.parent !== null) for (const i of k.pidArguments[nr] ?? []) args[i] = t.pidNs.pidOfArgument(args[i]);
  call.nr = nr;
  call.origLow = arch.firstArgumentLow(registers);
  call.origHigh = arch.firstArgumentHigh(registers);
  t.call = call;
  arch.stepOverSyscall(registers);
  if (t.trace?.tracesCalls === true) stopForCall(k, t, 'call-enter');
  else beginCall(k, t);
}

/**
 * The tracer lets a call begin: it may have changed the number and the arguments behind the first (which is the one that the
 * task gave). Number -1: none, and the result register stays as it is.
 */
export function enterTracedCall(k: Kernel, t: Task): void {
  const { arch } = k;
  const registers = k.registersOf(t);
  const nr = arch.syscallNumber(registers);
  const { args, origLow, origHigh } = t.call!;
  const widths = k.argWidths[nr] ?? ALL_U64;
  for (let i = 1; i < 6; i++) args[i] = arch.argument(registers, i, widths[i]);
  t.call = { nr, args, origLow, origHigh };
  if (nr === -1) finishCall(k, t, NO_RESULT);
  else beginCall(k, t);
}

function beginCall(k: Kernel, t: Task): void {
  const { nr, args } = t.call!;
  k.syscallCounts.add(nr);
  if (k.events.enabled[EV_EXC_FAULT_KERNEL] !== 0) k.events.currentIp = k.arch.pc(k.cpu.registers);
  if (k.events.enabled[EV_SYS_ENTER] !== 0)
    k.events.emit(EV_SYS_ENTER, t.tid, nr, args[0], args[1], args[2], args[3], args[4]);
  if (k.tracer !== null) k.tracer.syscallEnter(t, nameOf(k, nr), args);
  t.inSyscall = true;
  k.clock.charge(COST_SYSCALL_NS);
  addSystemTime(t, COST_SYSCALL_NS);
  runCall(k, t, k.rows[nr]);
}

/** A woken call, once more with the same arguments. */
export function rerunSyscall(k: Kernel, t: Task): void {
  const { nr } = t.call!;
  runCall(k, t, k.rows[nr]);
}

export function nameOf(k: Kernel, nr: number): string {
  return k.namesByNumber[nr] ?? `syscall_0x${(nr < 0 ? nr + 2 ** 32 : nr).toString(16)}`;
}

/** Who calls, for the file system; mostly the one that called last. */
function setCaller(k: Kernel, t: Task): void {
  const { core } = k.vfs;
  const { tgid, pgrp, session, uid, capEffective } = core.current;
  const { process, cred } = t;
  core.sockets = t.net.sockets;
  if (tgid === process.pid && pgrp === process.pgrp && session === process.session) {
    if (uid === cred.uid && capEffective === machineCapabilities(cred)) return;
  }
  core.current = {
    tgid: process.pid,
    pgrp: process.pgrp,
    session: process.session,
    uid: cred.uid,
    capEffective: machineCapabilities(cred),
  };
}

function runCall(k: Kernel, t: Task, row: SyscallRow | undefined): void {
  const { args } = t.call!;
  // No instruction retires meanwhile.
  const before = k.clock.chargedNs;
  setCaller(k, t);
  const waitBefore = t.wait;
  let result = -ENOSYS;
  t.waiter.source = null;
  if (row === undefined || row.run === null) {
    const name = nameOf(k, t.call!.nr);
    k.absentSyscalls.set(name, (k.absentSyscalls.get(name) ?? 0) + 1);
  } else result = row.run(k, t, args[0], args[1], args[2], args[3], args[4], args[5]);
  addSystemTime(t, k.clock.chargedNs - before);
  if (result === BLOCKED || t.state === 'Z' || t.state === 'X' || t.stopPoint !== null) return;
  // A call that could not read its arguments, for a fault that sleeps, has done nothing yet: it runs again.
  if (t.waiter.source !== null) {
    if (result < 0) result = sleepInCall(k, t, waitBefore);
    else leaveFault(t);
    if (result === BLOCKED) return;
  }
  if (owesWork(t) && result !== NO_RESULT) finishOwing(k, t, 'result', result);
  else finishCall(k, t, result);
}

export function finishCall(k: Kernel, t: Task, result: number): void {
  const call = t.call!;
  if (result === -ERESTART_RESTARTBLOCK) {
    if (t.wait === null && t.restart === null) result = -EINTR;
    else if (t.wait !== null) {
      // restart_syscall that is interrupted again goes on with the call that it stands for.
      const base = nameOf(k, call.nr) === 'restart_syscall' && t.restart !== null ? t.restart : call;
      t.restart = { nr: base.nr, args: [...base.args], wait: t.wait };
    }
  }
  t.wait = null;
  t.inSyscall = false;
  if (result > 0 && t.pidNs.parent !== null && k.rows[call.nr]?.returns === 'pid') result = t.pidNs.numberOf(result);
  if (result !== NO_RESULT) {
    const restarts = isRestartCode(result);
    k.arch.setResult(k.registersOf(t), restarts ? -EINTR : result);
    t.restartResult = restarts ? result : 0;
  }
  const shown = result === NO_RESULT ? 0 : result;
  if (k.events.enabled[EV_SYS_EXIT] !== 0) k.events.emit(EV_SYS_EXIT, t.tid, call.nr, shown);
  k.tracer?.syscallExit(t, shown);
  const { trace } = t;
  if (trace === null) return;
  if (trace.tracesCalls) trace.pending.push({ code: 0, message: 0, kind: 'call-exit' });
  takePendingStop(k, t);
}
