/** Reclaim policies from a file: `faultline policy check`, `--reclaim FILE`, and one clear line for each mistake in one. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { faultline } from '../setup/faultline.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-policy-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** The reason of the first case that does not hold. */
function firstFailure(name: string, body: string): string {
  const path = file(name, `export const createPolicy = () => ({ ${body} });`);
  const { stdout, status } = faultline(['policy', 'check', path]);
  expect(status).toBe(1);
  return (
    /^failed {2}keeps what a program wrote to private memory of many times the RAM: (.*)$/m.exec(stdout)?.[1] ?? stdout
  );
}

describe('a policy of the user', () => {
  it('passes the contract as the example does', () => {
    const source = readFileSync(join(import.meta.dirname, '../../examples/reclaim-policy.ts'), 'utf8');
    const path = file('example.mjs', transformSync(source, { loader: 'ts', format: 'esm' }).code);
    const { stdout, stderr, status } = faultline(['policy', 'check', path]);
    expect([stderr, status]).toEqual(['', 0]);
    expect(stdout).toMatch(/^(ok {6}.*\n){6}.*: all 6 hold\n$/);
  }, 120_000);

  it.each([
    ['throws.mjs', "shrink() { throw new Error('out of ideas'); }", 'shrink threw: out of ideas'],
    ['lies.mjs', 'shrink(pages, wanted) { return wanted; }', 'shrink returned 32, but free(page) was true 0 times'],
    ['nonsense.mjs', "shrink() { return 'some'; }", 'shrink returned some; it returns how many pages it freed'],
    ['far.mjs', 'shrink(pages) { pages.free(1e9); return 0; }', 'asked for page 1000000000; pages are 0 to 1023'],
    [
      'loops.mjs',
      'shrink(pages) { for (;;) pages.isCandidate(0); }',
      'shrink does not end: it has looked at every page 256 times',
    ],
    ['idle.mjs', 'shrink() { return 0; }', expect.stringMatching(/^no memory for page \d+, though others could go$/)],
    ['none.mjs', 'reclaim() {}', 'what createPolicy returned has no method shrink(pages, wanted, priority)'],
  ])(
    '%s: one line says what is wrong',
    (name, body, why) => {
      expect(firstFailure(name, body)).toEqual(why);
    },
    120_000,
  );

  it('that cannot be loaded is a mistake at the command line', () => {
    const error = (path: string): string => {
      const { stderr, status } = faultline(['run', '--reclaim', path, 'program']);
      expect(status).toBe(2);
      return stderr;
    };
    expect(error(join(folder, 'absent.mjs'))).toMatch(/absent\.mjs: there is no such file\n$/);
    expect(error(file('plain.mjs', 'export const x = 1;'))).toMatch(
      /exports no createPolicy; write `export function createPolicy/,
    );
    expect(error(file('broken.mjs', 'export function createPolicy('))).toMatch(
      /broken\.mjs: cannot be loaded: SyntaxError: .*\n$/,
    );
    expect(error(file('policy.txt', ''))).toMatch(/a policy is a \.ts, \.mts, \.js or \.mjs file\n$/);
    expect(error('bogus')).toMatch(/^faultline: --reclaim bogus: there is no such policy; there are mglru, two-list, /);
    if (!(process.features as { typescript?: unknown }).typescript)
      expect(error(file('policy.ts', ''))).toMatch(
        /reads no TypeScript; use Node 22\.18 or later, or compile it first: npx esbuild/,
      );
  }, 60_000);
});
