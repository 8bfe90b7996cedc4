const BLOCK = 512;

export interface TarEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder';
  readonly bytes: Uint8Array;
  readonly uid: number;
  readonly gid: number;
}

/** A tar archive (POSIX.1-1988, ustar). No time is in it, so that the same contents are the same bytes. Names of 100 bytes at most. */
export function tarFile(entries: readonly TarEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    parts.push(headerOf(entry), entry.bytes, new Uint8Array((BLOCK - (entry.bytes.length % BLOCK)) % BLOCK));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return Buffer.concat(parts);
}

function headerOf({ name, kind, bytes, uid, gid }: TarEntry): Uint8Array {
  const header = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(name) > 100) throw new RangeError(`tar-file.ts: ${name} is too long a name`);
  const octal = (value: number, at: number, digits: number): void => {
    header.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  };
  header.write(kind === 'folder' ? `${name}/` : name, 0);
  octal(kind === 'folder' ? 0o555 : 0o444, 100, 7);
  octal(uid, 108, 7);
  octal(gid, 116, 7);
  octal(bytes.length, 124, 11);
  octal(0, 136, 11);
  header.write(kind === 'folder' ? '5' : '0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  if (uid === 0) header.write('root', 265, 'latin1');
  if (gid === 0) header.write('root', 297, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}
