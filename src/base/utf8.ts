/**
 * UTF-8 that loses nothing: a byte that is not part of valid UTF-8 becomes the lone surrogate U+DC00 + byte and goes back to
 * that byte (PEP 383, surrogateescape). File names and arguments on Linux are bytes; inside the machine they are strings.
 */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const LONE_SURROGATE = /\p{Surrogate}/u;

export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return decodeEscaping(bytes);
  }
}

export function encodeUtf8(text: string): Uint8Array {
  if (!LONE_SURROGATE.test(text)) return encoder.encode(text);
  const parts: number[] = [];
  for (const point of text) {
    const code = point.codePointAt(0) as number;
    if (code >= 0xdc80 && code <= 0xdcff) parts.push(code - 0xdc00);
    else parts.push(...encoder.encode(point));
  }
  return Uint8Array.from(parts);
}

function decodeEscaping(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes, i);
    text += length === 0 ? String.fromCharCode(0xdc00 + bytes[i]) : decoder.decode(bytes.subarray(i, i + length));
    i += Math.max(1, length);
  }
  return text;
}

/** Bytes of the valid sequence at `i`, 0 if there is none. */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const lead = bytes[i];
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || i + length > bytes.length) return 0;
  for (let j = 1; j < length; j++) if ((bytes[i + j] & 0xc0) !== 0x80) return 0;
  if (lead === 0xe0 && bytes[i + 1] < 0xa0) return 0;
  if (lead === 0xed && bytes[i + 1] > 0x9f) return 0;
  if (lead === 0xf0 && bytes[i + 1] < 0x90) return 0;
  if (lead === 0xf4 && bytes[i + 1] > 0x8f) return 0;
  return length;
}
