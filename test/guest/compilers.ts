/** The compilers that the guest programs are compiled with: zig (musl; comes with npm install) and GNU (glibc), where it is. */
import { findToolchain } from '../../cli/toolchain.ts';

export interface GuestCompiler {
  readonly name: string;
  /** What to give compileForGuest as its environment, so that it finds this one. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Why it cannot be used here; empty where it can. */
  readonly missing: string;
}

/** With nothing on PATH, the zig of the npm package is the one that is left. */
const ZIG_ENV = { ...process.env, PATH: '', FAULTLINE_CC: '' };
const GNU_ENV = { ...process.env, FAULTLINE_CC: 'riscv64-linux-gnu-gcc' };

export const ZIG: GuestCompiler = { name: 'zig (musl)', env: ZIG_ENV, missing: reasonOf(ZIG_ENV) };
export const GNU: GuestCompiler = { name: 'gcc (glibc)', env: GNU_ENV, missing: reasonOf(GNU_ENV) };

function reasonOf(env: GuestCompiler['env']): string {
  const found = findToolchain(env);
  return 'error' in found ? found.error : '';
}
