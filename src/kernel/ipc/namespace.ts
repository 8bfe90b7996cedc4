import { ShmNamespace } from './shm.ts';

/** The IPC namespace of the run: there is one, and nobody else's objects are in it. */
export class IpcNamespace {
  readonly shm = new ShmNamespace();
}
