/**
 * Reads a size: a whole number of bytes with an optional suffix K, M, G or T (powers of 1024; KiB, MB and so on are taken as the
 * same). Returns bytes, or null if the text is not a size.
 */
export function parseSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) return null;
  const unit = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }[match[2].toLowerCase()]!;
  const bytes = Number(match[1]) * unit;
  return Number.isInteger(bytes) && Number.isSafeInteger(bytes) ? bytes : null;
}

/** Bytes as people read them: 64M, 1.5G. */
export function formatSize(bytes: number): string {
  for (const [suffix, unit] of [
    ['T', 2 ** 40],
    ['G', 2 ** 30],
    ['M', 2 ** 20],
    ['K', 2 ** 10],
  ] as const) {
    if (bytes >= unit) return `${Number((bytes / unit).toFixed(1))}${suffix}`;
  }
  return `${bytes}B`;
}
