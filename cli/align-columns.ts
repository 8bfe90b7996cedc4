/** Lines of a table, its columns two spaces apart: the first ones to the right, the others to the left. */
export function align(rows: readonly (readonly string[])[], rightCount: number): string[] {
  const widths = rows[0].map((_, at) => Math.max(...rows.map((row) => row[at].length)));
  return rows.map((row) =>
    row
      .map((text, at) => (at < rightCount ? text.padStart(widths[at]) : text.padEnd(widths[at])))
      .join('  ')
      .trimEnd(),
  );
}
