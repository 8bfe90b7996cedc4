import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parseMount } from './mount-option.ts';

test('a bare host path is mounted at its own place as an overlay', () => {
  expect(parseMount('some/dir')).toEqual({ host: resolve('some/dir'), guest: resolve('some/dir'), mode: 'overlay' });
});

test('guest path and mode may follow', () => {
  expect(parseMount('.:/data:ro')).toEqual({ host: resolve('.'), guest: '/data', mode: 'ro' });
  expect(parseMount('.:rw')).toEqual({ host: resolve('.'), guest: resolve('.'), mode: 'rw' });
  expect(parseMount('/srv:/srv2')).toEqual({ host: '/srv', guest: '/srv2', mode: 'overlay' });
});

test.each([':', '', 'a:b:c:d', 'a:b', 'a:/b:/c'])('%s is refused in one line', (text) => {
  expect(() => parseMount(text)).toThrow(/^--mount [^\n]+$/);
});
