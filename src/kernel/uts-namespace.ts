import type { Kernel } from './kernel.ts';
import { namespaceIno } from './namespace-ino.ts';
import type { UserNamespace } from './user-namespace.ts';

/** PROC_UTS_INIT_INO. */
const INITIAL_INO = 0xefff_fffe;

/** struct uts_namespace (6.18, kernel/utsname.c): the names of the machine that can be set. */
export class UtsNamespace {
  readonly kind = 'uts';
  readonly ino: number;
  readonly userNs: UserNamespace;
  nodename = 'faultline';
  domainname = '(none)';

  constructor(userNs: UserNamespace, ino = INITIAL_INO) {
    this.userNs = userNs;
    this.ino = ino;
  }

  /** Nothing outside of the heap belongs to it: whoever has it may forget it. */
  retain(): void {}
  release(_k: Kernel): void {}
}

/** clone_uts_ns: with the names of `from`. */
export function newUtsNamespace(k: Kernel, from: UtsNamespace, userNs: UserNamespace): UtsNamespace {
  const ns = new UtsNamespace(userNs, namespaceIno(k));
  ns.nodename = from.nodename;
  ns.domainname = from.domainname;
  return ns;
}

/** The namespace whose names are shown: the caller's. */
export function currentUts(k: Kernel): UtsNamespace {
  return k.current?.uts ?? k.initialUts;
}
