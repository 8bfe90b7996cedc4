import { readFileSync, rmSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import { KernelPanic } from '../src/index.ts';
import { reportInternalError } from './panic-report.ts';

afterEach(() => vi.unstubAllEnvs());

test('a kernel panic is one line that names the condition, the report and the command', () => {
  vi.stubEnv('FAULTLINE_CHECK', 'traps/7');
  const line = reportInternalError(new KernelPanic('mm/phys/buddy.ts: B1 a free block is aligned'), '1.2.3');
  expect(line).not.toContain('\n');
  expect(line).toMatch(/^faultline: kernel panic: mm\/phys\/buddy\.ts: B1 a free block is aligned\. .*report it with/);
  expect(line).toMatch(/To repeat it: FAULTLINE_CHECK=traps\/7 faultline\b/);
  const file = /with (\S+\.json)/.exec(line)![1];
  const report = JSON.parse(readFileSync(file, 'utf8'));
  expect(report).toMatchObject({ version: '1.2.3', kind: 'kernel panic', node: process.version });
  expect(report.stack.length).toBeGreaterThan(1);
  rmSync(file);
});

test('so is anything else that nobody expected', () => {
  const line = reportInternalError(new TypeError('x is undefined\nmore'), '1.2.3');
  expect(line).toMatch(/^faultline: internal error: x is undefined\. /);
  rmSync(/with (\S+\.json)/.exec(line)![1]);
});
