import type { UserNamespace } from '../user-namespace.ts';
import type { GivenPerm, IpcPerm } from './ipc-ids.ts';

/**
 * The structures of System V IPC in the asm-generic layout (include/uapi/asm-generic/{ipcbuf,shmbuf,sembuf,msgbuf}.h), whose
 * longs are words of the architecture. Filled from the front.
 */
export class WordWriter {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly wordBytes: 4 | 8;
  private at = 0;

  constructor(sizeBytes: number, wordBytes: 4 | 8) {
    this.bytes = new Uint8Array(sizeBytes);
    this.view = new DataView(this.bytes.buffer);
    this.wordBytes = wordBytes;
  }

  int(...values: number[]): this {
    for (const value of values) {
      this.view.setUint32(this.at, value >>> 0, true);
      this.at += 4;
    }
    return this;
  }

  short(...values: number[]): this {
    for (const value of values) {
      this.view.setUint16(this.at, value, true);
      this.at += 2;
    }
    return this;
  }

  long(...values: (number | bigint)[]): this {
    const { wordBytes } = this;
    this.at = Math.ceil(this.at / wordBytes) * wordBytes;
    for (const value of values) {
      if (wordBytes === 8) this.view.setBigUint64(this.at, BigInt.asUintN(64, BigInt(value)), true);
      else this.view.setUint32(this.at, Number(BigInt.asUintN(32, BigInt(value))), true);
      this.at += wordBytes;
    }
    return this;
  }

  /** struct ipc64_perm, as tasks of a user namespace see it. */
  perm(perm: IpcPerm, { uids, gids }: UserNamespace): this {
    const ids = [uids.show(perm.uid), gids.show(perm.gid), uids.show(perm.cuid), gids.show(perm.cgid)];
    return this.int(perm.key, ...ids, perm.mode)
      .short(perm.seq, 0)
      .long(0, 0);
  }
}

/** sizeof(struct ipc64_perm). */
export const permBytes = (wordBytes: 4 | 8): number => 28 + (wordBytes === 8 ? 20 : 8);

/** What IPC_SET takes of ipc64_perm. */
export function decodePerm(bytes: Uint8Array): GivenPerm {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { uid: view.getUint32(4, true), gid: view.getUint32(8, true), mode: view.getUint32(20, true) };
}
