import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compileForGuest } from '../../cli/toolchain.ts';
import { MemoryEnvironment, MemoryHostFiles } from '../../src/machine/memory-environment.ts';
import { System } from '../../src/system.ts';

/** Programs that use up an 8 MiB machine: the hog ends, others go on, nothing is lost. */
test.each([
  ['map', '3072 of 3072 pages\n'],
  ['touch', "the hog's signal: 9\n"],
  ['deep', 'deep 1, all gone 1\n'],
  ['forks', 'many 1, all ended 1\n'],
])('%s', async (mode, expected) => {
  const source = fileURLToPath(new URL('exhaust.c', import.meta.url));
  const built = await compileForGuest(source, { env: process.env });
  if ('error' in built) throw new Error(built.error);
  const host = new MemoryHostFiles();
  host.addFile('/m/exhaust', readFileSync(built.elf), 0o755);
  host.addFile('/m/big', new Uint8Array(12 * 2 ** 20));
  let output = '';
  const onOutput = (_descriptor: number, bytes: Uint8Array): void => {
    output += new TextDecoder().decode(bytes);
  };
  const system = new System({ environment: new MemoryEnvironment({ host, onOutput }), memoryBytes: 8 * 2 ** 20 });
  system.mount({ host: '/m', guest: '/m', mode: 'rw' });
  system.spawn('/m/exhaust', ['/m/exhaust', mode, '/m/big'], { cwd: '/tmp' });
  for (let i = 0; i < 400 && system.run({ instructions: 1_000_000 }) === 'budget'; i++);
  expect(output).toBe(expected);
  system.checkInvariants();
  expect(system.shutdown().leakedFrames).toBe(0);
});
