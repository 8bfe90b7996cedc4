import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sv39 } from '../src/machine/paging/sv39.ts';
import { giveStack, loadElf } from '../test/riscv/elf.ts';

/**
 * Speed of the CPU alone, against qemu-riscv64 on the same ELF and the same machine: `ratio` is what to compare with
 * stored figures, MIPS moves with the host. Needs riscv64-linux-gnu-gcc and qemu-riscv64.
 */
const KERNELS = [
  ['mix', 6000],
  ['sort', 60],
  ['calls', 500],
  ['bytecode', 400],
  ['memory', 400],
  ['float', 250],
] as const;

export function runCpu(): void {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
  try {
    for (const [index, [name, rounds]] of KERNELS.entries()) {
      const path = join(folder, name);
      execFileSync('riscv64-linux-gnu-gcc', [
        '-O2',
        '-static',
        '-nostdlib',
        '-nostartfiles',
        '-ffreestanding',
        '-fno-pic',
        '-Wl,--no-relax',
        '-fno-tree-loop-distribute-patterns',
        `-DKERNEL=${index}`,
        `-DROUNDS=${rounds}`,
        '-o',
        path,
        join(import.meta.dirname, 'cpu-kernels.c'),
      ]);
      const guest = loadElf(readFileSync(path), sv39, 64 * 1024 * 1024);
      giveStack(guest, 0x40000000, 64);
      const start = performance.now();
      for (;;) {
        const trap = guest.cpu.run(1_000_000);
        if (trap === 1) break;
        if (trap !== 0) throw new Error(`${name}: trap ${trap} at ${guest.pc.toString(16)}`);
      }
      const ours = performance.now() - start;
      const before = performance.now();
      const status = spawnSync('qemu-riscv64', [path]).status;
      const theirs = performance.now() - before;
      if (status !== Number(guest.x(10))) throw new Error(`${name}: exit ${guest.x(10)}, qemu has ${status}`);
      const mips = guest.cpu.retired / ours / 1000;
      console.log(
        `${name.padEnd(10)} ${(guest.cpu.retired / 1e6).toFixed(1).padStart(7)} M  ${mips.toFixed(0).padStart(5)} MIPS  ratio ${(theirs / ours).toFixed(3)}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
