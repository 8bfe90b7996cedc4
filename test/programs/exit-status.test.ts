import { expect, test } from 'vitest';
import { MemoryEnvironment, System } from '../../src/index.ts';
import { elfFile } from '../setup/elf-file.ts';

test('a program that still runs has neither an exit code nor a signal', () => {
  const elf = elfFile({ segments: [{ flags: 5, address: 0x10000, fileBytes: 4096, memoryBytes: 4096 }] });
  new DataView(elf.buffer).setUint32(4096, 0x0000006f, true); // j .
  const system = new System({ environment: new MemoryEnvironment(), memoryBytes: 32 * 2 ** 20 });
  system.writeFile('/loop', elf, 0o755);
  const pid = system.spawn('/loop', ['loop']);
  expect(system.run({ instructions: 100_000 })).toBe('budget');
  expect(system.exitStatus(pid)).toEqual({ code: null, signal: null });
  system.sendSignal(pid, 9);
  expect(system.run({ instructions: 100_000 })).toBe('exited');
  expect(system.exitStatus(pid)).toEqual({ code: null, signal: 9 });
  expect(system.shutdown().leakedFrames).toBe(0);
});
