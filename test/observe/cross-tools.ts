import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decompressSection } from '../../cli/decompress-section.ts';
import { ElfFile } from '../../src/observe/code/elf-file.ts';

/** The programs of binutils and GCC for riscv64, which say what Faultline must say too. */
export const HAS_CROSS_TOOLS = has('riscv64-linux-gnu-gcc') && has('riscv64-linux-gnu-addr2line');

function has(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Compiles a program of test/observe/programs; `use` gets the ELF file's path, which is gone afterwards. */
export function withCompiled<T>(source: string, flags: readonly string[], use: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-code-'));
  try {
    const file = join(folder, 'program');
    const compiler = source.endsWith('.cc') ? 'riscv64-linux-gnu-g++' : 'riscv64-linux-gnu-gcc';
    execFileSync(compiler, [...flags, join(import.meta.dirname, 'programs', source), '-o', file]);
    return use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function readElf(file: string): ElfFile {
  return new ElfFile(readFileSync(file), decompressSection);
}

/** Every `step`-th address of the code that a file was compiled to. */
export function addressesOf(elf: ElfFile, step: number): number[] {
  const text = elf.sections.find(({ name }) => name === '.text');
  const addresses: number[] = [];
  if (text !== undefined)
    for (let at = text.address; at < text.address + text.sizeBytes; at += step) addresses.push(at);
  return addresses;
}
