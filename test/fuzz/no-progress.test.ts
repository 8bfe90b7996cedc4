import { expect, test } from 'vitest';
import { SYSCALL_NUMBERS } from '../../src/arch/riscv64/syscall-numbers.ts';
import { MemoryEnvironment } from '../../src/machine/memory-environment.ts';
import { System } from '../../src/system.ts';
import { elfFile } from '../setup/elf-file.ts';

const CODE_AT = 0x10000;
const FRAME_AT = CODE_AT + 4096;
/** Of rt_sigframe: siginfo 128, then ucontext with its registers at 176, pc first, x1 behind it. */
const PC_IN_FRAME = 128 + 176;
const SP = 2;
const A7 = 17;
const ECALL = 0x73;

/** lui sp; li a7; ecall, with a signal frame that says: go on at this ecall with these registers. */
function returnsToItself(): Uint8Array {
  const rtSigreturn = SYSCALL_NUMBERS.get('rt_sigreturn') as number;
  const image = new Uint8Array(2 * 4096);
  const view = new DataView(image.buffer);
  const code = [FRAME_AT | (SP << 7) | 0x37, (rtSigreturn << 20) | (A7 << 7) | 0x13, ECALL];
  for (const [i, word] of code.entries()) view.setUint32(i * 4, word, true);
  const frame = FRAME_AT - CODE_AT + PC_IN_FRAME;
  view.setUint32(frame, CODE_AT + 8, true);
  view.setUint32(frame + SP * 8, FRAME_AT, true);
  view.setUint32(frame + A7 * 8, rtSigreturn, true);
  return elfFile({
    segments: [{ flags: 7, address: CODE_AT, fileBytes: image.length, memoryBytes: image.length, contents: image }],
  });
}

test('a call with a limit comes back from a program that traps for ever and retires nothing', () => {
  const system = new System({ environment: new MemoryEnvironment({}), memoryBytes: 4 * 2 ** 20 });
  system.writeFile('/loop', returnsToItself(), 0o755);
  const pid = system.spawn('/loop', ['/loop']);
  for (let i = 0; i < 3; i++) expect(system.run({ instructions: 10_000 })).toBe('budget');
  expect(system.stats({ wallMs: 0 }).instructions).toBe(2);
  // It hears of a signal from outside, so a person can end it.
  system.sendSignal(pid, 15);
  expect(system.run({ instructions: 10_000 })).toBe('exited');
  expect(system.exitStatus(pid)).toEqual({ code: null, signal: 15 });
  expect(system.shutdown().leakedFrames).toBe(0);
});
