/** How many pages were referenced within a window. */
export interface WindowUse {
  readonly ticks: number;
  /** The window that ends with the last tick. */
  readonly pages: number;
  /** Of the windows that end with each tick. */
  readonly meanPages: number;
  readonly mostPages: number;
}

/** The longest has 2^30 ticks: more than a run. */
const POWERS = 31;
const FIRST_ROOM = 1024;

/**
 * Denning's working set W(t, tau) for all windows of 2^k ticks and one more at once, in one pass: how many pages were referenced in
 * the last so many ticks. Pages are numbers from 0. What comes is of the tick under way, `tick`.
 *
 * A page is in a window from the tick in which it is referenced until the window has left its last reference behind. When a tick ends:
 *
 *   lastUses[t]   so many pages were referenced last in tick t; those of tick - m leave the window of m ticks
 *   entered[k]    so many were referenced in this tick, and enter the first k windows: the last reference before was more than 2^(k-1) ticks ago
 *
 * Invariant: inside[k] is the sum of lastUses over the last 2^k ticks that have ended.
 */
export class WorkingSetWindows {
  /** From 0. */
  tick = 0;
  /** The window of so many ticks, when the last tick had ended. */
  followedPages = 0;
  private readonly followedTicks: number;
  private followedEntered = 0;
  private followedSum = 0;
  private followedMost = 0;
  /** lastTicks[page]: -1 before its first reference. */
  private lastTicks: Int32Array<ArrayBuffer> = new Int32Array(FIRST_ROOM).fill(-1);
  private lastUses: Int32Array<ArrayBuffer> = new Int32Array(FIRST_ROOM);
  private readonly entered = new Int32Array(POWERS + 1);
  private readonly inside = new Int32Array(POWERS);
  private readonly sums = new Float64Array(POWERS);
  private readonly most = new Int32Array(POWERS);

  constructor(followedTicks = 1) {
    this.followedTicks = followedTicks;
  }

  reference(page: number): void {
    if (page >= this.lastTicks.length) this.lastTicks = grown(this.lastTicks, page + 1, -1);
    const { lastTicks, lastUses, tick } = this;
    const last = lastTicks[page];
    if (last === tick) return;
    lastTicks[page] = tick;
    lastUses[tick]++;
    if (last >= 0) lastUses[last]--;
    this.entered[last < 0 ? POWERS : 32 - Math.clz32(tick - last - 1)]++;
    if (last < 0 || tick - last > this.followedTicks) this.followedEntered++;
  }

  /** The tick under way is over. */
  endTick(): void {
    const { inside, entered, sums, most, lastUses, tick } = this;
    let entering = 0;
    for (let k = POWERS - 1; k >= 0; k--) {
      entering += entered[k + 1];
      inside[k] += entering - (2 ** k <= tick ? lastUses[tick - 2 ** k] : 0);
      sums[k] += inside[k];
      if (inside[k] > most[k]) most[k] = inside[k];
    }
    entered.fill(0);
    this.endFollowed();
    this.tick++;
    if (this.tick === lastUses.length) this.lastUses = grown(lastUses, this.tick + 1, 0);
  }

  /** By length; up to the first one that is as long as all ticks that have ended, of which there must be one. */
  list(): WindowUse[] {
    const { tick, inside, sums, most, followedTicks } = this;
    const uses: WindowUse[] = [];
    for (let k = 0; k < POWERS; k++) {
      uses.push({ ticks: 2 ** k, pages: inside[k], meanPages: sums[k] / tick, mostPages: most[k] });
      if (2 ** k >= tick) break;
    }
    if (followedTicks < tick && !uses.some(({ ticks }) => ticks === followedTicks))
      uses.push({
        ticks: followedTicks,
        pages: this.followedPages,
        meanPages: this.followedSum / tick,
        mostPages: this.followedMost,
      });
    return uses.sort((a, b) => a.ticks - b.ticks);
  }

  private endFollowed(): void {
    const { tick, followedTicks } = this;
    this.followedPages += this.followedEntered - (followedTicks <= tick ? this.lastUses[tick - followedTicks] : 0);
    this.followedEntered = 0;
    this.followedSum += this.followedPages;
    this.followedMost = Math.max(this.followedMost, this.followedPages);
  }
}

function grown(array: Int32Array<ArrayBuffer>, least: number, fill: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(2 * array.length, least));
  larger.set(array);
  if (fill !== 0) larger.fill(fill, array.length);
  return larger;
}
