import { describe, expect, it } from 'vitest';
import { EACCES, EIO, ENOENT, ENOEXEC } from '../../src/abi/errno.ts';
import { SYSCALL_NUMBERS } from '../../src/arch/riscv64/syscall-numbers.ts';
import { FsContext } from '../../src/fs/fs-context.ts';
import { MemoryEnvironment } from '../../src/machine/memory-environment.ts';
import { System } from '../../src/system.ts';
import { fc } from '../property.ts';
import { mutatedElf } from './elf-mutations.ts';
import { DATA_AT, tableProgram } from './table-machine.ts';

/**
 * Programs whose headers lie. execve answers an errno or the process ends by a signal; the machine then runs a right program,
 * every invariant holds and all memory comes back.
 */

/** What Linux 6.18 (x86-64) did with the x86-64 twin of seeds 0 to 199, by the letters of OUTCOMES. */
const NATIVE = [
  'xnnfn...xnn..a.n..n.x..n.nnn.x.n.x.nxnnxnfnxnnn.x.nn.a.xnnn.xn..xnx.....n.xanaaxx.n..xx.xnax.x..ax..',
  'x.xx...nxxnx.nn.nnnxxnnxnnnn.n.nn..nnxn.nx.x....nnxnn.nn.n.xxnannx.xnnn.n.nxxn.nnxxn.axn..x.xn..nn.x',
].join('');
const OUTCOMES: Record<string, string> = {
  '.': 'exit 0',
  x: 'signal',
  n: `errno ${ENOEXEC}`,
  f: `errno ${ENOENT}`,
  a: `errno ${EACCES}`,
  i: `errno ${EIO}`,
};
/** A seed whose mutations do no harm. */
const RIGHT_SEED = 5;

function boot(memoryBytes: number): System {
  const system = new System({ environment: new MemoryEnvironment({}), memoryBytes });
  const { vfs } = system.kernel;
  const context = new FsContext(vfs.rootPath, vfs.rootPath);
  expect(vfs.mkdir(context, null, '/elf', 0o755)).toBe(0);
  context.release();
  system.writeFile('/elf/interpreter', mutatedElf(RIGHT_SEED).bytes('riscv64'), 0o755);
  system.writeFile('/elf/text', new TextEncoder().encode('hello\n'), 0o755);
  return system;
}

function outcome(system: System, bytes: Uint8Array, argv: readonly string[] = ['/p']): string {
  system.writeFile('/p', bytes, 0o755);
  const pid = system.spawn('/p', argv);
  if (pid < 0) return `errno ${-pid}`;
  for (let i = 0; i < 5 && system.run({ instructions: 20_000 }) === 'budget'; i++);
  const { code, signal } = system.exitStatus(pid);
  return signal !== null ? 'signal' : `exit ${code}`;
}

/** Outcome of hostile bytes in a machine that is then asked for everything that must still hold. */
function outcomeAndAfter(bytes: Uint8Array): string {
  const system = boot(8 * 2 ** 20);
  const result = outcome(system, bytes);
  system.checkInvariants();
  expect(outcome(system, mutatedElf(RIGHT_SEED).bytes('riscv64'))).toBe('exit 0');
  expect(system.shutdown().leakedFrames).toBe(0);
  return result;
}

describe('ELF headers that lie', () => {
  it('fare as they do on Linux', () => {
    for (let seed = 0; seed < NATIVE.length; seed++)
      expect(`${seed}: ${outcomeAndAfter(mutatedElf(seed).bytes('riscv64'))}`).toBe(
        `${seed}: ${OUTCOMES[NATIVE[seed]]}`,
      );
  });

  it('never harm the machine, whatever bytes of the headers change', () => {
    const change = fc.tuple(fc.integer({ min: 0, max: 64 + 4 * 56 }), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 100_000 }), fc.array(change, { maxLength: 8 }), (seed, changes) => {
        const bytes = mutatedElf(seed).bytes('riscv64');
        for (const [at, value] of changes) bytes[at] = value;
        expect(outcomeAndAfter(bytes)).toMatch(/^(errno \d+|signal|exit (0|null))$/);
      }),
      { numRuns: 120, seed: 20261121 },
    );
  });

  it('with an alignment next to 2^64 is loaded as with none', () => {
    expect(outcomeAndAfter(mutatedElf(3707).bytes('riscv64'))).toBe('exit 0');
  });

  it('that want more memory than there is end in a signal', () => {
    const system = boot(4 * 2 ** 20);
    const bytes = mutatedElf(RIGHT_SEED).bytes('riscv64');
    for (let i = 0; i < 40; i++) system.writeFile(`/tmp/fill${i}`, new Uint8Array(2 ** 16), 0o600);
    expect(outcome(system, bytes)).toMatch(/^(errno 12|signal|exit 0)$/);
    system.checkInvariants();
    expect(system.shutdown().leakedFrames).toBe(0);
  });
});

describe('scripts', () => {
  it('whose interpreters go round are ELOOP, after five of them', () => {
    const system = boot(8 * 2 ** 20);
    const script = new TextEncoder().encode('#!/p\n');
    expect(outcome(system, script)).toBe('errno 40');
    expect(system.shutdown().leakedFrames).toBe(0);
  });

  it('with arguments over the limit are E2BIG', () => {
    const system = boot(8 * 2 ** 20);
    const bytes = mutatedElf(RIGHT_SEED).bytes('riscv64');
    expect(outcome(system, bytes, ['x'.repeat(131_072)])).toBe('errno 7');
    expect(
      outcome(
        system,
        bytes,
        Array.from({ length: 300 }, () => 'x'.repeat(8000)),
      ),
    ).toBe('errno 7');
    expect(outcome(system, bytes, ['x'.repeat(131_071)])).toBe('exit 0');
    system.checkInvariants();
    expect(system.shutdown().leakedFrames).toBe(0);
  });
});

describe('exec by a program', () => {
  it('gives back the sighand that dead threads shared', () => {
    const system = boot(8 * 2 ** 20);
    const number = (name: string): number => SYSCALL_NUMBERS.get(name) as number;
    const data = new Uint8Array(256);
    data.set(new TextEncoder().encode('/proc/self/exe\0'), 0);
    const thread = { nr: number('clone'), args: [0x10d00n, 0x4000_0000n] };
    const again = { nr: number('execve'), args: [BigInt(DATA_AT), 0n, 0n] };
    system.writeFile('/p', tableProgram([thread, again], data), 0o755);
    expect(system.spawn('/p', ['/p'])).toBeGreaterThan(0);
    for (let i = 0; i < 3; i++) system.run({ instructions: 20_000 });
    system.checkInvariants();
    expect(system.shutdown().leakedFrames).toBe(0);
  });
});
