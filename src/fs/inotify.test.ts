import { expect, test } from 'vitest';
import { EMFILE, ENOSPC } from '../abi/errno.ts';
import { O_CREAT, O_NONBLOCK, O_RDWR } from '../abi/fcntl.ts';
import { IN_CLOSE_WRITE, IN_MODIFY, IN_OPEN, IN_Q_OVERFLOW, INOTIFY_EVENT_BYTES } from '../abi/inotify.ts';
import { BufferSink } from '../base/io.ts';
import { type InotifyFile, makeInotifyFile } from './inotify.ts';
import { notifyFile } from './notify.ts';
import { createTestVfs, openOrThrow } from './testing/test-vfs.ts';

/** The masks of all unread events, and the watch of the last. */
function drain(file: InotifyFile): { masks: number[]; lastWatch: number } {
  const sink = new BufferSink(65_536);
  file.read(sink);
  const view = new DataView(sink.filled.buffer, sink.filled.byteOffset, sink.filled.byteLength);
  const masks: number[] = [];
  let lastWatch = 0;
  for (let at = 0; at < view.byteLength; at += INOTIFY_EVENT_BYTES) {
    lastWatch = view.getInt32(at, true);
    masks.push(view.getUint32(at + 4, true));
  }
  return { masks, lastWatch };
}

function setUp() {
  const t = createTestVfs();
  const { core } = t.vfs;
  const instance = makeInotifyFile(core, O_NONBLOCK, 1000);
  if (typeof instance === 'number') throw new Error('no instance');
  return { t, core, instance, file: openOrThrow(t, '/watched', O_CREAT | O_RDWR) };
}

test('a full queue tells so once, and goes on when it has been read', () => {
  const { t, core, instance, file } = setUp();
  core.notify.maxQueuedEvents = 3;
  expect(instance.watch(file.inode, IN_OPEN | IN_MODIFY)).toBe(1);
  for (let i = 0; i < 4; i++) for (const mask of [IN_OPEN, IN_MODIFY]) notifyFile(file, mask);
  expect(drain(instance)).toEqual({ masks: [IN_OPEN, IN_MODIFY, IN_OPEN, IN_Q_OVERFLOW], lastWatch: -1 });
  notifyFile(file, IN_CLOSE_WRITE);
  notifyFile(file, IN_MODIFY);
  expect(drain(instance)).toEqual({ masks: [IN_MODIFY], lastWatch: 1 });
  file.release();
  instance.release();
  expect([core.notify.watchCount, t.countLeaks()]).toEqual([0, 0]);
});

test('each user has so many instances and watches', () => {
  const { t, core, instance, file } = setUp();
  core.notify.maxUserInstances = 2;
  const second = makeInotifyFile(core, 0, 1000);
  expect(makeInotifyFile(core, 0, 1000)).toBe(-EMFILE);
  const another = makeInotifyFile(core, 0, 1001);
  core.notify.maxUserWatches = 1;
  expect(instance.watch(file.inode, IN_OPEN)).toBe(1);
  const other = openOrThrow(t, '/other', O_CREAT | O_RDWR);
  expect(instance.watch(other.inode, IN_OPEN)).toBe(-ENOSPC);
  expect(instance.watch(file.inode, IN_MODIFY)).toBe(1);
  expect((another as InotifyFile).watch(other.inode, IN_OPEN)).toBe(1);
  expect(instance.unwatch(1)).toBe(0);
  expect(instance.watch(other.inode, IN_OPEN)).toBe(2);
  for (const each of [file, other, instance, second as InotifyFile, another as InotifyFile]) each.release();
  expect([core.notify.watchCount, t.countLeaks()]).toEqual([0, 0]);
});
