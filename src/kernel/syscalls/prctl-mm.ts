import { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from '../../abi/capability.ts';
import { EACCES, EBADF, EBUSY, EFAULT, EINVAL, ENAMETOOLONG, EPERM } from '../../abi/errno.ts';
import {
  PR_GET_AUXV,
  PR_GET_MDWE,
  PR_GET_MEMORY_MERGE,
  PR_MDWE_NO_INHERIT,
  PR_MDWE_REFUSE_EXEC_GAIN,
  PR_SET_MDWE,
  PR_SET_MEMORY_MERGE,
  PR_SET_MM_ARG_END,
  PR_SET_MM_ARG_START,
  PR_SET_MM_AUXV,
  PR_SET_MM_BRK,
  PR_SET_MM_END_CODE,
  PR_SET_MM_END_DATA,
  PR_SET_MM_ENV_END,
  PR_SET_MM_ENV_START,
  PR_SET_MM_EXE_FILE,
  PR_SET_MM_MAP,
  PR_SET_MM_MAP_SIZE,
  PR_SET_MM_START_BRK,
  PR_SET_MM_START_CODE,
  PR_SET_MM_START_DATA,
  PR_SET_MM_START_STACK,
  PR_SET_VMA_ANON_NAME,
  PR_THP_DISABLE_EXCEPT_ADVISED,
} from '../../abi/prctl.ts';
import { PR_GET_THP_DISABLE, PR_SET_MM, PR_SET_THP_DISABLE, PR_SET_VMA } from '../../abi/sched.ts';
import { S_IFMT, S_IFREG } from '../../abi/stat.ts';
import { File } from '../../fs/file.ts';
import { PAGE_SIZE, vaddr, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { setAnonName } from '../../mm/ops/anon-name.ts';
import { setMemoryMerge } from '../../mm/ops/memory-merge.ts';
import { readUserBytes } from '../../mm/user-access.ts';
import { capable } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readBytes, writeBytes, writeI32s } from '../user-structs.ts';
import { fileAt, spaceOf } from './user.ts';

type Words = readonly [a1: number, a2: number, a3: number, a4: number];

/** The options of prctl(2) about an address space (Linux 6.18, kernel/sys.c); null: not one of them. */
export function mmPrctl(k: Kernel, t: Task, option: number, [a1, a2, a3, a4]: Words): number | null {
  const space = spaceOf(t);
  const rest = a2 !== 0 || a3 !== 0 || a4 !== 0;
  switch (option) {
    case PR_SET_MM:
      return setMm(k, t, a1, a2, a3, a4);
    case PR_GET_AUXV:
      return a3 !== 0 || a4 !== 0 ? -EINVAL : getAuxv(k, t, a1, a2);
    case PR_SET_VMA:
      return a1 === PR_SET_VMA_ANON_NAME ? nameMemory(k, t, a2, a3, a4) : -EINVAL;
    case PR_SET_THP_DISABLE:
      if (a3 !== 0 || a4 !== 0) return -EINVAL;
      if ((a1 === 0 && a2 !== 0) || (a2 !== 0 && a2 !== PR_THP_DISABLE_EXCEPT_ADVISED)) return -EINVAL;
      space.thpDisable = a1 === 0 ? 'no' : a2 === 0 ? 'completely' : 'exceptAdvised';
      return 0;
    case PR_GET_THP_DISABLE:
      if (a1 !== 0 || rest) return -EINVAL;
      if (space.thpDisable === 'no') return 0;
      return space.thpDisable === 'completely' ? 1 : 1 | PR_THP_DISABLE_EXCEPT_ADVISED;
    case PR_SET_MEMORY_MERGE:
      if (rest) return -EINVAL;
      return setMemoryMerge(k.mm, space, a1 !== 0 ? 'any' : 'advised');
    case PR_GET_MEMORY_MERGE:
      return a1 !== 0 || rest ? -EINVAL : space.memoryMerge === 'any' ? 1 : 0;
    case PR_SET_MDWE:
      return rest ? -EINVAL : setMdwe(space, a1);
    case PR_GET_MDWE:
      return a1 !== 0 || rest ? -EINVAL : mdweBits(space);
    default:
      return null;
  }
}

function mdweBits(space: AddressSpace): number {
  if (space.denyWriteExec === 'no') return 0;
  return PR_MDWE_REFUSE_EXEC_GAIN | (space.denyWriteExec === 'own' ? PR_MDWE_NO_INHERIT : 0);
}

/** prctl_set_mdwe: once set, never changed. */
function setMdwe(space: AddressSpace, bits: number): number {
  if (bits > (PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT) || bits === PR_MDWE_NO_INHERIT) return -EINVAL;
  if (space.denyWriteExec !== 'no' && bits !== mdweBits(space)) return -EPERM;
  if (bits !== 0) space.denyWriteExec = (bits & PR_MDWE_NO_INHERIT) !== 0 ? 'own' : 'inherited';
  return 0;
}

/** ANON_VMA_NAME_MAX_LEN, NUL included. */
const ANON_NAME_BYTES = 80;

/** prctl_set_vma: printable ASCII without \ ` $ [ and ]. */
function nameMemory(k: Kernel, t: Task, address: number, length: number, nameAt: number): number {
  const space = spaceOf(t);
  if (nameAt === 0) return setAnonName(k.mm, space, address, length, null);
  const bytes = readUserBytes(k.mm, space, nameAt, ANON_NAME_BYTES);
  if (typeof bytes === 'number') return bytes === -ENAMETOOLONG ? -EINVAL : -EFAULT;
  const name = String.fromCharCode(...bytes);
  if (/[^ -~]|[\\`$[\]]/.test(name)) return -EINVAL;
  return setAnonName(k.mm, space, address, length, name);
}

/** sizeof(mm->saved_auxv): AT_VECTOR_SIZE_BASE 22, riscv's AT_VECTOR_SIZE_ARCH 10, AT_NULL; two words each. */
function auxvBytes(k: Kernel): number {
  return (22 + 10 + 1) * 2 * k.arch.wordBytes;
}

/** saved_auxv as it is: zeroes behind what exec put there. */
function savedAuxv(k: Kernel, space: AddressSpace): Uint8Array {
  const bytes = new Uint8Array(auxvBytes(k));
  bytes.set(space.auxv.subarray(0, bytes.length));
  return bytes;
}

/** prctl_get_auxv. */
function getAuxv(k: Kernel, t: Task, address: number, length: number): number {
  const saved = savedAuxv(k, spaceOf(t));
  const written = writeBytes(k, t, address, saved.subarray(0, Math.min(length, saved.length)));
  return written < 0 ? -EFAULT : saved.length;
}

/** /proc/PID/auxv ends behind the first AT_NULL. */
function trimAuxv(k: Kernel, saved: Uint8Array): Uint8Array {
  const entry = 2 * k.arch.wordBytes;
  for (let at = 0; at < saved.length; at += entry)
    if (saved.subarray(at, at + k.arch.wordBytes).every((byte) => byte === 0)) return saved.slice(0, at + entry);
  return saved;
}

/** struct prctl_mm_map's addresses, in its order; the same order as PR_SET_MM_* but for the end of the first six. */
const FIELDS = [
  'startCode',
  'endCode',
  'startData',
  'endData',
  'startBrk',
  'brk',
  'startStack',
  'argStart',
  'argEnd',
  'envStart',
  'envEnd',
] as const;
type Field = (typeof FIELDS)[number];
type MmMap = Record<Field, number>;

const FIELD_OF = new Map<number, Field>([
  [PR_SET_MM_START_CODE, 'startCode'],
  [PR_SET_MM_END_CODE, 'endCode'],
  [PR_SET_MM_START_DATA, 'startData'],
  [PR_SET_MM_END_DATA, 'endData'],
  [PR_SET_MM_START_STACK, 'startStack'],
  [PR_SET_MM_START_BRK, 'startBrk'],
  [PR_SET_MM_BRK, 'brk'],
  [PR_SET_MM_ARG_START, 'argStart'],
  [PR_SET_MM_ARG_END, 'argEnd'],
  [PR_SET_MM_ENV_START, 'envStart'],
  [PR_SET_MM_ENV_END, 'envEnd'],
]);
/** Those that must lie below the end of some mapping. */
const NEED_VMA: readonly Field[] = ['startStack', 'argStart', 'argEnd', 'envStart', 'envEnd'];
/** sizeof(struct prctl_mm_map): eleven addresses, auxv, auxv_size, exe_fd. */
const MM_MAP_BYTES = 104;
const NO_FD = 0xffff_ffff;

/** prctl_set_mm. */
function setMm(k: Kernel, t: Task, option: number, address: number, a3: number, a4: number): number {
  const takesLength = option === PR_SET_MM_AUXV || option === PR_SET_MM_MAP || option === PR_SET_MM_MAP_SIZE;
  if (a4 !== 0 || (a3 !== 0 && !takesLength)) return -EINVAL;
  if (option === PR_SET_MM_MAP_SIZE) return writeI32s(k, t, address, [MM_MAP_BYTES]);
  if (option === PR_SET_MM_MAP) return setMmMap(k, t, address, a3);
  if (!capable(t.cred, CAP_SYS_RESOURCE)) return -EPERM;
  const space = spaceOf(t);
  if (option === PR_SET_MM_EXE_FILE) return setExeFile(t, space, address | 0);
  if (option === PR_SET_MM_AUXV) return setAuxv(k, t, address, a3);
  if (!isUserAddress(k, space, address)) return -EINVAL;
  const field = FIELD_OF.get(option);
  if (field === undefined) return -EINVAL;
  const map = { ...currentMap(space), [field]: address };
  const valid = validateMap(k, space, map);
  if (valid !== 0) return valid;
  if (NEED_VMA.includes(field) && space.vmas.find(vpn(Math.floor(address / PAGE_SIZE))) === null) return -EFAULT;
  space[field] = vaddr(address);
  return 0;
}

function mapOf(value: (field: Field, i: number) => number): MmMap {
  return Object.fromEntries(FIELDS.map((field, i) => [field, value(field, i)])) as MmMap;
}

function currentMap(space: AddressSpace): MmMap {
  return mapOf((field) => space[field]);
}

function isUserAddress(k: Kernel, space: AddressSpace, address: number): boolean {
  return address < space.taskSize * PAGE_SIZE && address >= k.mm.config.mmapMinAddrBytes;
}

/** validate_prctl_map_addr. */
function validateMap(k: Kernel, space: AddressSpace, map: MmMap): number {
  if (!FIELDS.every((field) => isUserAddress(k, space, map[field]))) return -EINVAL;
  const ordered =
    map.startCode < map.endCode &&
    map.startData <= map.endData &&
    map.startBrk <= map.brk &&
    map.argStart <= map.argEnd &&
    map.envStart <= map.envEnd;
  if (!ordered) return -EINVAL;
  const dataBytes = map.brk - map.startBrk + (map.endData - map.startData);
  return dataBytes > space.limits.dataBytes ? -EINVAL : 0;
}

/** prctl_set_mm_map: all of it at once. */
function setMmMap(k: Kernel, t: Task, address: number, lengthBytes: number): number {
  if (lengthBytes !== MM_MAP_BYTES) return -EINVAL;
  const bytes = new Uint8Array(MM_MAP_BYTES);
  if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const word = (i: number): number => view.getUint32(i * 8, true) + view.getUint32(i * 8 + 4, true) * 2 ** 32;
  const map = mapOf((_, i) => word(i));
  const space = spaceOf(t);
  const valid = validateMap(k, space, map);
  if (valid !== 0) return valid;
  const auxvAt = word(FIELDS.length);
  const auxvSize = view.getUint32(96, true);
  const exeFd = view.getUint32(100, true);
  const auxv = new Uint8Array(auxvBytes(k));
  if (auxvSize !== 0) {
    if (auxvAt === 0 || auxvSize > auxv.length) return -EINVAL;
    if (readBytes(k, t, auxvAt, auxv.subarray(0, auxvSize)) < 0) return -EFAULT;
    auxv.fill(0, auxv.length - 2 * k.arch.wordBytes);
  }
  if (exeFd !== NO_FD) {
    if (!capable(t.cred, CAP_CHECKPOINT_RESTORE) && !capable(t.cred, CAP_SYS_ADMIN)) return -EPERM;
    const result = setExeFile(t, space, exeFd | 0);
    if (result !== 0) return result;
  }
  for (const field of FIELDS) space[field] = vaddr(map[field]);
  if (auxvSize !== 0) space.auxv = trimAuxv(k, auxv);
  return 0;
}

/** prctl_set_auxv: the first `length` bytes; what is behind them stays. */
function setAuxv(k: Kernel, t: Task, address: number, length: number): number {
  const space = spaceOf(t);
  const fresh = new Uint8Array(auxvBytes(k));
  if (length > fresh.length) return -EINVAL;
  if (readBytes(k, t, address, fresh.subarray(0, length)) < 0) return -EFAULT;
  fresh.fill(0, fresh.length - 2 * k.arch.wordBytes);
  const saved = savedAuxv(k, space);
  saved.set(fresh.subarray(0, length));
  space.auxv = trimAuxv(k, saved);
  return 0;
}

/** prctl_set_mm_exe_file, replace_mm_exe_file: not while the old one is mapped. */
function setExeFile(t: Task, space: AddressSpace, fd: number): number {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return -EBADF;
  const { inode } = file.path;
  if ((inode.mode & S_IFMT) !== S_IFREG || file.noExec || (inode.mode & 0o111) === 0) return -EACCES;
  const old = space.exeFile;
  if (old instanceof File) {
    for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) {
      const mapped = vma.file;
      if (mapped instanceof File && mapped.path.dentry === old.path.dentry && mapped.path.mount === old.path.mount)
        return -EBUSY;
    }
  }
  if (inode.writeCount > 0) return -EACCES;
  file.retain();
  space.exeFile = file;
  old?.release();
  return 0;
}
