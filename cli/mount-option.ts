import { resolve } from 'node:path';
import { UsageError } from './usage-error.ts';

export type MountMode = 'ro' | 'rw' | 'overlay';

export interface MountOption {
  /** Absolute host path. */
  host: string;
  /** Absolute guest path. */
  guest: string;
  mode: MountMode;
}

const MODES: readonly string[] = ['ro', 'rw', 'overlay'];

/** Reads `HOST[:GUEST][:ro|rw|overlay]`. GUEST is HOST's own absolute path unless given; the mode is overlay unless given. */
export function parseMount(text: string): MountOption {
  const parts = text.split(':');
  const mode = (parts.length > 1 && MODES.includes(parts.at(-1)!) ? parts.pop()! : 'overlay') as MountMode;
  if (parts[0] === '' || parts.length > 2) {
    throw new UsageError(
      `--mount ${text}: write it as HOST, HOST:GUEST, HOST:rw or HOST:GUEST:ro (modes: ${MODES.join(', ')})`,
    );
  }
  const host = resolve(parts[0]);
  const guest = parts[1] ?? host;
  if (!guest.startsWith('/')) throw new UsageError(`--mount ${text}: the guest path ${guest} must start with /`);
  return { host, guest, mode };
}
