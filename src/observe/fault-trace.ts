import { EV_PAGE_FAULT } from '../base/event-kinds.ts';
import type { EventRecord } from '../base/events.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { vmaName } from '../kernel/procfs/vma-name.ts';
import { ACCESS_EXEC, ACCESS_WRITE } from '../machine/mmu.ts';
import { PAGE_SIZE, type Vaddr, vaddr, vaddrOf, vpnOf } from '../machine/units.ts';
import { FAULT_KINDS, type FaultKind } from '../mm/address-space.ts';
import type { Vma } from '../mm/vma.ts';
import { CodeNames } from './code-names.ts';
import { kernelEntryOf } from './kernel-entry.ts';

/** One page fault in words: who, where in the code, and what the address belongs to. */
export interface FaultDescription {
  /** Virtual time since boot. */
  readonly timeNs: number;
  readonly pid: number;
  readonly comm: string;
  readonly kind: FaultKind;
  /** The page came from a device. */
  readonly major: boolean;
  /** 'kernel': a system call or execve touched the memory on the process's behalf. */
  readonly mode: 'user' | 'kernel';
  readonly access: 'read' | 'write' | 'exec';
  readonly address: Vaddr;
  /** `function+0xoffset` of the faulting instruction, or its address; `sys_write` and the like where a system call touched the memory. */
  readonly symbol: string;
  /** What the address belongs to: a file's path, '[heap]', '[stack]', '//anon'; null: nothing. */
  readonly mapping: string | null;
  /** Bytes from the start of the file, or of the mapping where it is none of a file; the address where there is no mapping. */
  readonly offset: number;
}

/**
 * Describes faults as they happen. A reader: it looks at tasks, VMAs and the bytes of executable files, and changes none.
 */
export class FaultDescriber {
  private readonly kernel: Kernel;
  private readonly names: CodeNames;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.names = new CodeNames(kernel);
  }

  /** `listener` gets each fault; the function that is returned ends it. */
  subscribe(listener: (fault: FaultDescription) => void): () => void {
    return this.kernel.events.subscribe([EV_PAGE_FAULT], (event) => listener(this.describe(event)));
  }

  private describe(event: EventRecord): FaultDescription {
    const [pid, address, access, kind, , major, user] = event.values;
    const task = this.kernel.tasks.get(pid);
    // The space of the fault, not of the task: execve fills the next one.
    const vma = this.kernel.mm.lastFaultSpace?.vmas.find(vpnOf(vaddr(address))) ?? null;
    const holder = vma !== null && vma.startVpn * PAGE_SIZE <= address ? vma : null;
    return {
      timeNs: event.timeNs,
      pid,
      comm: task?.comm ?? '?',
      kind: FAULT_KINDS[kind],
      major: major !== 0,
      mode: user !== 0 ? 'user' : 'kernel',
      access: access === ACCESS_WRITE ? 'write' : access === ACCESS_EXEC ? 'exec' : 'read',
      address: vaddr(address),
      symbol: task === undefined ? '?' : user !== 0 ? this.names.ofTask(task) : kernelEntryOf(this.kernel, task),
      ...describePlace(holder, address),
    };
  }
}

function describePlace(vma: Vma | null, address: number): { mapping: string | null; offset: number } {
  if (vma === null) return { mapping: null, offset: address };
  const inVma = address - vaddrOf(vma.startVpn);
  const inFile = vma.file === null ? 0 : vma.pgoff * PAGE_SIZE;
  return { mapping: vmaName(vma) ?? '//anon', offset: inVma + inFile };
}

/**
 * One line in the manner of `perf trace -F all` (tools/perf/builtin-trace.c, trace__pgfault): virtual time in ms since boot,
 * program/pid, kind, [code] => mapping@offset, and in brackets d for a data or x for a code access with the level that made it
 * (. user, k kernel). `major` at the end: the page came from a device. Where perf has minfault or majfault stands our kind.
 */
export function formatFault(fault: FaultDescription): string {
  const time = (fault.timeNs / 1e6).toFixed(3).padStart(10);
  const place = `${fault.mapping === null ? '' : `${fault.mapping}@`}0x${fault.offset.toString(16)}`;
  const access = `${fault.access === 'exec' ? 'x' : 'd'}${fault.mode === 'kernel' ? 'k' : '.'}`;
  return `${time} ${fault.comm}/${fault.pid} ${fault.kind} [${fault.symbol}] => ${place} (${access})${fault.major ? ' major' : ''}`;
}
