import { expect, it } from 'vitest';
import { BlockDevice, DISK_KINDS, DISKS } from './block-device.ts';
import { DiskLayout, DiskPlace } from './disk-layout.ts';

const US = 1_000;
const MS = 1_000_000;

it('nvme: 20 us, then 4 GB/s; requests of a moment share the latency and queue for the link', () => {
  const disk = new BlockDevice('nvme');
  expect(disk.submit('read', 0, 1, 0)).toBe(21 * US);
  expect(disk.submit('read', 900, 32, 0)).toBe(21 * US + 32 * US);
  expect(disk.submit('read', 5, 1, 200 * US)).toBe(221 * US);
});

it('a busy device makes the next wait until one of its units is free', () => {
  const { depth } = DISKS.nvme;
  const disk = new BlockDevice('nvme');
  const done = Array.from({ length: depth + 1 }, (_, i) => disk.submit('read', i * 100, 1, 0));
  expect(done[depth - 1]).toBe(20 * US + depth * US);
  // The last one starts when the first is done.
  expect(done[depth]).toBe(Math.max(21 * US + 20 * US, done[depth - 1]) + US);
});

it('hdd: what comes next in a row is under the head, anything else costs a move that grows with the distance', () => {
  const disk = new BlockDevice('hdd');
  const first = disk.submit('read', 0, 1, 0);
  expect(first).toBe(100 * US + 25_600);
  const second = disk.submit('read', 1, 1, first);
  expect(second - first).toBe(100 * US + 25_600);
  const near = disk.submit('read', 1000, 1, second);
  const far = disk.submit('read', 2 ** 27, 1, near);
  expect(near - second).toBeGreaterThan(4 * MS);
  expect(far - near).toBeGreaterThan(near - second + 5 * MS);
  // One at a time, in the order in which they came.
  expect(disk.submit('read', 0, 1, 0)).toBeGreaterThan(far);
});

it('a flush waits for all that was handed over, and what comes later waits for it', () => {
  for (const kind of DISK_KINDS) {
    const disk = new BlockDevice(kind);
    const written = disk.submit('write', 0, 8, 0);
    const safe = disk.flush(0);
    expect(safe).toBe(written + DISKS[kind].flushNs);
    expect(disk.submit('read', 8, 1, 0)).toBeGreaterThan(safe);
  }
});

it('lays files one behind the other, whole as long as they keep their size', () => {
  const layout = new DiskLayout();
  const a = new DiskPlace();
  const b = new DiskPlace();
  expect(layout.positionOf(a, 3, 300)).toBe(3);
  expect(layout.positionOf(b, 0, 1)).toBe(512);
  expect(layout.positionOf(a, 511, 300)).toBe(511);
  // a has outgrown its place: it goes on behind b.
  expect(layout.positionOf(a, 512, 513)).toBe(768);
  expect(layout.positionOf(a, 511, 513)).toBe(511);
  // b is not the last any more; a is.
  expect(layout.positionOf(a, 1000, 1001)).toBe(768 + 488);
  expect(a.extents.length).toBe(2);
});
