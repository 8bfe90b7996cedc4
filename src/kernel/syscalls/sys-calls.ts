import { attributeCalls } from './attributes.ts';
import { descriptorCalls } from './descriptor.ts';
import { fileCalls } from './file.ts';
import { fileAdviceCalls } from './file-advice.ts';
import { fileSizeCalls } from './file-size.ts';
import { folderCalls } from './folder.ts';
import { memoryCalls } from './memory.ts';
import { miscCalls } from './misc.ts';
import { pathCalls } from './path.ts';
import { pollCalls } from './poll.ts';
import type { SyscallRow } from './row.ts';
import { socketCalls } from './socket.ts';
import { socketBatchCalls } from './socket-batch.ts';
import { spliceCalls } from './splice.ts';
import { statCalls } from './stat.ts';

/** Every call on files, memory and the machine itself; syscalls/table.ts joins them with those on tasks. */
export const sysCalls: readonly SyscallRow[] = [
  ...fileCalls,
  ...pathCalls,
  ...fileSizeCalls,
  ...attributeCalls,
  ...folderCalls,
  ...statCalls,
  ...descriptorCalls,
  ...fileAdviceCalls,
  ...socketCalls,
  ...socketBatchCalls,
  ...spliceCalls,
  ...pollCalls,
  ...memoryCalls,
  ...miscCalls,
];
