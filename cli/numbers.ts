/** A whole number with commas between groups of three digits. */
export function grouped(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Virtual time to a thousandth of a millisecond. */
export function ms(ns: number): string {
  return `${(ns / 1e6).toFixed(3)} ms`;
}

/** The line behind a list that was cut off; none where it was not. */
export function more(length: number, limit: number): string[] {
  return length > limit ? [`... and ${grouped(length - limit)} more (--limit ${length})`] : [];
}
