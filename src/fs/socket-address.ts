import { EAFNOSUPPORT, EINVAL } from '../abi/errno.ts';
import { AF_INET, AF_UNIX } from '../abi/socket.ts';
import { decodeUtf8, encodeUtf8 } from '../base/utf8.ts';

/** struct sockaddr of the two families that are here, from bytes and back. Ports and hosts are numbers in host order. */

/** `name`: a path, '\0' and an abstract name (bytes as they are, in surrogateescape), or '' for none. */
export interface UnixAddress {
  readonly family: typeof AF_UNIX;
  readonly name: string;
}
export interface InetAddress {
  readonly family: typeof AF_INET;
  readonly host: number;
  readonly port: number;
}
export type SocketAddress = UnixAddress | InetAddress;

const UNIX_PATH_MAX = 108;
const SOCKADDR_IN_BYTES = 16;
export const UNNAMED: UnixAddress = { family: AF_UNIX, name: '' };

/** unix_validate_addr, unix_mkname_bsd: -EINVAL for a length or family that is none. */
export function decodeUnix(bytes: Uint8Array): UnixAddress | number {
  if (bytes.length < 2 || bytes.length > 2 + UNIX_PATH_MAX) return -EINVAL;
  if ((bytes[0] | (bytes[1] << 8)) !== AF_UNIX) return -EINVAL;
  if (bytes.length === 2) return UNNAMED;
  const name = bytes.subarray(2);
  if (name[0] === 0) return { family: AF_UNIX, name: decodeUtf8(name) };
  const end = name.indexOf(0);
  return { family: AF_UNIX, name: decodeUtf8(end < 0 ? name : name.subarray(0, end)) };
}

/** inet_bind and inet_stream_connect: -EINVAL if short, -EAFNOSUPPORT for another family. */
export function decodeInet(bytes: Uint8Array): InetAddress | number {
  if (bytes.length < SOCKADDR_IN_BYTES) return -EINVAL;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint16(0, true) !== AF_INET) return -EAFNOSUPPORT;
  return { family: AF_INET, port: view.getUint16(2), host: view.getUint32(4) };
}

export function encodeAddress(address: SocketAddress): Uint8Array {
  if (address.family === AF_INET) {
    const bytes = new Uint8Array(SOCKADDR_IN_BYTES);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, AF_INET, true);
    view.setUint16(2, address.port);
    view.setUint32(4, address.host);
    return bytes;
  }
  const { name } = address;
  const isPath = name !== '' && !name.startsWith('\0');
  const text = encodeUtf8(name);
  const bytes = new Uint8Array(2 + text.length + (isPath ? 1 : 0));
  bytes[0] = AF_UNIX;
  bytes.set(text, 2);
  return bytes;
}
