// Builds dist/: the command line (cli.js starts main.cjs, or run.cjs for `run`), the library (index.js) and its types. Runs on `npm ci` through "prepare".
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const esbuild = await import('esbuild').catch(() => null);
if (esbuild === null) {
  console.error('faultline: esbuild is not installed, dist/ was not built (install with development dependencies)');
  process.exit(existsSync(join(root, 'dist/cli.js')) ? 0 : 1);
}

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Of Node's own modules those that a plain run does not need: loading these takes it some 10 ms. */
const LAZY =
  /__toESM\((require\("node:(?:child_process|crypto|module|os|readline|tty|zlib)"\))(?:, 1)?\)|require\("node:(?:child_process|crypto|module|os|readline|tty|zlib)"\)/g;

/** Puts a stand-in for each of them into a script of the command line, which loads it at its first use. */
function loadLazily(file) {
  const text = readFileSync(file, 'latin1');
  const lazy = text.replaceAll(LAZY, (found) => `lazily(${/"[^"]+"/.exec(found)[0]})`);
  if (lazy === text) throw new Error(`${file}: loads none of the modules that should be loaded late`);
  writeFileSync(file, lazy, 'latin1');
}

/** src/arch/riscv64/prebuilt.ts: the interpreter's bytes, two a character. */
async function makeInterpreter() {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    stdin: {
      contents: `export { generateInterpreter } from './src/arch/riscv64/generate.ts';
        export { sv39 } from './src/machine/paging/sv39.ts';`,
      resolveDir: root,
    },
    bundle: true,
    format: 'esm',
    write: false,
    logLevel: 'warning',
  });
  const source = `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`;
  const { generateInterpreter, sv39 } = await import(source);
  const bytes = Buffer.from(generateInterpreter({ format: sv39, memoryPages: 0, translator: null }));
  return (bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)])).toString('utf16le');
}

/** What modules say, in words of scripts. */
const SCRIPT = { 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' };

const shared = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  target: 'node20.19',
  sourcemap: 'linked',
  // Puts the numbers of `export const` where they are used; else each use is a load of a variable. Names stay, for stacks and profiles.
  minifySyntax: true,
  logLevel: 'warning',
  define: {
    FAULTLINE_VERSION: JSON.stringify(version),
    FAULTLINE_INTERPRETER: JSON.stringify(await makeInterpreter()),
  },
};

await Promise.all([
  // The library has no Node import in it, so the same file serves the browser.
  esbuild.build({
    ...shared,
    entryPoints: { index: 'src/index.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.mjs' },
    platform: 'neutral',
  }),
  // All of the command line as a script, which V8 can keep compiled, its commonest part as another, and what starts them so (cli/launch.ts).
  esbuild.build({
    ...shared,
    entryPoints: { main: 'cli/main.ts', run: 'cli/main-run.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    platform: 'node',
    define: { ...shared.define, ...SCRIPT, FAULTLINE_IMPORT: 'faultlineImport' },
    // As Node wraps a CommonJS module, and with import() of cli/launch.ts; all ASCII, as esbuild writes, so that it can be read without decoding.
    banner: {
      js: '(function (exports, require, module, __filename, __dirname, faultlineImport) {const lazily = (name) => new Proxy({}, { get: (_, key) => require(name)[key], has: (_, key) => key in require(name) });',
    },
    footer: { js: '})' },
  }),
  esbuild.build({
    ...shared,
    entryPoints: { cli: 'cli/launch.ts' },
    outdir: 'dist',
    format: 'cjs',
    platform: 'node',
    define: SCRIPT,
    banner: { js: '#!/usr/bin/env node' },
  }),
]);
for (const script of ['main', 'run']) loadLazily(join(root, `dist/${script}.cjs`));
chmodSync(join(root, 'dist/cli.js'), 0o755);
// Node starts a script 5 ms sooner than a module.
writeFileSync(join(root, 'dist/package.json'), '{ "type": "commonjs" }\n');
// They hold packages whose licences ask for their text beside every copy.
const licenses = ['commander', 'fzstd', 'hyparquet', 'hyparquet-writer'].map((name) => {
  const text = readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8');
  return `dist/main.cjs and dist/run.cjs contain ${name}:\n\n${text}`;
});
writeFileSync(join(root, 'dist/third-party-licenses.txt'), licenses.join('\n'));

if (!process.argv.includes('--no-types')) {
  rmSync(join(root, 'dist/types'), { recursive: true, force: true });
  mkdirSync(join(root, 'dist/types'), { recursive: true });
  const tsc = join(root, 'node_modules/.bin/tsc');
  execFileSync(tsc, ['-p', 'scripts/tsconfig.types.json'], { cwd: root, stdio: 'inherit' });
  writeFileSync(join(root, 'dist/types/package.json'), '{ "type": "module" }\n');
}
