import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The library of ES2023 does not have it; Node 20 does. */
const ResizableBuffer = ArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => ArrayBuffer;

/**
 * A file in memory that goes back to the host when nobody uses it any more, and leaves no trace: buffers that can grow have pages of their
 * own. Others come from malloc, and when glibc's is given back a block of N bytes, it takes blocks of that size for common ones, and from
 * then on lets every thread keep 2 N bytes that it does not use (mallopt(3), M_TRIM_THRESHOLD). Of 3 MB for a script that makes 6 MB for each
 * thread on which V8 compiles.
 */
export function readApart(file: string): Buffer {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    const bytes = Buffer.from(new ResizableBuffer(size, { maxByteLength: size }));
    let end = 0;
    while (end < size) {
      const read = readSync(fd, bytes, end, size - end, null);
      if (read === 0) throw new Error(`${file}: shorter than it was`);
      end += read;
    }
    return bytes;
  } finally {
    closeSync(fd);
  }
}
