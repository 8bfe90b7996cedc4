/** Call stacks at the faults of a program whose shape is known, with every kind of unwinding. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decompressSection } from '../../cli/decompress-section.ts';
import { compileForGuest } from '../../cli/toolchain.ts';
import { MemoryEnvironment, System } from '../../src/index.ts';
import { CallStacks } from '../../src/observe/code/call-stacks.ts';
import { CodeMap } from '../../src/observe/code/code-map.ts';
import { SourceFrames } from '../../src/observe/code/source-frames.ts';
import { GNU, ZIG } from '../guest/compilers.ts';

const SOURCE = join(import.meta.dirname, 'programs', 'stacks.c');
const RECURSION = ['touch_page', ...Array.from({ length: 6 }, () => 'recurse'), 'main'];

describe('call stacks', () => {
  it.each([
    { name: 'glibc, .eh_frame', compiler: GNU, flags: ['-fasynchronous-unwind-tables'] },
    { name: 'glibc, stripped', compiler: GNU, flags: ['-s', '-fasynchronous-unwind-tables'] },
    {
      name: 'glibc, our functions by their prologues',
      compiler: GNU,
      flags: ['-fno-asynchronous-unwind-tables', '-g0'],
    },
    {
      name: 'glibc, frame pointers',
      compiler: GNU,
      flags: ['-fno-asynchronous-unwind-tables', '-g0', '-fno-omit-frame-pointer'],
    },
    { name: 'glibc, .debug_frame', compiler: GNU, flags: [] },
    { name: 'musl, .debug_frame', compiler: ZIG, flags: [] },
  ])(
    '$name',
    async ({ compiler, flags }) => {
      if (compiler.missing !== '') return;
      const compiled = await compileForGuest(SOURCE, {
        env: compiler.env,
        extraFlags: ['-O1', '-fno-optimize-sibling-calls', ...flags],
      });
      if ('error' in compiled) throw new Error(compiled.error);
      const stacks = stacksOf(readFileSync(compiled.elf));
      if (flags.includes('-s')) {
        // Without names: the depths are the same.
        expect(stacks[0].length).toBeGreaterThan(RECURSION.length);
        expect(new Set(stacks[0].slice(1, 7)).size).toBe(1);
        return;
      }
      expect(stacks[0].slice(0, RECURSION.length)).toEqual(RECURSION);
      expect(stacks[1].slice(0, 2)).toEqual(['touch_page', 'compare']);
      expect(stacks[1]).toContain('main');
      expect(stacks[1].some((name) => /^(__)?qsort(_r)?$/.test(name))).toBe(true);
      expect(stacks[2].slice(0, 3)).toEqual(['touch_page', 'on_signal', '__vdso_rt_sigreturn']);
      expect(stacks[2]).toContain('main');
      expect(stacks[3].slice(0, 3)).toEqual(['touch_page', 'on_stack', 'main']);
      expect(stacks[4][0]).toBe('sys_read');
      expect(stacks[4]).toContain('main');
      for (const stack of stacks.slice(0, 5)) expect(stack.at(-1), stack.join(' ')).toMatch(/^_start|main_stage2$/);
    },
    120_000,
  );
});

/** The stacks of the faults in the program's own pages. */
function stacksOf(elf: Uint8Array): string[][] {
  const environment = new MemoryEnvironment({ onOutput: () => {} });
  const system = new System({ environment, memoryBytes: 64 * 2 ** 20 });
  const { kernel } = system;
  system.writeFile('/program', elf, 0o755);
  const calls = new CallStacks(kernel, new CodeMap(kernel, decompressSection));
  const sources = new SourceFrames();
  const found: string[][] = [];
  system.on(['faultline:page_fault'], ({ values: [pid, address, , , , , user] }) => {
    const task = kernel.tasks.get(pid);
    const vma = kernel.mm.lastFaultSpace?.vmas.find(Math.floor(address / 4096) as never) ?? null;
    if (task === undefined || vma === null || vma.endVpn - vma.startVpn !== 64) return;
    const stack = calls.take(task, user === 0 ? 'sys_read' : null);
    found.push(sources.ofStack(calls.framesOf(stack)).map(({ symbol }) => symbol));
  });
  system.spawn('/program', ['/program']);
  expect(system.run({ instructions: 1e8 })).toBe('exited');
  system.shutdown();
  return found;
}
