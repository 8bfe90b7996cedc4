import { expect, test } from 'vitest';
import { EINVAL } from '../abi/errno.ts';
import { parseTmpfsOptions } from './tmpfs-options.ts';

test('without options half of RAM, for everybody', () => {
  expect(parseTmpfsOptions('', 1000)).toEqual({
    limitPages: 500,
    limitInodes: 500,
    mode: 0o1777,
    huge: null,
    uid: null,
    gid: null,
  });
});

test('sizes with units and parts of RAM', () => {
  expect(parseTmpfsOptions('size=64k,nr_inodes=1k,mode=700,uid=3,gid=4,huge=advise', 1000)).toEqual({
    limitPages: 16,
    limitInodes: 1024,
    mode: 0o700,
    huge: 'advise',
    uid: 3,
    gid: 4,
  });
  expect(parseTmpfsOptions('size=10%', 1000)).toMatchObject({ limitPages: 100 });
  expect(parseTmpfsOptions('size=5000', 1000)).toMatchObject({ limitPages: 2 });
  expect(parseTmpfsOptions('nr_blocks=7', 1000)).toMatchObject({ limitPages: 7 });
});

test('0 is no limit', () => {
  expect(parseTmpfsOptions('size=0', 1000)).toMatchObject({ limitPages: Number.POSITIVE_INFINITY });
});

test.each(['size', 'size=x', 'mode=9', 'nonsense=1', 'uid=x', 'huge=deny'])('%s is refused', (data) => {
  expect(parseTmpfsOptions(data, 1000)).toBe(-EINVAL);
});
