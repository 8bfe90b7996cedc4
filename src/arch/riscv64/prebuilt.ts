import type { PagingFormat } from '../../machine/paging/format.ts';
import { setMemoryPages } from '../wasm/module-builder.ts';

/**
 * The interpreter of the usual machine (Sv39, nothing translated), made when Faultline is built: making it is a good part of a short
 * run. As text of two bytes a character, which any host decodes; scripts/build.mjs puts it here. Where it is not, from source as
 * in the tests, the interpreter is generated.
 */
declare const FAULTLINE_INTERPRETER: string;

/** The format that scripts/build.mjs makes it for. */
const FORMAT = 'sv39';

export function prebuiltInterpreter(format: PagingFormat, memoryPages: number): Uint8Array<ArrayBuffer> | null {
  if (typeof FAULTLINE_INTERPRETER === 'undefined' || format.name !== FORMAT) return null;
  const text = FAULTLINE_INTERPRETER;
  const pairs = new Uint16Array(text.length);
  for (let i = 0; i < pairs.length; i++) pairs[i] = text.charCodeAt(i);
  // A module's last byte is an `end`: a 0 behind it makes the number of bytes even.
  const padding = text.charCodeAt(text.length - 1) >> 8 === 0 ? 1 : 0;
  const module = new Uint8Array(pairs.buffer, 0, 2 * pairs.length - padding);
  setMemoryPages(module, memoryPages);
  return module;
}
