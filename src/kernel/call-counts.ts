/** Numbers below this have a counter of their own; no architecture gives out more. */
const NUMBERED = 1024;

/** How often each system call was made. A counter by number, because every call counts. */
export class CallCounts {
  private readonly byNumber = new Float64Array(NUMBERED);
  private readonly others = new Map<number, number>();

  add(nr: number): void {
    if (nr >= 0 && nr < NUMBERED) this.byNumber[nr]++;
    else this.others.set(nr, (this.others.get(nr) ?? 0) + 1);
  }

  /** By name; only what was called. */
  named(nameOf: (nr: number) => string): Map<string, number> {
    const counts = new Map<string, number>();
    for (let nr = 0; nr < NUMBERED; nr++) if (this.byNumber[nr] > 0) counts.set(nameOf(nr), this.byNumber[nr]);
    for (const [nr, count] of this.others) counts.set(nameOf(nr), count);
    return counts;
  }
}
