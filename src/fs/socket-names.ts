import { EADDRINUSE } from '../abi/errno.ts';
import { INADDR_ANY } from '../abi/socket.ts';
import type { Inode } from './inode.ts';
import type { SocketFile } from './socket.ts';
import type { InetAddress } from './socket-address.ts';

/** net.ipv4.ip_local_port_range. */
const FIRST_EPHEMERAL = 32_768;
const LAST_EPHEMERAL = 60_999;

/**
 * Which socket of a network namespace has which name: paths (by inode), abstract names, ports of its one interface, lo. Nothing of it is
 * ever seen by the host's network.
 *
 * Invariants:
 *  SN1 A socket is in here from bind (or the first use that binds it) to its last release.
 *  SN2 A connection that was accepted has its listener's port and is not in here.
 *
 * A closed connection leaves its port at once: there is no TIME_WAIT.
 */
export class SocketNames {
  readonly byInode: Map<Inode, SocketFile>;
  /** lo; nothing here brings up one that is down. */
  readonly loopback: 'up' | 'down';
  /** By type and name: each type has names of its own (unix_abstract_hash). */
  readonly abstract = new Map<string, SocketFile>();
  private readonly ports = new Map<string, SocketFile[]>();
  private lastAutobind = 0;
  private lastEphemeral = FIRST_EPHEMERAL - 1;

  /** `byInode`: that of the first namespace, since paths mean the same in all. */
  constructor(loopback: 'up' | 'down' = 'up', byInode = new Map<Inode, SocketFile>()) {
    this.loopback = loopback;
    this.byInode = byInode;
  }

  /** unix_autobind: five hexadecimal digits. */
  takeAbstractName(type: string): string {
    for (;;) {
      this.lastAutobind = (this.lastAutobind + 1) % 0x10_0000;
      const name = `\0${this.lastAutobind.toString(16).padStart(5, '0')}`;
      if (!this.abstract.has(`${type}${name}`)) return name;
    }
  }

  /** inet_csk_get_port, udp_lib_get_port: the address with a port (an ephemeral one for 0), or -EADDRINUSE. */
  bindPort(socket: SocketFile, wanted: InetAddress): InetAddress | number {
    if (wanted.port !== 0) {
      if (this.isTaken(socket, wanted)) return -EADDRINUSE;
      this.listOf(socket, wanted.port).push(socket);
      return wanted;
    }
    for (let tries = FIRST_EPHEMERAL; tries <= LAST_EPHEMERAL; tries++) {
      this.lastEphemeral = this.lastEphemeral >= LAST_EPHEMERAL ? FIRST_EPHEMERAL : this.lastEphemeral + 1;
      const address = { ...wanted, port: this.lastEphemeral };
      if (this.listOf(socket, address.port).length > 0) continue;
      this.listOf(socket, address.port).push(socket);
      return address;
    }
    return -EADDRINUSE;
  }

  releasePort(socket: SocketFile, address: InetAddress): void {
    const list = this.listOf(socket, address.port);
    const at = list.indexOf(socket);
    if (at >= 0) list.splice(at, 1);
    if (list.length === 0) this.ports.delete(keyOf(socket, address.port));
  }

  /** inet_bind_conflict: may `socket`, bound to a port with others, listen? */
  isListenRefused(socket: SocketFile, address: InetAddress): boolean {
    return this.listOf(socket, address.port).some(
      (other) => other !== socket && other.isListening && overlaps(other, address) && !shareByPort(socket, other),
    );
  }

  /** Who answers at an address: the socket bound most narrowly. `from`: a datagram socket that is connected takes only its peer's. */
  findPort(type: 'stream' | 'dgram', to: InetAddress, from: InetAddress | null): SocketFile | null {
    let best: SocketFile | null = null;
    let bestScore = 0;
    for (const socket of this.ports.get(`${type}:${to.port}`) ?? []) {
      const { address, remoteAddress } = socket;
      if (address.family !== to.family || (address.host !== INADDR_ANY && address.host !== to.host)) continue;
      if (type === 'stream' && !socket.isListening) continue;
      let score = address.host === INADDR_ANY ? 1 : 2;
      if (type === 'dgram' && remoteAddress !== null) {
        if (from === null || remoteAddress.family !== from.family) continue;
        if (remoteAddress.host !== from.host || remoteAddress.port !== from.port) continue;
        score += 2;
      }
      if (score > bestScore) {
        best = socket;
        bestScore = score;
      }
    }
    return best;
  }

  private isTaken(socket: SocketFile, wanted: InetAddress): boolean {
    return this.listOf(socket, wanted.port).some((other) => {
      if (!overlaps(other, wanted) || shareByPort(socket, other)) return false;
      const areReusable = socket.isReuseAddress && other.isReuseAddress;
      return !(areReusable && (socket.type === 'dgram' || !other.isListening));
    });
  }

  private listOf(socket: SocketFile, port: number): SocketFile[] {
    const key = keyOf(socket, port);
    const known = this.ports.get(key);
    if (known !== undefined) return known;
    const list: SocketFile[] = [];
    this.ports.set(key, list);
    return list;
  }
}

const keyOf = (socket: SocketFile, port: number): string => `${socket.type}:${port}`;

const shareByPort = (a: SocketFile, b: SocketFile): boolean => a.isReusePort && b.isReusePort;

function overlaps(other: SocketFile, wanted: InetAddress): boolean {
  const { address } = other;
  if (address.family !== wanted.family) return false;
  return address.host === INADDR_ANY || wanted.host === INADDR_ANY || address.host === wanted.host;
}
