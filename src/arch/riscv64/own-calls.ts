import { EFAULT, EINVAL } from '../../abi/errno.ts';
import type { ArchCall, UserMemory } from '../arch.ts';

/** RISCV_HWPROBE_KEY_* to value (include/uapi/asm/hwprobe.h, Documentation/arch/riscv/hwprobe.rst); others are unknown: key -1. */
const HWPROBE: ReadonlyMap<number, readonly [low: number, high: number]> = new Map([
  [0, [0, 0]], // MVENDORID, MARCHID, MIMPID: a machine of nobody's make
  [1, [0, 0]],
  [2, [0, 0]],
  [3, [1, 0]], // BASE_BEHAVIOR: IMA
  [4, [0x0800_00bb, 0]], // IMA_EXT_0: FD, C, Zba, Zbb, Zbs, Zbc, Zfh
  [5, [3, 0]], // CPUPERF_0: misaligned accesses are fast
  [6, [0, 0]], // ZICBOZ_BLOCK_SIZE
  [8, [1_000_000_000, 0]], // TIME_CSR_FREQ: rdtime counts ns
  [9, [3, 0]], // MISALIGNED_SCALAR_PERF: fast
  [10, [4, 0]], // MISALIGNED_VECTOR_PERF: unsupported
]);
const RISCV_HWPROBE_KEY_HIGHEST_VIRT_ADDRESS = 7;
const RISCV_HWPROBE_WHICH_CPUS = 1;
const MAX_PAIRS = 65536;

/** Every key that has a value. */
export const KNOWN_KEYS: readonly number[] = [...HWPROBE.keys(), RISCV_HWPROBE_KEY_HIGHEST_VIRT_ADDRESS];

/** A key's value as two words; undefined: no such key. */
export function hwprobeValues(key: number, taskBytes: number): readonly [low: number, high: number] | undefined {
  // user_max_virt_addr (6.18): STACK_TOP_MAX, the first byte above user space.
  if (key === RISCV_HWPROBE_KEY_HIGHEST_VIRT_ADDRESS) return [taskBytes % 2 ** 32, Math.floor(taskBytes / 2 ** 32)];
  return HWPROBE.get(key);
}

/** One CPU: number 0. A cpu set that does not hold it is -EINVAL. */
function hwprobe(
  taskBytes: number,
  memory: UserMemory,
  [pairs, count, cpuBytes, cpus, flags]: readonly number[],
): number {
  if (flags > RISCV_HWPROBE_WHICH_CPUS || (flags === RISCV_HWPROBE_WHICH_CPUS && cpus === 0)) return -EINVAL;
  if (cpus !== 0 && cpuBytes > 0) {
    const first = new Uint8Array(1);
    if (!memory.read(cpus, first)) return -EFAULT;
    if ((first[0] & 1) === 0 && flags === 0) return -EINVAL;
  } else if (cpus !== 0) return -EINVAL;
  if (count > MAX_PAIRS) return -EFAULT;
  const bytes = new Uint8Array(count * 16);
  if (!memory.read(pairs, bytes)) return -EFAULT;
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 16) {
    const key = view.getUint32(at + 4, true) === 0 ? view.getUint32(at, true) : -1;
    const value = hwprobeValues(key, taskBytes);
    if (value === undefined) {
      view.setUint32(at, 0xffff_ffff, true);
      view.setUint32(at + 4, 0xffff_ffff, true);
    }
    view.setUint32(at + 8, value?.[0] ?? 0, true);
    view.setUint32(at + 12, value?.[1] ?? 0, true);
  }
  return memory.write(pairs, bytes) ? 0 : -EFAULT;
}

/** Calls that riscv64 alone has, for a machine whose user space has `taskBytes`. */
export function riscv64Calls(taskBytes: number): readonly ArchCall[] {
  return [
    {
      name: 'riscv_hwprobe',
      args: ['ptr', 'size', 'size', 'ptr', 'uint'],
      run: (memory, args) => hwprobe(taskBytes, memory, args),
      support: 'full',
      note: '',
    },
    {
      name: 'riscv_flush_icache',
      args: ['ptr', 'ptr', 'ulong'],
      run: (_memory, [, , flags]) => (flags > 1 ? -EINVAL : 0),
      support: 'full',
      note: 'the machine drops decoded code at each write to it',
    },
  ];
}
