import { assert, panic } from '../../base/assert.ts';
import { ByteSink } from './byte-sink.ts';
import type { FunctionBuilder } from './function-builder.ts';
import type { ValueType } from './opcodes.ts';

/**
 * One WebAssembly module: function imports, one imported memory, maybe one imported table, functions, exports. Function indices are stable from the
 * moment a function is declared: all imports come first, then functions in the order of `declare`.
 */
export class ModuleBuilder {
  private readonly types: string[] = [];
  private readonly typeBytes: Uint8Array[] = [];
  private readonly imports: { module: string; name: string; type: number }[] = [];
  private readonly functions: { type: number; body: FunctionBuilder | null }[] = [];
  private tableEntries = 0;
  private readonly exports: { name: string; index: number }[] = [];

  /** All imports must come before the first `declare`. */
  importFunction(module: string, name: string, params: readonly ValueType[], results: readonly ValueType[]): number {
    assert(this.functions.length === 0, 'wasm/module-builder.ts: imports come before functions');
    this.imports.push({ module, name, type: this.typeOf(params, results) });
    return this.imports.length - 1;
  }

  /** The module calls through `env.table`, of so many functions. */
  importTable(entries: number): void {
    this.tableEntries = entries;
  }

  /** Reserves an index, so that functions may call each other; `define` gives the body. */
  declare(params: readonly ValueType[], results: readonly ValueType[]): number {
    this.functions.push({ type: this.typeOf(params, results), body: null });
    return this.imports.length + this.functions.length - 1;
  }

  define(index: number, body: FunctionBuilder): void {
    const entry = this.functions[index - this.imports.length];
    assert(entry.body === null, 'wasm/module-builder.ts: a function is defined once');
    assert(
      entry.type === this.typeOf(body.params, body.results),
      'wasm/module-builder.ts: a body has the type that was declared',
    );
    entry.body = body;
  }

  exportFunction(name: string, index: number): void {
    this.exports.push({ name, index });
  }

  /** The module; its memory, of exactly so many pages of 64 KiB, is imported as `env.memory`. */
  build(memoryPages: number): Uint8Array<ArrayBuffer> {
    const out = new ByteSink(16384);
    out.append(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    section(out, 1, (s) => {
      s.unsigned(this.typeBytes.length);
      for (const bytes of this.typeBytes) s.append(bytes);
    });
    section(out, 2, (s) => {
      s.unsigned(this.imports.length + (this.tableEntries > 0 ? 2 : 1));
      for (const entry of this.imports) {
        s.name(entry.module);
        s.name(entry.name);
        s.byte(0);
        s.unsigned(entry.type);
      }
      s.name('env');
      s.name('memory');
      s.byte(2);
      s.byte(1);
      s.append(pagesOf(memoryPages));
      s.append(pagesOf(memoryPages));
      if (this.tableEntries === 0) return;
      s.name('env');
      s.name('table');
      s.append(new Uint8Array([1, 0x70, 1]));
      s.unsigned(this.tableEntries);
      s.unsigned(this.tableEntries);
    });
    section(out, 3, (s) => {
      s.unsigned(this.functions.length);
      for (const entry of this.functions) s.unsigned(entry.type);
    });
    section(out, 7, (s) => {
      s.unsigned(this.exports.length);
      for (const entry of this.exports) {
        s.name(entry.name);
        s.byte(0);
        s.unsigned(entry.index);
      }
    });
    section(out, 10, (s) => {
      s.unsigned(this.functions.length);
      for (const { body } of this.functions) {
        assert(body !== null, 'wasm/module-builder.ts: every declared function has a body');
        const code = new ByteSink(body.bytes.length + 64);
        writeLocals(code, body.locals);
        code.append(body.bytes.view());
        code.byte(0x0b);
        s.unsigned(code.length);
        s.append(code.view());
      }
    });
    return out.view();
  }

  /** The index of a function type, for callIndirect. */
  typeOf(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params.join()}>${results.join()}`;
    const known = this.types.indexOf(key);
    if (known >= 0) return known;
    this.types.push(key);
    this.typeBytes.push(new Uint8Array([0x60, params.length, ...params, results.length, ...results]));
    return this.types.length - 1;
  }
}

function section(out: ByteSink, id: number, write: (sink: ByteSink) => void): void {
  const sink = new ByteSink(1024);
  write(sink);
  out.byte(id);
  out.unsigned(sink.length);
  out.append(sink.view());
}

/** Runs of equal types, as the binary format wants them. */
function writeLocals(out: ByteSink, locals: readonly ValueType[]): void {
  const runs: { type: ValueType; count: number }[] = [];
  for (const type of locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  out.unsigned(runs.length);
  for (const run of runs) {
    out.unsigned(run.count);
    out.byte(run.type);
  }
}

/** LEB128 of always three bytes, so that it can be changed in place. */
function pagesOf(count: number): Uint8Array {
  return Uint8Array.of(0x80 | (count & 0x7f), 0x80 | ((count >> 7) & 0x7f), count >> 14);
}

/** `env.memory`'s import in a module of `build`, up to its limits. */
const MEMORY_IMPORT = [3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 1];

/** Changes how many pages a module of `build` takes: V8 makes better code of a size that it knows than of any size. */
export function setMemoryPages(module: Uint8Array, count: number): void {
  const last = module.length - MEMORY_IMPORT.length - 6;
  for (let at = 0; at <= last; at++) {
    if (!MEMORY_IMPORT.every((byte, i) => module[at + i] === byte)) continue;
    for (const i of [0, 3]) module.set(pagesOf(count), at + MEMORY_IMPORT.length + i);
    return;
  }
  panic('wasm/module-builder.ts: the module imports no memory');
}
