// The part of the WebAssembly JavaScript API that src/ uses. src/ compiles without DOM and without Node types, and
// TypeScript ships these declarations only with the DOM. Source: WebAssembly JavaScript Interface, W3C.
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array | ArrayBuffer);
  }
  class Table {
    constructor(descriptor: { element: 'anyfunc'; initial: number; maximum?: number });
    set(index: number, value: ExportValue | null): void;
  }
  type ImportValue = Memory | Table | ((...args: never[]) => unknown);
  type ExportValue = Memory | ((...args: number[]) => number);
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, ImportValue>>);
    readonly exports: Record<string, ExportValue>;
  }
  function validate(bytes: Uint8Array | ArrayBuffer): boolean;
  class CompileError extends Error {}
  class RuntimeError extends Error {}
}

// The few host globals that every JavaScript host has (Node 20, browsers) but that belong to no ECMAScript edition.
declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: Uint8Array, options?: { stream?: boolean }): string;
}
