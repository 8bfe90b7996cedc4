/** What a "#!" line names. */
export interface Script {
  readonly interpreter: Uint8Array;
  /** All that follows the interpreter, as one argument. */
  readonly argument: Uint8Array | null;
}

const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x09;

/**
 * load_script (6.18, fs/binfmt_script.c) on the first 256 bytes (zero filled): null where the line names nothing, or where the
 * interpreter's name may be cut off by the end of the buffer.
 */
export function parseScript(head: Uint8Array): Script | null {
  const bufferEnd = head.length - 1;
  let end = head.indexOf(0x0a);
  if (end < 0 || end > bufferEnd) {
    let first = 2;
    while (first <= bufferEnd && isBlank(head[first])) first++;
    if (first > bufferEnd) return null;
    let after = first;
    while (after <= bufferEnd && !isBlank(head[after]) && head[after] !== 0) after++;
    if (after > bufferEnd) return null;
    end = bufferEnd;
  }
  while (end > 2 && isBlank(head[end - 1])) end--;
  let start = 2;
  while (start < end && isBlank(head[start])) start++;
  if (start === end || head[start] === 0) return null;
  let separator = start;
  while (separator < end && !isBlank(head[separator]) && head[separator] !== 0) separator++;
  const interpreter = head.slice(start, separator);
  let argument: Uint8Array | null = null;
  if (separator < end && head[separator] !== 0) {
    while (separator < end && isBlank(head[separator])) separator++;
    const text = head.slice(separator, end);
    const nul = text.indexOf(0);
    argument = nul < 0 ? text : text.slice(0, nul);
    if (argument.length === 0) argument = null;
  }
  return { interpreter, argument };
}
