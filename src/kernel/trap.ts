import {
  BUS_ADRALN,
  BUS_ADRERR,
  ILL_ILLOPC,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SI_KERNEL,
  SIGBUS,
  SIGILL,
  SIGKILL,
  SIGSEGV,
  SIGTRAP,
  TRAP_BRKPT,
} from '../abi/signal.ts';
import { unreachable } from '../base/assert.ts';
import { EV_EXC_FAULT_USER } from '../base/event-kinds.ts';
import {
  TRAP_BREAKPOINT,
  TRAP_BUDGET,
  TRAP_ILLEGAL,
  TRAP_MISALIGNED,
  TRAP_PAGE_FAULT,
  TRAP_SYSCALL,
  type Trap,
} from '../machine/cpu.ts';
import { causeOf, handleFault } from '../mm/fault/fault.ts';
import {
  FAULT_BLOCKED,
  FAULT_BUS,
  FAULT_DONE,
  FAULT_OOM,
  FAULT_SEGV_ACCERR,
  FAULT_SEGV_MAPERR,
} from '../mm/fault/results.ts';
import { addSystemTime } from './cgroup/cpu-stat.ts';
import { sleepOnFault } from './fault-wait.ts';
import type { Kernel } from './kernel.ts';
import { outOfMemory } from './oom.ts';
import { forceSignal, sendToTask } from './signals/send.ts';
import { faultSiginfo, siginfo } from './signals/siginfo.ts';
import { dispatchSyscall } from './syscalls/dispatch.ts';
import type { Task } from './task.ts';

/** Decodes why the CPU came back and acts on it for the current task. */
export function handleTrap(k: Kernel, t: Task, trap: Trap): void {
  switch (trap) {
    case TRAP_BUDGET:
      return;
    case TRAP_SYSCALL:
      dispatchSyscall(k, t);
      return;
    case TRAP_PAGE_FAULT:
      handlePageFault(k, t);
      return;
    case TRAP_ILLEGAL:
      forceSignal(k, t, faultSiginfo(SIGILL, ILL_ILLOPC, pcWords(k)));
      return;
    case TRAP_BREAKPOINT:
      forceSignal(k, t, faultSiginfo(SIGTRAP, TRAP_BRKPT, pcWords(k)));
      return;
    case TRAP_MISALIGNED:
      // do_trap_error: si_addr is the instruction's address (6.18, arch/riscv/kernel/traps.c).
      forceSignal(k, t, faultSiginfo(SIGBUS, BUS_ADRALN, pcWords(k)));
      return;
    default:
      unreachable(trap);
  }
}

function pcWords(k: Kernel): readonly [low: number, high: number] {
  const pc = k.arch.pc(k.cpu.registers);
  return [pc >>> 0, Math.floor(pc / 0x1_0000_0000)];
}

function handlePageFault(k: Kernel, t: Task): void {
  const address = k.cpu.trapAddress;
  // No instruction retires meanwhile.
  const before = k.clock.chargedNs;
  if (k.events.enabled[EV_EXC_FAULT_USER] !== 0)
    k.events.emit(EV_EXC_FAULT_USER, address, k.arch.pc(k.cpu.registers), causeOf(k.cpu.trapAccess));
  const result = handleFault(k.mm, t.space!, address, k.cpu.trapAccess, 'user');
  addSystemTime(t, k.clock.chargedNs - before);
  switch (result) {
    case FAULT_DONE:
      return;
    case FAULT_SEGV_MAPERR:
      forceSignal(k, t, faultSiginfo(SIGSEGV, SEGV_MAPERR, k.cpu.trapAddressWords));
      return;
    case FAULT_SEGV_ACCERR:
      forceSignal(k, t, faultSiginfo(SIGSEGV, SEGV_ACCERR, k.cpu.trapAddressWords));
      return;
    case FAULT_BUS:
      forceSignal(k, t, faultSiginfo(SIGBUS, BUS_ADRERR, k.cpu.trapAddressWords));
      return;
    case FAULT_OOM:
      // Only made to fail: the access is tried again.
      if (k.mm.alloc.injector?.tookMemory === true) return;
      // pagefault_out_of_memory: somebody is killed, the access is tried again. With nobody to kill it is this task.
      if (!outOfMemory(k, t.process)) sendToTask(k, t, siginfo(SIGKILL, SI_KERNEL));
      // Linux sleeps a tick here: the victim must run to give its memory back.
      t.sliceEndNs = k.clock.nowNs;
      return;
    case FAULT_BLOCKED:
      sleepOnFault(k, t);
      return;
    default:
      unreachable(result);
  }
}
