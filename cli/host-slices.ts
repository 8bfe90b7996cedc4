/** The least and the most instructions of a slice. */
const LEAST = 20_000;
const MOST = 4_000_000;
/** What a slice should take of the host: a checkpoint comes at the end of one, and so does a signal of the host. */
const LONG_MS = 40;

/** How many instructions a recorded machine runs between two looks at the host: fewer where they take long, as a fork does. */
export class HostSlices {
  private instructions = MOST;

  get next(): number {
    return this.instructions;
  }

  took(ms: number): void {
    if (ms > LONG_MS) this.instructions = Math.max(LEAST, Math.floor(this.instructions / 2));
    else if (ms < LONG_MS / 4) this.instructions = Math.min(MOST, this.instructions * 2);
  }
}
