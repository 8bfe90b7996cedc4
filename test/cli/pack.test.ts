import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { elfFile } from '../setup/elf-file.ts';
import { ROOT } from '../setup/faultline.ts';

let work: string;
let home: string;

/** Node and npm, but neither our development dependencies nor a registry. */
const npm = (args: readonly string[], cwd: string) =>
  execFileSync('npm', [...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, npm_config_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false' },
  });

/** What a fresh checkout has: packing builds, and dist/ of this one is what other tests run at the same time. */
function checkout(): string {
  const folder = join(work, 'checkout');
  mkdirSync(folder);
  const names = [
    'src',
    'cli',
    'scripts',
    'guest',
    'docs',
    'package.json',
    'tsconfig.json',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
  ];
  for (const name of names) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'faultline-pack-'));
  home = join(work, 'home');
  mkdirSync(home);
  npm(['pack', '--pack-destination', work], checkout());
  const tarball = readdirSync(work).find((name) => name.endsWith('.tgz'))!;
  writeFileSync(join(home, 'package.json'), '{ "name": "user", "private": true, "type": "module" }\n');
  npm(['install', '--omit=dev', '--ignore-scripts', join(work, tarball)], home);
}, 240_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

test('the package brings no other package', () => {
  expect(readdirSync(join(home, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['faultline']);
});

test('it holds what it says, and no sources or tests', () => {
  const files = readdirSync(join(home, 'node_modules/faultline'), { recursive: true }) as string[];
  for (const file of [
    'dist/cli.js',
    'dist/main.cjs',
    'dist/run.cjs',
    'dist/index.mjs',
    'dist/types/index.d.ts',
    'guest/demo.c',
    'guest/check.h',
    'LICENSE',
  ])
    expect(files).toContain(file);
  for (const file of ['README.md', 'CHANGELOG.md', 'docs/design.md', 'dist/third-party-licenses.txt'])
    expect(files).toContain(file);
  expect(files.filter((file) => /^(src|test|cli|scripts)\b/.test(file))).toEqual([]);
});

test('npx faultline runs a program', () => {
  const program = join(home, 'program');
  writeFileSync(program, elfFile({ segments: [{ flags: 5, address: 0x10000, fileBytes: 4096, memoryBytes: 4096 }] }));
  chmodSync(program, 0o755);
  const result = spawnSync('npx', ['--offline', 'faultline', 'run', '--stats-json', 'stats.json', './program'], {
    cwd: home,
    encoding: 'utf8',
  });
  expect(result.stdout).toBe('');
  expect(result.status).toBe(0);
  expect(JSON.parse(readFileSync(join(home, 'stats.json'), 'utf8'))).toMatchObject({
    exit: { code: 0, signal: null },
    // The ecall that ends it traps instead of retiring.
    instructions: 2,
  });
});

test('the library has types that stand alone', () => {
  writeFileSync(
    join(home, 'use.ts'),
    `import { MAP_ANONYMOUS, MAP_PRIVATE, MemoryEnvironment, PROT_READ, PROT_WRITE, System, type RunStats } from 'faultline';
const system = new System({ environment: new MemoryEnvironment(), memoryBytes: 2 ** 24 });
const process = system.createProcess('mine');
const at: number = process.mmap({ address: 0, lengthBytes: 4096, prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE | MAP_ANONYMOUS });
process.store(at, new Uint8Array([1, 2, 3]));
const stats: RunStats = system.stats({ wallMs: 0 });
// @ts-expect-error a System has no such method: the types are not any
system.noSuchMethod();
export const faults: number = stats.faults.anonZero;
`,
  );
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const check = (compilerOptions: Record<string, unknown>) => {
    const strict = { strict: true, noEmit: true, target: 'es2023', types: [], skipLibCheck: false };
    writeFileSync(
      join(home, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...strict, ...compilerOptions }, files: ['use.ts'] }),
    );
    return spawnSync(tsc, ['-p', '.'], { cwd: home, encoding: 'utf8' }).stdout;
  };
  // Neither the DOM nor @types/node, and every declaration of ours is checked.
  expect(check({ module: 'nodenext', lib: ['es2023'] })).toBe('');
  expect(check({ module: 'esnext', moduleResolution: 'bundler', lib: ['es2023'] })).toBe('');
  expect(check({ module: 'nodenext', lib: ['es2023', 'dom'] })).toBe('');
  expect(check({ module: 'nodenext', lib: ['es2023'], exactOptionalPropertyTypes: true })).toBe('');
});

test('the library runs', () => {
  writeFileSync(
    join(home, 'use.mjs'),
    `import { MemoryEnvironment, System } from 'faultline';
const system = new System({ environment: new MemoryEnvironment(), memoryBytes: 2 ** 24 });
const process = system.createProcess('mine');
const at = process.mmap({ address: 0, lengthBytes: 4096, prot: 3, flags: 0x22 });
process.store(at, new Uint8Array([7]));
console.log(process.load(at, 1)[0], system.stats({ wallMs: 0 }).faults.anonZero);
process.exit();
console.log(system.shutdown().leakedFrames);
`,
  );
  expect(execFileSync(process.execPath, ['use.mjs'], { cwd: home, encoding: 'utf8' })).toBe('7 1\n0\n');
});
