import { expect, test } from 'vitest';
import { fc } from '../../test/property.ts';
import * as E from '../abi/errno.ts';
import { O_CREAT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from '../abi/fcntl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from '../abi/poll.ts';
import { S_IFIFO } from '../abi/stat.ts';
import { BufferSink, BufferSource } from '../base/io.ts';
import type { PipeFile } from './pipe.ts';
import { createTestVfs, openOrThrow, readText, type TestVfs, writeText } from './testing/test-vfs.ts';

function pipeOf(t: TestVfs): [PipeFile, PipeFile] {
  const ends = t.vfs.pipe(0);
  if (typeof ends === 'number') throw new Error('no memory');
  return ends as [PipeFile, PipeFile];
}

test('a pipe costs frames, gives them back, and ends', () => {
  const t = createTestVfs();
  const [reader, writer] = pipeOf(t);
  expect(reader.displayPath()).toMatch(/^pipe:\[\d+\]$/);
  expect(readText(reader)).toBe(-E.EAGAIN);
  const before = t.memory.alloc.freeCount;
  expect(writeText(writer, 'x'.repeat(70_000))).toBe(65_536);
  expect(before - t.memory.alloc.freeCount).toBe(16);
  expect(writeText(writer, 'y')).toBe(-E.EAGAIN);
  expect(writer.poll() & POLLOUT).toBe(0);
  expect(readText(reader, 65_536)).toHaveLength(65_536);
  expect(t.memory.alloc.freeCount).toBe(before);
  writer.release();
  expect(reader.poll() & POLLHUP).toBe(POLLHUP);
  expect(readText(reader)).toBe('');
  reader.release();
  expect(t.countLeaks()).toBe(0);
});

test('writing without a reader is EPIPE', () => {
  const t = createTestVfs();
  const [reader, writer] = pipeOf(t);
  reader.release();
  expect(writeText(writer, 'x')).toBe(-E.EPIPE);
  expect(writer.poll() & POLLERR).toBe(POLLERR);
  writer.release();
  expect(t.countLeaks()).toBe(0);
});

test('F_SETPIPE_SZ rounds up and refuses to lose bytes', () => {
  const t = createTestVfs();
  const [reader, writer] = pipeOf(t);
  expect(writer.setPipeSize(5000)).toBe(8192);
  expect(writeText(writer, 'x'.repeat(9000))).toBe(8192);
  expect(writer.setPipeSize(1)).toBe(-E.EBUSY);
  expect(writer.setPipeSize(100_000)).toBe(131_072);
  expect(writer.pipeSizeBytes).toBe(131_072);
  reader.release();
  writer.release();
  expect(t.countLeaks()).toBe(0);
});

test('a FIFO: open waits for the other end', () => {
  const t = createTestVfs();
  expect(t.vfs.mknod(t.context, null, '/fifo', S_IFIFO | 0o600, 0)).toBe(0);
  expect(t.vfs.open(t.context, null, '/fifo', O_WRONLY | O_NONBLOCK, 0)).toBe(-E.ENXIO);
  const reader = openOrThrow(t, '/fifo', O_RDONLY);
  expect(reader.isOpenReady).toBe(false);
  const writer = openOrThrow(t, '/fifo', O_WRONLY);
  expect(writer.isOpenReady).toBe(true);
  expect(reader.isOpenReady).toBe(true);
  writeText(writer, 'hi');
  expect(readText(reader)).toBe('hi');
  writer.release();
  expect(reader.isOpenReady).toBe(true);
  expect(reader.poll() & (POLLHUP | POLLIN)).toBe(POLLHUP);
  const both = openOrThrow(t, '/fifo', O_RDWR | O_CREAT);
  expect(both.isOpenReady).toBe(true);
  for (const file of [reader, both]) file.release();
  expect(t.countLeaks()).toBe(0);
});

test('a pipe is a queue of bytes, and small writes are whole or not at all', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 12_000 })), { maxLength: 40 }), (steps) => {
      const t = createTestVfs();
      const [reader, writer] = pipeOf(t);
      const model: number[] = [];
      let next = 0;
      for (const [isWrite, length] of steps) {
        if (isWrite) {
          const bytes = Uint8Array.from({ length }, (_, i) => next + i);
          const result = writer.write(new BufferSource(bytes));
          if (length > 0 && length <= 4096 && result !== -E.EAGAIN) expect(result).toBe(length);
          const count = Math.max(0, result);
          for (let i = 0; i < count; i++) model.push(bytes[i]);
          next = (next + count) % 256;
        } else {
          const sink = new BufferSink(length);
          const result = reader.read(sink);
          const expected = model.splice(0, length);
          if (length > 0 && expected.length === 0) expect(result).toBe(-E.EAGAIN);
          else expect([...sink.filled]).toEqual(expected);
        }
        expect(writer.pipe.byteCount).toBe(model.length);
      }
      reader.release();
      writer.release();
      expect(t.countLeaks()).toBe(0);
    }),
    { numRuns: 60 },
  );
});
