import { SocketNames } from '../fs/socket-names.ts';
import type { Kernel } from './kernel.ts';
import { namespaceIno } from './namespace-ino.ts';
import type { UserNamespace } from './user-namespace.ts';

/** PROC_NET_INIT_INO. */
const INITIAL_INO = 0xefff_fff9;

/** net.ipv4.conf.*.tag: a number that means nothing to the kernel. null: as `default` says, until somebody writes it. */
interface InterfaceTags {
  all: number;
  default: number;
  lo: number | null;
}

/**
 * struct net (6.18, net/core/net_namespace.c): the names and ports of its sockets, its one interface and what /proc/sys/net says
 * of it. Nothing outside of the heap belongs to it: whoever has it may forget it.
 */
export class NetNamespace {
  readonly kind = 'net';
  readonly ino: number;
  readonly userNs: UserNamespace;
  readonly sockets: SocketNames;
  readonly tags: InterfaceTags = { all: 0, default: 0, lo: null };

  constructor(sockets: SocketNames, userNs: UserNamespace, ino = INITIAL_INO) {
    this.userNs = userNs;
    this.sockets = sockets;
    this.ino = ino;
  }

  retain(): void {}
  release(_k: Kernel): void {}
}

/** setup_net: with an interface lo that is down. What holds for interfaces comes from the first namespace (inet_init_net). */
export function newNetNamespace(k: Kernel, userNs: UserNamespace): NetNamespace {
  const ns = new NetNamespace(new SocketNames('down', k.initialNet.sockets.byInode), userNs, namespaceIno(k));
  ns.tags.all = k.initialNet.tags.all;
  ns.tags.default = k.initialNet.tags.default;
  return ns;
}

/** The namespace whose files /proc/sys/net shows: the caller's. */
export function currentNet(k: Kernel): NetNamespace {
  return k.current?.net ?? k.initialNet;
}
