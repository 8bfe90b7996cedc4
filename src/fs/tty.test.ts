import { expect, test } from 'vitest';
import { EAGAIN, EIO, ENOTTY } from '../abi/errno.ts';
import { O_RDWR } from '../abi/fcntl.ts';
import { TIOCGPGRP, TIOCGWINSZ, TIOCSPGRP } from '../abi/ioctl.ts';
import { ECHO, ICANON, ISIG, VMIN } from '../abi/termios.ts';
import { MemoryEnvironment } from '../machine/memory-environment.ts';
import type { UserArg } from './file.ts';
import { bytesOf, createTestVfs, openOrThrow, readText, type TestVfs, textOf, writeText } from './testing/test-vfs.ts';
import type { TtyFile } from './tty-file.ts';

function terminal(): TestVfs & { file: TtyFile; type: (text: string) => void; shown: () => string } {
  const environment = new MemoryEnvironment({ stdio: ['tty', 'tty', 'tty'] });
  const t = createTestVfs(environment);
  t.vfs.mountDev();
  t.vfs.core.current = { ...t.vfs.core.current, tgid: 7, pgrp: 7, session: 7 };
  const file = openOrThrow(t, '/dev/console', O_RDWR) as TtyFile;
  const type = (text: string) => {
    environment.pushInput(bytesOf(text));
    t.vfs.pumpInput();
  };
  return { ...t, file, type, shown: () => textOf(environment.outputBytes(1)) };
}

function argument(bytes: Uint8Array): UserArg {
  return {
    value: 0,
    read: (into) => {
      into.set(bytes.subarray(0, into.length));
      return 0;
    },
    write: (from) => {
      bytes.set(from);
      return 0;
    },
  };
}

test('canonical input: lines, editing, echo, end of file', () => {
  const { file, type, shown, countLeaks } = terminal();
  type('ab');
  expect(readText(file)).toBe(-EAGAIN);
  type('\x7fc d\x17e\r');
  expect(readText(file)).toBe('ac e\n');
  expect(shown()).toBe('ab\b \bc d\b \be\r\n');
  type('kill\x15ok\n');
  expect(readText(file, 2)).toBe('ok');
  expect(readText(file)).toBe('\n');
  type('half\x04');
  expect(readText(file)).toBe('half');
  type('\x04');
  expect(readText(file)).toBe('');
  expect(readText(file)).toBe(-EAGAIN);
  type('four\x04');
  expect(readText(file, 4)).toBe('four');
  expect(readText(file)).toBe(-EAGAIN);
  file.release();
  expect(countLeaks()).toBe(0);
});

test('signals go to the foreground group and flush the line', () => {
  const { file, type, shown } = terminal();
  const { tty } = file;
  expect([tty.session, tty.foregroundPgrp]).toEqual([7, 7]);
  type('abc\x03');
  expect(tty.pendingSignals).toEqual([{ pgrp: 7, signal: 2 }]);
  expect(readText(file)).toBe(-EAGAIN);
  expect(shown()).toBe('abc^C');
  file.release();
});

test('raw input and VMIN', () => {
  const { file, type } = terminal();
  const { tty } = file;
  const cc = tty.termios.cc.slice();
  cc[VMIN] = 3;
  tty.setTermios({ ...tty.termios, cc, lflag: tty.termios.lflag & ~(ICANON | ECHO | ISIG) });
  type('a\x03');
  expect(readText(file)).toBe(-EAGAIN);
  type('b');
  expect(readText(file)).toBe('a\x03b');
  file.release();
});

test('output processing and stop', () => {
  const { file, type, shown } = terminal();
  expect(writeText(file, 'one\ntwo')).toBe(7);
  expect(shown()).toBe('one\r\ntwo');
  type('\x13');
  expect(writeText(file, 'x')).toBe(-EAGAIN);
  type('\x11');
  expect(writeText(file, 'x')).toBe(1);
  file.release();
});

test('job control data', () => {
  const t = terminal();
  const { file } = t;
  const word = new Uint8Array(8);
  expect(file.ioctl(TIOCGPGRP, argument(word))).toBe(0);
  expect(word[0]).toBe(7);
  word[0] = 9;
  expect(file.ioctl(TIOCSPGRP, argument(word))).toBe(0);
  expect(file.tty.checkJobControl('read')).toBe(21);
  expect(file.tty.checkJobControl('write')).toBe(0);
  t.vfs.core.jobControl = { sessionOfGroup: () => 7, isOrphaned: () => true };
  expect(file.tty.checkJobControl('read')).toBe(-EIO);
  t.vfs.core.current = { ...t.vfs.core.current, tgid: 50, pgrp: 50, session: 50 };
  expect(file.ioctl(TIOCGPGRP, argument(word))).toBe(-ENOTTY);
  expect(file.ioctl(TIOCGWINSZ, argument(word))).toBe(0);
  expect([word[0], word[2]]).toEqual([24, 80]);
  file.release();
});
