/** The executor as programs: of this machine and of riscv64, both with zig's musl, so that they differ in nothing else. */
import { join } from 'node:path';
import { compileForGuest, findToolchain } from '../../../cli/toolchain.ts';

const NO_PATH = { ...process.env, PATH: '', FAULTLINE_CC: '' };
const SOURCE = join(import.meta.dirname, 'executor.c');

/** Throws Error, in one line, where it cannot be compiled. */
export async function compileExecutor(machine: 'native' | 'riscv64', source = SOURCE): Promise<string> {
  const env: Record<string, string | undefined> = { ...NO_PATH };
  if (machine === 'native') {
    const zig = findToolchain(NO_PATH);
    if ('error' in zig) throw new Error(zig.error);
    const arch = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
    env['FAULTLINE_CC'] = `${zig.path} cc -target ${arch}-linux-musl`;
  }
  const result = await compileForGuest(source, { env });
  if ('error' in result) throw new Error(`${result.error}\n${result.diagnostics ?? ''}`);
  return result.elf;
}
