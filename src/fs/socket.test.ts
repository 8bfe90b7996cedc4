import { expect, test } from 'vitest';
import * as E from '../abi/errno.ts';
import { POLLHUP, POLLIN, POLLRDHUP } from '../abi/poll.ts';
import { AF_UNIX, SHUT_WR, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM } from '../abi/socket.ts';
import { BufferSink, BufferSource } from '../base/io.ts';
import type { SocketFile } from './socket.ts';
import { receiveFrom } from './socket-receive.ts';
import { sendTo } from './socket-send.ts';
import { bytesOf, createTestVfs, readText, type TestVfs, writeText } from './testing/test-vfs.ts';

function pairOf(t: TestVfs, type: number): [SocketFile, SocketFile] {
  const pair = t.vfs.socketpair(AF_UNIX, type, 0);
  if (typeof pair === 'number') throw new Error(`socketpair: ${pair}`);
  return pair as [SocketFile, SocketFile];
}

test('a stream runs both ways and ends', () => {
  const t = createTestVfs();
  const [a, b] = pairOf(t, SOCK_STREAM);
  expect(readText(a)).toBe(-E.EAGAIN);
  writeText(a, 'one');
  writeText(a, 'two');
  writeText(b, 'back');
  expect(readText(b, 4)).toBe('onet');
  expect(readText(b)).toBe('wo');
  expect(readText(a)).toBe('back');
  expect(a.shutdown(SHUT_WR)).toBe(0);
  expect(readText(b)).toBe('');
  expect(b.poll() & (POLLIN | POLLRDHUP | POLLHUP)).toBe(POLLIN | POLLRDHUP);
  expect(writeText(a, 'x')).toBe(-E.EPIPE);
  a.release();
  expect(writeText(b, 'x')).toBe(-E.EPIPE);
  b.release();
  expect(t.countLeaks()).toBe(0);
});

test('closing with unread bytes resets the other end', () => {
  const t = createTestVfs();
  const [a, b] = pairOf(t, SOCK_STREAM);
  writeText(a, 'unread');
  b.release();
  expect(readText(a)).toBe(-E.ECONNRESET);
  expect(readText(a)).toBe('');
  a.release();
  expect(t.countLeaks()).toBe(0);
});

test.each([
  ['dgram', SOCK_DGRAM],
  ['seqpacket', SOCK_SEQPACKET],
])('%s keeps messages apart', (_, type) => {
  const t = createTestVfs();
  const [a, b] = pairOf(t, type);
  writeText(a, 'first');
  sendTo(a, new BufferSource(bytesOf('')), []);
  writeText(a, 'last');
  expect(readText(b, 2)).toBe('fi');
  expect(readText(b)).toBe('');
  expect(readText(b)).toBe('last');
  a.release();
  b.release();
  expect(t.countLeaks()).toBe(0);
});

test('files travel along, and are let go when nobody takes them', () => {
  const t = createTestVfs();
  const [a, b] = pairOf(t, SOCK_STREAM);
  const event = t.vfs.eventfd(0, 0);
  if (typeof event === 'number') throw new Error('no memory');
  sendTo(a, new BufferSource(bytesOf('f')), [event]);
  sendTo(a, new BufferSource(bytesOf('g')), [event]);
  event.release();
  const files: (typeof event)[] = [];
  expect(receiveFrom(b, new BufferSink(9), { isPeek: false, files })).toEqual({
    bytes: 1,
    messageBytes: 1,
    sender: null,
  });
  expect(files).toEqual([event]);
  files[0].release();
  b.release();
  a.release();
  expect(t.countLeaks()).toBe(0);
});

test('buffers hold as much as on Linux 6.18', () => {
  const t = createTestVfs();
  const [a, b] = pairOf(t, SOCK_DGRAM);
  let count = 0;
  while (writeText(a, 'x') === 1) count++;
  expect(count).toBe(278);
  const [c, d] = pairOf(t, SOCK_STREAM);
  let total = 0;
  for (let sent = 0; (sent = writeText(c, 'x'.repeat(4096))) > 0; ) total += sent;
  expect(total).toBe(180_224);
  for (const file of [a, b, c, d]) file.release();
  expect(t.countLeaks()).toBe(0);
});
