import { EINVAL, EPERM } from '../../abi/errno.ts';
import type { SyscallRow, SyscallRun } from './row.ts';
import { spaceOf } from './user.ts';

/** MEMBARRIER_CMD_* (include/uapi/linux/membarrier.h, 6.18); those for restartable sequences come with rseq. */
const QUERY = 0;
const GLOBAL = 1 << 0;
const GLOBAL_EXPEDITED = 1 << 1;
const REGISTER_GLOBAL_EXPEDITED = 1 << 2;
const PRIVATE_EXPEDITED = 1 << 3;
const REGISTER_PRIVATE_EXPEDITED = 1 << 4;
const PRIVATE_EXPEDITED_SYNC_CORE = 1 << 5;
const REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 1 << 6;
const GET_REGISTRATIONS = 1 << 9;
const ALL =
  GLOBAL |
  GLOBAL_EXPEDITED |
  REGISTER_GLOBAL_EXPEDITED |
  PRIVATE_EXPEDITED |
  REGISTER_PRIVATE_EXPEDITED |
  PRIVATE_EXPEDITED_SYNC_CORE |
  REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |
  GET_REGISTRATIONS;

/**
 * membarrier(2) (kernel/sched/membarrier.c). There is one CPU, which runs one task at a time and sees its own stores in order, and
 * new code at once: every barrier holds already. What is left are the registrations, which an address space has (fork keeps them,
 * exec starts anew).
 */
const membarrier: SyscallRun = (_k, t, command, flags) => {
  if (flags !== 0) return -EINVAL;
  const space = spaceOf(t);
  switch (command) {
    case QUERY:
      return ALL;
    case GLOBAL:
    case GLOBAL_EXPEDITED:
      return 0;
    case REGISTER_GLOBAL_EXPEDITED:
    case REGISTER_PRIVATE_EXPEDITED:
    case REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
      space.barriersReady |= command;
      return 0;
    case PRIVATE_EXPEDITED:
      return (space.barriersReady & REGISTER_PRIVATE_EXPEDITED) !== 0 ? 0 : -EPERM;
    case PRIVATE_EXPEDITED_SYNC_CORE:
      return (space.barriersReady & REGISTER_PRIVATE_EXPEDITED_SYNC_CORE) !== 0 ? 0 : -EPERM;
    case GET_REGISTRATIONS: {
      // Who asks for the one of cores is taken to want the plain one too, though only that has been made ready.
      const ready = space.barriersReady;
      return (ready & REGISTER_PRIVATE_EXPEDITED_SYNC_CORE) !== 0 ? ready | REGISTER_PRIVATE_EXPEDITED : ready;
    }
    default:
      return -EINVAL;
  }
};

export const membarrierCalls: readonly SyscallRow[] = [
  { name: 'membarrier', args: ['int', 'uint', 'int'], run: membarrier, support: 'full', note: '' },
];
