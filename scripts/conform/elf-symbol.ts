const SHT_SYMTAB = 2;

/** The value of a symbol in a 64-bit little-endian ELF file; null if there is none, or the tables are not whole. */
export function findSymbol(file: Uint8Array, name: string): number | null {
  try {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    const word = (at: number) => Number(view.getBigUint64(at, true));
    const sections = word(40);
    const entryBytes = view.getUint16(58, true);
    const count = view.getUint16(60, true);
    for (let i = 0; i < count; i++) {
      const header = sections + i * entryBytes;
      if (view.getUint32(header + 4, true) !== SHT_SYMTAB) continue;
      const strings = word(sections + view.getUint32(header + 40, true) * entryBytes + 24);
      const start = word(header + 24);
      const end = start + word(header + 32);
      for (let at = start; at + 24 <= end; at += 24) {
        if (isName(file, strings + view.getUint32(at, true), name)) return word(at + 8);
      }
    }
    return null;
  } catch (error) {
    // Offsets that lead out of the file.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function isName(file: Uint8Array, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if (file[at + i] !== name.charCodeAt(i)) return false;
  return file[at + name.length] === 0;
}
