import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { linuxErrno } from './host-errno.ts';
import { NodeEnvironment } from './node-environment.ts';
import { NodeHostFiles } from './node-host-files.ts';

let folder = '';
let host = new NodeHostFiles();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-host-'));
  host = new NodeHostFiles();
});
afterEach(() => {
  host.closeAll();
  rmSync(folder, { recursive: true });
});

test('files are read, written, cut, renamed and removed by path', () => {
  const path = join(folder, 'f');
  expect(host.create(path, 0o444)).toBe(0);
  expect(host.create(path, 0o644)).toBe(-17);
  expect(host.write(path, 2, Uint8Array.of(65, 66))).toBe(2);
  expect(statSync(path).mode & 0o777).toBe(0o444);
  const bytes = new Uint8Array(8);
  expect(host.read(path, 1, bytes)).toBe(3);
  expect([...bytes.subarray(0, 3)]).toEqual([0, 65, 66]);
  expect(host.truncate(path, 3)).toBe(0);
  expect(host.fsync(path)).toBe(0);
  expect(host.rename(path, join(folder, 'g'))).toBe(0);
  expect(host.read(path, 0, bytes)).toBe(-2);
  expect(readFileSync(join(folder, 'g')).length).toBe(3);
  const at = (seconds: number) => ({ seconds, nanoseconds: 500_000_000 });
  expect(host.utimes(join(folder, 'g'), at(1), at(2))).toBe(0);
  expect(statSync(join(folder, 'g')).mtimeMs).toBe(2500);
  expect(host.mkdir(join(folder, 'd'), 0o700)).toBe(0);
  expect(host.rmdir(folder)).toBe(-39);
  expect(host.unlink(join(folder, 'g'))).toBe(0);
  expect(host.readdir(folder)).toEqual(['d']);
});

test('links are never followed', () => {
  const secret = join(folder, 'secret');
  const link = join(folder, 'link');
  writeFileSync(secret, 'secret');
  symlinkSync(secret, link);
  expect(host.read(link, 0, new Uint8Array(4))).toBe(-40);
  expect(host.write(link, 0, new Uint8Array(4))).toBe(-40);
  expect(host.chmod(link, 0o600)).toBe(-95);
  expect(host.readlink(link)).toBe(secret);
  const stat = host.stat(link);
  expect(typeof stat === 'number' ? 0 : stat.mode & 0o170000).toBe(0o120000);
});

test('more paths than descriptors are kept', () => {
  for (let i = 0; i < 200; i++) {
    expect(host.create(join(folder, `f${i}`), 0o644)).toBe(0);
    expect(host.write(join(folder, `f${i}`), 0, Uint8Array.of(i))).toBe(1);
  }
  const bytes = new Uint8Array(1);
  for (let i = 0; i < 200; i++) {
    expect(host.read(join(folder, `f${i}`), 0, bytes)).toBe(1);
    expect(bytes[0]).toBe(i);
  }
});

test('errors have Linux numbers by name, whatever the host counts', () => {
  expect(linuxErrno({ code: 'ENOTEMPTY', errno: -66 })).toBe(-39);
  expect(linuxErrno({ code: 'ELOOP', errno: -62 })).toBe(-40);
  expect(linuxErrno({ code: 'EAGAIN', errno: -35 })).toBe(-11);
  expect(linuxErrno(new Error('no code'))).toBe(-5);
});

test('standard descriptors and typed keys', () => {
  const environment = new NodeEnvironment();
  expect(environment.stdio).toHaveLength(3);
  expect(environment.hostTimeNs()).toBeGreaterThan(1.6e18);
});
