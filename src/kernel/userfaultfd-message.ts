import {
  UFFD_API_IOCTLS_HIGH,
  UFFD_API_IOCTLS_LOW,
  UFFD_API_RANGE_IOCTLS,
  UFFD_EVENT_FORK,
  UFFD_FEATURE_THREAD_ID,
  UFFD_MSG_BYTES,
} from '../abi/userfaultfd.ts';
import type { UffdContext, UffdMessage } from '../mm/uffd/context.ts';

/** The calls as fdinfo shows them: UFFD_API_IOCTLS | UFFD_API_RANGE_IOCTLS. */
export const UFFD_FDINFO_CALLS =
  UFFD_API_IOCTLS_HIGH.toString(16) + (UFFD_API_IOCTLS_LOW | UFFD_API_RANGE_IOCTLS).toString(16).padStart(8, '0');

/** struct uffd_msg. `fd` is the descriptor of a FORK event. */
export function encodeMessage(context: UffdContext, message: UffdMessage, fd: number): Uint8Array {
  const bytes = new Uint8Array(UFFD_MSG_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = message.event;
  if ('fault' in message) {
    const { flags, address, tid } = message.fault;
    put(view, 8, flags);
    put(view, 16, address);
    if (context.has(UFFD_FEATURE_THREAD_ID)) view.setUint32(24, tid, true);
  } else if (message.event === UFFD_EVENT_FORK) view.setUint32(8, fd, true);
  else for (const [i, word] of message.words.entries()) put(view, 8 + i * 8, word);
  return bytes;
}

function put(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}
