import { describe, expect, test } from 'vitest';
import { droppedFilesNote } from './dropped-files.ts';

describe('the note on dropped files', () => {
  const here = { host: '/home/p', guest: '/home/p', mode: 'overlay' } as const;
  const note = (...files: string[]) =>
    droppedFilesNote(
      files,
      [
        { host: '/srv/debian', guest: '/', mode: 'overlay' },
        here,
        { host: '/srv/data', guest: '/data', mode: 'overlay' },
        { host: '/srv/same', guest: '/srv/same', mode: 'overlay' },
      ],
      here.host,
    );

  test('none, no note', () => expect(note()).toBe(null));
  test('the current folder', () =>
    expect(note('/home/p/a')).toBe('dropped what the program wrote: /home/p/a (--mount .:rw keeps it)'));
  test('a mount at another place', () =>
    expect(note('/data/x/y')).toMatch(/ \(--mount \/srv\/data:\/data:rw keeps it\)$/));
  test('a mount at its own place', () => expect(note('/srv/same/x')).toMatch(/ \(--mount \/srv\/same:rw keeps it\)$/));
  test('a folder below the root', () =>
    expect(note('/usr/lib/x')).toMatch(/ \(--mount \/srv\/debian\/usr:\/usr:rw keeps it\)$/));
  test('a file in the root itself has no option', () => expect(note('/x')).toBe('dropped what the program wrote: /x'));
  test('many files, of several mounts', () =>
    expect(note('/data/1', '/data/2', '/data/3', '/data/4', '/data/5', '/home/p/6')).toBe(
      'dropped what the program wrote: /data/1, /data/2, /data/3, /data/4, /data/5 and 1 more ' +
        '(--mount /srv/data:/data:rw --mount .:rw keep it)',
    ));
});
