// Writes docs/syscalls.md from the system-call table.
// Usage: node scripts/generate-syscalls-doc.mjs
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = mkdtempSync(join(tmpdir(), 'faultline-doc-'));
try {
  const outfile = join(folder, 'document.mjs');
  await build({
    absWorkingDir: root,
    stdin: {
      contents: `export { syscallsDocument } from './scripts/syscalls-document.ts';
export { ALL_CALLS } from './src/kernel/syscalls/table.ts';
export { RISCV64_ARCH } from './src/arch/riscv64/arch.ts';`,
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    outfile,
    logLevel: 'warning',
  });
  const { syscallsDocument, ALL_CALLS, RISCV64_ARCH } = await import(pathToFileURL(outfile).href);
  writeFileSync(
    join(root, 'docs/syscalls.md'),
    syscallsDocument([...ALL_CALLS, ...RISCV64_ARCH.ownCalls], RISCV64_ARCH.syscallNumbers),
  );
} finally {
  rmSync(folder, { recursive: true });
}
