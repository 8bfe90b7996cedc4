import { MsgNamespace } from './msg.ts';
import { SemNamespace } from './sem.ts';
import { ShmNamespace } from './shm.ts';

/** The IPC namespace of the run: there is one, and nobody else's objects are in it. */
export class IpcNamespace {
  readonly shm = new ShmNamespace();
  readonly sem = new SemNamespace();
  readonly msg = new MsgNamespace();
}
