import { EFAULT, EINVAL, ENOTSOCK } from '../../abi/errno.ts';
import { SocketFile } from '../../fs/socket.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readBytes, writeBytes, writeI32s } from '../user-structs.ts';
import { fileAt } from './user.ts';

/** Descriptors to sockets, and struct sockaddr in and out of user memory (net/socket.c). */

/** sizeof(struct sockaddr_storage). */
export const SOCKADDR_MAX = 128;

export function socketAt(t: Task, fd: number): SocketFile | number {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  return file instanceof SocketFile ? file : -ENOTSOCK;
}

/** move_addr_to_kernel: -EINVAL for a length that no address has, -EFAULT. */
export function readAddress(k: Kernel, t: Task, address: number, lengthBytes: number): Uint8Array | number {
  if (lengthBytes < 0 || lengthBytes > SOCKADDR_MAX) return -EINVAL;
  const bytes = new Uint8Array(lengthBytes);
  return readBytes(k, t, address, bytes) < 0 ? -EFAULT : bytes;
}

/** The int at `lengthAddress`: room for a result; -EINVAL, -EFAULT. */
export function readRoom(k: Kernel, t: Task, lengthAddress: number): number {
  const given = new Uint8Array(4);
  if (readBytes(k, t, lengthAddress, given) < 0) return -EFAULT;
  const room = new DataView(given.buffer).getInt32(0, true);
  return room < 0 ? -EINVAL : room;
}

/** move_addr_to_user: as much as the room at `lengthAddress` says, and there the whole length. */
export function writeAddress(k: Kernel, t: Task, from: Uint8Array, address: number, lengthAddress: number): number {
  const room = readRoom(k, t, lengthAddress);
  if (room < 0) return room;
  if (room > 0 && writeBytes(k, t, address, from.subarray(0, room)) < 0) return -EFAULT;
  return writeI32s(k, t, lengthAddress, [from.length]);
}
