import { afterEach, expect, test } from 'vitest';
import { isFlagGiven } from './given-flag.ts';

const { execArgv } = process;
const { NODE_OPTIONS } = process.env;
afterEach(() => {
  process.execArgv = execArgv;
  if (NODE_OPTIONS === undefined) delete process.env['NODE_OPTIONS'];
  else process.env['NODE_OPTIONS'] = NODE_OPTIONS;
});

test('flags of the command line, written with either mark, and switched off', () => {
  process.execArgv = ['--wasm_tiering_budget=5', '--no-parallel-scavenge', '--nolazy'];
  expect(isFlagGiven('wasm-tiering-budget')).toBe(true);
  expect(isFlagGiven('parallel-scavenge')).toBe(true);
  expect(isFlagGiven('lazy')).toBe(true);
  expect(isFlagGiven('semi-space-growth-factor')).toBe(false);
});

test('flags of NODE_OPTIONS, and no others that begin so', () => {
  process.execArgv = ['--wasm-tiering-budget-for-somebody=1'];
  process.env['NODE_OPTIONS'] = '--max-old-space-size=64 --semi-space-growth-factor=2';
  expect(isFlagGiven('semi-space-growth-factor')).toBe(true);
  expect(isFlagGiven('wasm-tiering-budget')).toBe(false);
});
