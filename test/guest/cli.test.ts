/** The same programs through the built command line: what it prints is the program's, its exit status too. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compileForGuest } from '../../cli/toolchain.ts';
import { faultline, ROOT } from '../setup/faultline.ts';

const GUEST = join(ROOT, 'guest');

it.each(['demo', 'mm-cow-fork', 'proc-wait'])('faultline run guest/%s.c', async (name) => {
  // Compiled before: a slow compiler's progress line is not what is looked at here.
  expect(await compileForGuest(join(GUEST, `${name}.c`), {})).not.toHaveProperty('error');
  const run = faultline(['run', join(GUEST, `${name}.c`)], { cwd: '/tmp', env: { FAULTLINE_CHECK: 'traps' } });
  expect(run.stderr).toBe('');
  expect(run.stdout).toBe(readFileSync(join(GUEST, 'expected', `${name}.txt`), 'utf8'));
  expect(run.status).toBe(0);
});
