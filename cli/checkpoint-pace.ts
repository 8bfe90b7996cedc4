import { monotonicMs } from './monotonic-ms.ts';

/** Of the run, between two checkpoints: a replay goes from one to just before the next in about as much, some more while its code is cold. */
const INTERVAL_MS = 500;
/** The run goes on for so many times what the last one took: it is never slowed down by more than a half. */
const RUN_TO_COST = 2;
/** What a disk takes at least. */
const FILE_BYTES_PER_MS = 100_000;

/** Of our own process, which others keep waiting on a busy machine; CPU time is that of all threads, so the smaller one counts. */
interface Clocks {
  readonly wallMs: number;
  readonly cpuMs: number;
}

export function readClocks(): Clocks {
  const { user, system } = process.cpuUsage();
  return { wallMs: monotonicMs(), cpuMs: (user + system) / 1000 };
}

export function msSince({ wallMs, cpuMs }: Clocks): number {
  const now = readClocks();
  return Math.min(now.wallMs - wallMs, now.cpuMs - cpuMs);
}

/** When a recorded run leaves the next checkpoint: by the time that it has run, since replaying it takes such a time again. */
export class CheckpointPace {
  /** Instructions and traps from one to the next; null: by time. */
  private readonly every: number | null;
  private ranMs = 0;
  private started = readClocks();
  private waitMs = INTERVAL_MS;
  private dueAt: number;

  constructor(every: number | null) {
    this.every = every;
    this.dueAt = every ?? 0;
  }

  /** The machine is about to run. */
  runs(): void {
    this.started = readClocks();
  }

  /** It has come to a point (System.issued): is one due? */
  isDue(issued: number): boolean {
    this.ranMs += msSince(this.started);
    return this.every === null ? this.ranMs >= this.waitMs : issued >= this.dueAt;
  }

  /** One was taken at this point. */
  taken(issued: number, { costMs, bytes }: { readonly costMs: number; readonly bytes: number }): void {
    this.ranMs = 0;
    this.waitMs = Math.max(INTERVAL_MS, costMs * RUN_TO_COST, bytes / FILE_BYTES_PER_MS);
    this.dueAt = issued + (this.every ?? 0);
  }
}
