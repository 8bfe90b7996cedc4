import {
  CAP_LAST_CAP,
  CAP_SETPCAP,
  SECURE_ALL_BITS,
  SECURE_ALL_LOCKS,
  SECURE_KEEP_CAPS,
  SECURE_KEEP_CAPS_LOCKED,
  SECURE_NO_CAP_AMBIENT_RAISE,
} from '../../abi/capability.ts';
import { EFAULT, EINVAL, EPERM, ESRCH } from '../../abi/errno.ts';
import {
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_CLEAR_ALL,
  PR_CAP_AMBIENT_IS_SET,
  PR_CAP_AMBIENT_LOWER,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
  PR_CAPBSET_READ,
  PR_GET_KEEPCAPS,
  PR_GET_SECUREBITS,
  PR_SET_KEEPCAPS,
  PR_SET_SECUREBITS,
} from '../../abi/sched.ts';
import { afterCredentialsChange } from '../commit-credentials.ts';
import { type Credentials, capableHere, combine, hasCapability, intersect, isSubset } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import { ownTid } from '../pid-namespace.ts';
import type { Task } from '../task.ts';
import { readBytes, writeI32s } from '../user-structs.ts';
import type { SyscallRow } from './row.ts';

/** capget, capset and prctl's part of them (kernel/capability.c, security/commoncap.c; 6.18). */

const CAP_VERSION_1 = 0x19980330;
const CAP_VERSION_2 = 0x20071026;
const CAP_VERSION_3 = 0x20080522;

/** cap_validate_magic: words of a set, or -EINVAL after writing the version that the kernel likes. */
function capWords(k: Kernel, t: Task, header: number): { words: number; pid: number } | number {
  const bytes = new Uint8Array(8);
  if (readBytes(k, t, header, bytes) < 0) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const version = view.getUint32(0, true);
  const pid = view.getInt32(4, true);
  if (version === CAP_VERSION_1) return { words: 1, pid };
  if (version === CAP_VERSION_2 || version === CAP_VERSION_3) return { words: 2, pid };
  return writeI32s(k, t, header, [CAP_VERSION_3]) < 0 ? -EFAULT : -EINVAL;
}

function capget(k: Kernel, t: Task, header: number, data: number): number {
  const valid = capWords(k, t, header);
  if (typeof valid === 'number') return data === 0 && valid === -EINVAL ? 0 : valid;
  if (valid.pid < 0) return -EINVAL;
  const target = valid.pid === 0 ? t : k.tasks.get(t.pidNs.pidOf(valid.pid));
  if (target === undefined) return -ESRCH;
  if (data === 0) return 0;
  const values: number[] = [];
  const { cred } = target;
  for (let i = 0; i < valid.words; i++) values.push(cred.capEffective[i], cred.capPermitted[i], cred.capInheritable[i]);
  return writeI32s(k, t, data, values);
}

function capset(k: Kernel, t: Task, header: number, data: number): number {
  const valid = capWords(k, t, header);
  if (typeof valid === 'number') return valid;
  if (valid.pid !== 0 && valid.pid !== ownTid(t)) return -EPERM;
  const bytes = new Uint8Array(valid.words * 12);
  if (readBytes(k, t, data, bytes) < 0) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const sets = [0, 4, 8].map((field) =>
    [0, 1].map((i) => (i < valid.words ? (view.getUint32(i * 12 + field, true) & (i === 1 ? 0x1ff : ~0)) >>> 0 : 0)),
  );
  return changeCapabilities(t, sets[0], sets[1], sets[2]);
}

/** cap_capset. */
function changeCapabilities(t: Task, effective: number[], permitted: number[], inheritable: number[]): number {
  const { cred } = t;
  const isCapped = !capableHere(cred, CAP_SETPCAP);
  if (isCapped && !isSubset(inheritable, combine(cred.capInheritable, cred.capPermitted))) return -EPERM;
  if (!isSubset(inheritable, combine(cred.capInheritable, cred.capBounding))) return -EPERM;
  if (!isSubset(permitted, cred.capPermitted) || !isSubset(effective, permitted)) return -EPERM;
  const old = cred.clone();
  cred.capEffective = effective;
  cred.capPermitted = permitted;
  cred.capInheritable = inheritable;
  cred.capAmbient = intersect(cred.capAmbient, intersect(permitted, inheritable));
  afterCredentialsChange(t, old);
  return 0;
}

const isValid = (capability: number): boolean => capability >= 0 && capability <= CAP_LAST_CAP;

function setBit(set: number[], capability: number, bit: 0 | 1): void {
  const mask = 1 << (capability & 31);
  const word = set[capability >>> 5];
  set[capability >>> 5] = (bit === 1 ? word | mask : word & ~mask) >>> 0;
}

/** cap_prctl_drop. */
function dropBounding(cred: Credentials, capability: number): number {
  if (!capableHere(cred, CAP_SETPCAP)) return -EPERM;
  if (!isValid(capability)) return -EINVAL;
  setBit(cred.capBounding, capability, 0);
  return 0;
}

function setSecurebits(cred: Credentials, bits: number): number {
  const old = cred.securebits;
  const locked = (old & SECURE_ALL_LOCKS) >> 1;
  if ((locked & (old ^ bits)) !== 0 || (old & SECURE_ALL_LOCKS & ~bits) !== 0) return -EPERM;
  if (bits > 0xff || (bits & ~(SECURE_ALL_LOCKS | SECURE_ALL_BITS)) !== 0 || !capableHere(cred, CAP_SETPCAP))
    return -EPERM;
  cred.securebits = bits;
  return 0;
}

function setKeepCaps(cred: Credentials, value: number): number {
  if (value > 1) return -EINVAL;
  if ((cred.securebits & SECURE_KEEP_CAPS_LOCKED) !== 0) return -EPERM;
  cred.securebits = value === 1 ? cred.securebits | SECURE_KEEP_CAPS : cred.securebits & ~SECURE_KEEP_CAPS;
  return 0;
}

function changeAmbient(cred: Credentials, what: number, capability: number, a4: number, a5: number): number {
  if (what === PR_CAP_AMBIENT_CLEAR_ALL) {
    if (capability !== 0 || a4 !== 0 || a5 !== 0) return -EINVAL;
    cred.capAmbient = [0, 0];
    return 0;
  }
  if (!isValid(capability) || a4 !== 0 || a5 !== 0) return -EINVAL;
  if (what === PR_CAP_AMBIENT_IS_SET) return hasCapability(cred.capAmbient, capability) ? 1 : 0;
  if (what !== PR_CAP_AMBIENT_RAISE && what !== PR_CAP_AMBIENT_LOWER) return -EINVAL;
  if (what === PR_CAP_AMBIENT_RAISE) {
    const may = hasCapability(cred.capPermitted, capability) && hasCapability(cred.capInheritable, capability);
    if (!may || (cred.securebits & SECURE_NO_CAP_AMBIENT_RAISE) !== 0) return -EPERM;
  }
  setBit(cred.capAmbient, capability, what === PR_CAP_AMBIENT_RAISE ? 1 : 0);
  return 0;
}

/** cap_task_prctl: null for an option that is not about capabilities. */
export function capabilityPrctl(t: Task, option: number, args: readonly number[]): number | null {
  const { cred } = t;
  const [a2, a3, a4, a5] = args;
  switch (option) {
    case PR_CAPBSET_READ:
      return isValid(a2) ? (hasCapability(cred.capBounding, a2) ? 1 : 0) : -EINVAL;
    case PR_CAPBSET_DROP:
      return dropBounding(cred, a2);
    case PR_SET_SECUREBITS:
      return setSecurebits(cred, a2);
    case PR_GET_SECUREBITS:
      return cred.securebits;
    case PR_GET_KEEPCAPS:
      return (cred.securebits & SECURE_KEEP_CAPS) !== 0 ? 1 : 0;
    case PR_SET_KEEPCAPS:
      return setKeepCaps(cred, a2);
    case PR_CAP_AMBIENT:
      return changeAmbient(cred, a2, a3, a4, a5);
    default:
      return null;
  }
}

export const capabilityCalls: readonly SyscallRow[] = [
  { name: 'capget', args: ['ptr', 'ptr'], run: capget, support: 'full', note: '' },
  { name: 'capset', args: ['ptr', 'ptr'], run: capset, support: 'full', note: '' },
];
