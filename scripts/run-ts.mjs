// Runs a TypeScript file of this repository, bundled: Node 20 reads no TypeScript, and performance is measured on bundles.
// Usage: node scripts/run-ts.mjs FILE.ts [ARGS...]
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node scripts/run-ts.mjs FILE.ts [ARGS...]');
  process.exit(2);
}
const folder = join(root, 'node_modules/.cache/faultline');
mkdirSync(folder, { recursive: true });
const outfile = join(folder, `${file.replaceAll(/[^\w]/g, '-')}.mjs`);
await build({
  absWorkingDir: root,
  entryPoints: [resolve(file)],
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
  // As in scripts/build.mjs.
  minifySyntax: true,
  // `import ... from 'faultline'` in examples is this checkout's own source.
  alias: { faultline: join(root, 'src/index.ts') },
  // The bundle stands elsewhere; the file's neighbours do not.
  define: { 'import.meta.dirname': JSON.stringify(dirname(resolve(file))) },
  outfile,
  logLevel: 'warning',
});
process.argv = [process.argv[0], file, ...args];
await import(pathToFileURL(outfile).href);
