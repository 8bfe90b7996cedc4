import { EFAULT } from '../../abi/errno.ts';
import type { IoSource } from '../../base/io.ts';
import { decodeUtf8 } from '../../base/utf8.ts';

/** No handler looks at more of one write than this (PAGE_SIZE - 1). */
const MAX_BYTES = 4095;

/** The bytes of one write as text; -EFAULT. What is beyond a page is taken and not looked at. */
export function takeText(source: IoSource): { readonly text: string; readonly lengthBytes: number } | number {
  const lengthBytes = source.remaining;
  const bytes = new Uint8Array(Math.min(lengthBytes, MAX_BYTES));
  if (source.take(bytes) !== bytes.length) return -EFAULT;
  return { text: decodeUtf8(bytes), lengthBytes };
}

/** kstrtoint with base 0 of a text with blanks around it; null if it is none. */
export function parseInteger(text: string): number | null {
  const match = /^\s*([+-]?)(0x[0-9a-f]+|[0-9]+)\s*\0?$/i.exec(text);
  if (match === null) return null;
  const digits = match[2];
  const value = /^0x/i.test(digits)
    ? Number.parseInt(digits, 16)
    : /^0[0-7]+$/.test(digits)
      ? Number.parseInt(digits, 8)
      : Number.parseInt(digits, 10);
  return match[1] === '-' ? -value : value;
}
