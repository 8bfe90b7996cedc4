import { EFAULT, EINVAL } from '../../abi/errno.ts';
import {
  PR_GET_CHILD_SUBREAPER,
  PR_GET_DUMPABLE,
  PR_GET_NAME,
  PR_GET_NO_NEW_PRIVS,
  PR_GET_PDEATHSIG,
  PR_GET_SECCOMP,
  PR_GET_TID_ADDRESS,
  PR_GET_TIMERSLACK,
  PR_SET_CHILD_SUBREAPER,
  PR_SET_DUMPABLE,
  PR_SET_NAME,
  PR_SET_NO_NEW_PRIVS,
  PR_SET_PDEATHSIG,
  PR_SET_TIMERSLACK,
} from '../../abi/sched.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readBytes, writeBytes, writeI32s, writeLongs } from '../user-structs.ts';
import { capabilityPrctl } from './capability.ts';
import { mmPrctl } from './prctl-mm.ts';
import { row, type SyscallRow } from './row.ts';

/** prctl (kernel/sys.c, 6.18): what is about memory or capabilities is in prctl-mm.ts and capability.ts. */

const NAME_BYTES = 16;

function prctl(k: Kernel, t: Task, option: number, a1: number, a2: number, a3: number, a4: number): number {
  const aboutCapabilities = capabilityPrctl(t, option, [a1, a2, a3, a4]);
  if (aboutCapabilities !== null) return aboutCapabilities;
  const aboutMemory = mmPrctl(k, t, option, [a1, a2, a3, a4]);
  if (aboutMemory !== null) return aboutMemory;
  const { process } = t;
  switch (option) {
    case PR_SET_NAME: {
      const bytes = new Uint8Array(NAME_BYTES - 1);
      for (let i = 0; i < bytes.length; i++) {
        if (readBytes(k, t, a1 + i, bytes.subarray(i, i + 1)) < 0) return -EFAULT;
        if (bytes[i] === 0) break;
      }
      const end = bytes.indexOf(0);
      t.comm = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
      return 0;
    }
    case PR_GET_NAME: {
      const bytes = new Uint8Array(NAME_BYTES);
      bytes.set(new TextEncoder().encode(t.comm).subarray(0, NAME_BYTES - 1));
      return writeBytes(k, t, a1, bytes);
    }
    case PR_SET_PDEATHSIG:
      if (a1 > 64) return -EINVAL;
      t.pdeathSignal = a1;
      return 0;
    case PR_GET_PDEATHSIG:
      return writeI32s(k, t, a1, [t.pdeathSignal]);
    case PR_GET_DUMPABLE:
      return process.dumpable;
    case PR_SET_DUMPABLE:
      if (a1 > 1) return -EINVAL;
      process.dumpable = a1;
      return 0;
    case PR_SET_NO_NEW_PRIVS:
      if (a1 !== 1 || a2 !== 0 || a3 !== 0 || a4 !== 0) return -EINVAL;
      t.noNewPrivs = true;
      return 0;
    case PR_GET_NO_NEW_PRIVS:
      if (a1 !== 0 || a2 !== 0 || a3 !== 0 || a4 !== 0) return -EINVAL;
      return t.noNewPrivs ? 1 : 0;
    case PR_SET_CHILD_SUBREAPER:
      process.isChildSubreaper = a1 !== 0;
      return 0;
    case PR_GET_CHILD_SUBREAPER:
      return writeI32s(k, t, a1, [process.isChildSubreaper ? 1 : 0]);
    case PR_SET_TIMERSLACK:
      t.timerSlackNs = a1 === 0 ? 50_000 : a1;
      return 0;
    case PR_GET_TIMERSLACK:
      return t.timerSlackNs;
    case PR_GET_TID_ADDRESS:
      return writeLongs(k, t, a1, [t.clearChildTid]);
    case PR_GET_SECCOMP:
      return 0;
    default:
      return -EINVAL;
  }
}

export const prctlCalls: readonly SyscallRow[] = [
  row(
    'prctl',
    ['int', 'ulong', 'ulong', 'ulong', 'ulong'],
    prctl,
    'names, death signal, dumpable, no_new_privs, subreaper, timer slack, capabilities, PR_SET_MM, PR_SET_VMA, THP, memory merge, MDWE',
  ),
];
