import { EBADF, EBUSY, EFAULT, EINVAL, ESPIPE } from '../../abi/errno.ts';
import { POLLERR, POLLPRI } from '../../abi/poll.ts';
import type { IoSource } from '../../base/io.ts';
import { decodeUtf8 } from '../../base/utf8.ts';
import type { WaitQueue } from '../../base/wait-queue.ts';
import type { PathRef } from '../../fs/path.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import type { Credentials } from '../credentials.ts';
import type { PsiResource } from '../psi/psi-group.ts';
import type { PsiTrigger, TriggerWatcher } from '../psi/psi-trigger.ts';
import { createTrigger, destroyTrigger } from '../psi/psi-watch.ts';
import type { UserNamespace } from '../user-namespace.ts';
import { SeqFile, SeqInode } from './seq-file.ts';

/** A write is looked at so far; its last byte is taken for the end of the text, whatever it is (psi_write). */
const BUFFER_BYTES = 32;

export class PressureInode extends SeqInode {
  protected override makeFile(
    path: PathRef,
    flags: number,
    slot: number,
    space: AddressSpace | null,
    opener: Credentials,
    userNs: UserNamespace,
  ): SeqFile {
    return new PressureFile(path, flags, slot, this, space, opener, userNs);
  }
}

/** An open file of /proc/pressure (6.18, kernel/sched/psi.c psi_write, psi_fop_poll): one trigger each. */
export class PressureFile extends SeqFile implements TriggerWatcher {
  private trigger: PsiTrigger | null = null;
  private readonly queue: WaitQueue = this.core.makeQueue();

  override write(source: IoSource, pos: number | null): number {
    if (!this.writable) return -EBADF;
    if (pos !== null) return -ESPIPE;
    const lengthBytes = source.remaining;
    if (lengthBytes === 0) return -EINVAL;
    const bytes = new Uint8Array(Math.min(lengthBytes, BUFFER_BYTES));
    if (source.take(bytes) < bytes.length) return -EFAULT;
    if (this.trigger !== null) return -EBUSY;
    const { k, row } = this.source;
    const text = decodeUtf8(bytes.subarray(0, bytes.length - 1)).split('\0')[0];
    const resource = row.name as PsiResource;
    const trigger = createTrigger(k, k.cgroups.root.psi, resource, text, this.opener, this);
    if (typeof trigger === 'number') return trigger;
    this.trigger = trigger;
    return lengthBytes;
  }

  override get canPoll(): boolean {
    return true;
  }

  /** psi_trigger_poll: an event is told once. */
  override poll(): number {
    if (this.trigger === null) return super.poll() | POLLERR | POLLPRI;
    return super.poll() | (this.trigger.takeEvent() ? POLLPRI : 0);
  }

  override waitQueues(): readonly WaitQueue[] {
    return [this.queue];
  }

  triggerFired(): void {
    this.queue.wakeAll();
  }

  protected override onLastRelease(): void {
    if (this.trigger !== null) destroyTrigger(this.trigger);
    this.trigger = null;
  }
}
