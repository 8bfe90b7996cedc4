import { existsSync } from 'node:fs';
import { ERRNO_NAMES } from '../src/index.ts';
import { headOf } from './run-program.ts';
import { UsageError } from './usage-error.ts';

const MACHINES: Readonly<Record<number, string>> = {
  3: 'i386',
  40: 'arm',
  62: 'x86-64',
  183: 'aarch64',
  243: 'riscv',
  258: 'loongarch',
};

/** Why `execve` refused the program, as one line that says what to do. Exit status as a shell's: 127 not found, else 126. */
export function explainNotRunnable(file: string, result: number, options: { memory: number }): UsageError {
  const name = ERRNO_NAMES[-result] ?? String(result);
  switch (name) {
    case 'ENOENT':
      return existsSync(file)
        ? new UsageError(
            `${file}: its interpreter${interpreterOf(file)} is not in the guest (mount the folder that holds it, or link the program with -static)`,
            127,
          )
        : new UsageError(`${file}: there is no such file`, 127);
    case 'ENOEXEC':
      return new UsageError(`${file}: ${wrongFormat(file)}`, 126);
    case 'ENOMEM':
      return new UsageError(
        `${file}: does not fit in ${options.memory} bytes of memory (give more with --memory)`,
        126,
      );
    case 'EACCES':
      return new UsageError(`${file}: is not a program (no execute permission: chmod +x)`, 126);
    default:
      return new UsageError(`${file}: cannot be run (${name})`, 126);
  }
}

/** The name behind #!, or of the program's dynamic linker, with a space before it; empty where none is found. */
function interpreterOf(file: string): string {
  const head = headOf(file, 4096);
  const text = new TextDecoder('latin1').decode(head);
  const script = /^#![ \t]*([^\s]+)/.exec(text);
  if (script !== null) return ` ${script[1]}`;
  const linker = /\0(\/[\x21-\x7e]+)\0/.exec(text);
  return linker === null ? '' : ` ${linker[1]}`;
}

function wrongFormat(file: string): string {
  const head = existsSync(file) ? headOf(file, 64) : new Uint8Array();
  if (head.length < 4 || head[0] !== 0x7f || head[1] !== 0x45 || head[2] !== 0x4c || head[3] !== 0x46) {
    return 'is neither an ELF file nor a script that starts with #! (compile it for riscv64 Linux, or give the .c file)';
  }
  if (head.length < 64) return 'is a truncated ELF file';
  const machine = head[18] | (head[19] << 8);
  if (machine !== 243)
    return `is a program for ${MACHINES[machine] ?? `machine ${machine}`}, not for riscv64 (compile it for riscv64 Linux, or give the .c file)`;
  if (head[4] !== 2) return 'is a 32-bit RISC-V program; 64-bit ones run';
  return 'is a damaged or unsupported ELF file';
}
