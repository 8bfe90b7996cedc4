import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compileForGuest, defaultCacheDir, findToolchain, NO_COMPILER, parseMakeRule } from './toolchain.ts';

const work = mkdtempSync(join(tmpdir(), 'faultline-toolchain-'));
const cacheDir = join(work, 'cache');
afterAll(() => rmSync(work, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(work, name);
  writeFileSync(path, text);
  return path;
}

function elfOf(result: Awaited<ReturnType<typeof compileForGuest>>): string {
  if ('error' in result) throw new Error(`${result.error}\n${result.diagnostics ?? ''}`);
  return result.elf;
}

/** A program that takes compiler arguments, writes its output file and counts its runs. */
function fakeCompiler(name: string): string {
  const path = write(
    name,
    '#!/bin/sh\nprev=; for a; do case "$prev" in -o) echo elf > "$a"; echo run >> "$0.runs";; esac; prev=$a; done\n' +
      `case " $* " in *" -MM "*) echo "p.o: ${join(work, 'fake.c')}";; esac\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

describe('findToolchain', () => {
  it('prefers FAULTLINE_CC and splits its arguments', () => {
    const cc = fakeCompiler('mycc');
    expect(findToolchain({ FAULTLINE_CC: `${cc} -march=rv64gc` })).toMatchObject({
      kind: 'gcc',
      path: cc,
      cArgs: ['-march=rv64gc'],
    });
  });

  it('does not pass over a FAULTLINE_CC that is not there', () => {
    const found = findToolchain({ FAULTLINE_CC: '/nowhere/cc', PATH: process.env['PATH'] });
    expect(found).toEqual({ error: "FAULTLINE_CC: cannot run '/nowhere/cc': no such program" });
  });

  it('takes gnu before musl before zig from PATH', () => {
    const bin = join(work, 'bin');
    mkdirSync(bin);
    const names = ['zig', 'riscv64-linux-musl-gcc', 'riscv64-linux-gnu-gcc'];
    for (const name of names) {
      fakeCompiler(join('bin', name));
      expect(findToolchain({ PATH: bin })).toMatchObject({ name });
    }
    expect(findToolchain({ PATH: bin, FAULTLINE_CC: 'zig' })).toMatchObject({
      kind: 'zig',
      cArgs: ['cc', '-target', 'riscv64-linux-musl'],
    });
  });

  it('finds the zig package of this checkout', () => {
    expect(findToolchain({ PATH: '' })).toMatchObject({ kind: 'zig' });
  });

  it('says how to get a compiler', () => {
    expect(NO_COMPILER).toMatch(/apt install .*npm install @oven\/zig.*FAULTLINE_CC/);
    expect(NO_COMPILER).not.toContain('\n');
  });
});

describe('compileForGuest', () => {
  it('compiles a static riscv64 ELF file and caches it', async () => {
    const file = write('one.c', '#include <stdio.h>\nint main(void) { puts("one"); return 0; }\n');
    const elf = elfOf(await compileForGuest(file, { cacheDir }));
    const bytes = readFileSync(elf);
    expect(bytes.subarray(0, 4).toString('latin1')).toBe('\x7fELF');
    expect(bytes.readUInt16LE(18)).toBe(243); // EM_RISCV
    expect(elfOf(await compileForGuest(file, { cacheDir }))).toBe(elf);
    expect(readdirSync(cacheDir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('gives another file when a local header, the flags or the source change', async () => {
    const header = write('v.h', '#define V 1\n');
    const file = write('two.c', '#include "v.h"\nint main(void) { return V; }\n');
    const first = elfOf(await compileForGuest(file, { cacheDir }));
    writeFileSync(header, '#define V 2\n');
    const second = elfOf(await compileForGuest(file, { cacheDir }));
    const third = elfOf(await compileForGuest(file, { cacheDir, extraFlags: ['-O0'] }));
    writeFileSync(file, '#include "v.h"\nint main(void) { return V + 1; }\n');
    const fourth = elfOf(await compileForGuest(file, { cacheDir }));
    expect(new Set([first, second, third, fourth]).size).toBe(4);
    writeFileSync(header, '#define V 1\n');
    writeFileSync(file, '#include "v.h"\nint main(void) { return V; }\n');
    expect(elfOf(await compileForGuest(file, { cacheDir }))).toBe(first);
  });

  it('compiles C++', async () => {
    const file = write('x.cc', '#include <string>\nint main() { return std::string("abc").size() == 3 ? 0 : 1; }\n');
    expect(elfOf(await compileForGuest(file, { cacheDir }))).toContain('x-');
  }, 600_000);

  it('runs the compiler once for the same input', async () => {
    const env = { FAULTLINE_CC: fakeCompiler('countcc') };
    const file = write('fake.c', 'x');
    const first = elfOf(await compileForGuest(file, { cacheDir, env }));
    expect(elfOf(await compileForGuest(file, { cacheDir, env }))).toBe(first);
    expect(readFileSync(join(work, 'countcc.runs'), 'utf8')).toBe('run\n');
  });

  it('gives one line for a syntax error, with the file and the compiler', async () => {
    const file = write('bad.c', 'int main(void) { return nothing; }\n');
    const result = await compileForGuest(file, { cacheDir });
    expect(result).toMatchObject({ error: expect.stringMatching(/bad\.c: .* failed: .*error: .*nothing/) });
    expect('error' in result && result.error).not.toContain('\n');
  });

  it('gives one line for a missing header, a missing file, a missing symbol and an unwritable cache', async () => {
    const header = write('h.c', '#include "absent.h"\nint main(void) { return 0; }\n');
    expect(await compileForGuest(header, { cacheDir })).toMatchObject({ error: expect.stringContaining('absent.h') });
    const symbol = write('s.c', 'int f(void);\nint main(void) { return f(); }\n');
    expect(await compileForGuest(symbol, { cacheDir })).toMatchObject({
      error: expect.stringMatching(/undefined .*f/),
    });
    const absent = await compileForGuest(join(work, 'absent.c'), { cacheDir });
    expect(absent).toMatchObject({ error: expect.stringContaining('cannot read the source file') });
    const nowhere = await compileForGuest(header, { cacheDir: join(header, 'below-a-file') });
    expect(nowhere).toMatchObject({ error: expect.stringContaining('cannot write to the cache folder') });
  });
});

describe('defaultCacheDir', () => {
  it('follows XDG_CACHE_HOME, then HOME, then the temporary folder', () => {
    expect(defaultCacheDir({ XDG_CACHE_HOME: join(work, 'xdg'), HOME: work })).toBe(join(work, 'xdg', 'faultline'));
    expect(defaultCacheDir({ HOME: work })).toBe(join(work, '.cache', 'faultline'));
    expect(defaultCacheDir({ HOME: '/proc/none' })).toContain(tmpdir());
  });
});

describe('parseMakeRule', () => {
  it('reads continued lines and escaped spaces', () => {
    expect(parseMakeRule('a.o: a.c \\\n b\\ c.h d$$.h\n')).toEqual(['a.c', 'b c.h', 'd$.h']);
  });
});
