/**
 * What a disk takes for its requests, in virtual time (docs/devices.md has the table and where the figures come from). A function
 * of the requests and the times at which they came, and of nothing else (decision D3).
 *
 *   came --a unit is free--> started --latency, seek--> ready --the link is free--> transfer --> done
 *
 * Requests start in the order in which they came. `depth` of them are worked on at a time, the bytes of one at a time pass the
 * link, so a busy device answers later.
 */
export type DiskKind = 'nvme' | 'ssd' | 'hdd';
export const DISK_KINDS = ['nvme', 'ssd', 'hdd'] as const;

export interface DiskFigures {
  /** Requests that are worked on at a time. */
  readonly depth: number;
  readonly readLatencyNs: number;
  readonly writeLatencyNs: number;
  /** A page of 4 KiB on the link. */
  readonly pageNs: number;
  /** Until what was written before is safe from a loss of power (FLUSH). */
  readonly flushNs: number;
  /** A head that moves; null: any place is as near as any other. */
  readonly seek: SeekFigures | null;
}

/** A move over `distance` pages takes nearestNs + (farthestNs - nearestNs) * sqrt(distance / spanPages), then half a turn. */
export interface SeekFigures {
  readonly nearestNs: number;
  readonly farthestNs: number;
  readonly spanPages: number;
  readonly halfTurnNs: number;
}

const GIB_PAGES = 2 ** 18;

export const DISKS: Readonly<Record<DiskKind, DiskFigures>> = {
  /** A fast NVMe drive on four lanes: 20 us, 4 GB/s. Writes end in its own memory, which a capacitor keeps. */
  nvme: { depth: 32, readLatencyNs: 20_000, writeLatencyNs: 20_000, pageNs: 1_000, flushNs: 20_000, seek: null },
  /** A SATA solid-state drive: 80 us to read flash, 540 MB/s on the link. */
  ssd: { depth: 32, readLatencyNs: 80_000, writeLatencyNs: 50_000, pageNs: 7_500, flushNs: 500_000, seek: null },
  /** A disk of 1 TiB that turns 7200 times a minute: one request at a time, 160 MB/s. */
  hdd: {
    depth: 1,
    readLatencyNs: 100_000,
    writeLatencyNs: 100_000,
    pageNs: 25_600,
    flushNs: 8_333_000,
    seek: { nearestNs: 500_000, farthestNs: 16_000_000, spanPages: 1024 * GIB_PAGES, halfTurnNs: 4_167_000 },
  },
};

export class BlockDevice {
  readonly kind: DiskKind;
  readonly figures: DiskFigures;
  /** When each unit is free again. */
  private readonly unitFreeNs: Float64Array;
  private linkFreeNs = 0;
  /** When all that was handed over has ended. */
  private lastDoneNs = 0;
  /** The page behind the last one that was moved. */
  private head = 0;

  constructor(kind: DiskKind) {
    this.kind = kind;
    this.figures = DISKS[kind];
    this.unitFreeNs = new Float64Array(this.figures.depth);
  }

  /** When a request that comes at `nowNs` has finished: `pages` from page `position` of the disk on. */
  submit(direction: 'read' | 'write', position: number, pages: number, nowNs: number): number {
    const { figures, unitFreeNs } = this;
    let unit = 0;
    for (let other = 1; other < unitFreeNs.length; other++) if (unitFreeNs[other] < unitFreeNs[unit]) unit = other;
    const startNs = Math.max(nowNs, unitFreeNs[unit]);
    const latencyNs = direction === 'read' ? figures.readLatencyNs : figures.writeLatencyNs;
    const readyNs = startNs + latencyNs + this.moveNs(position);
    const doneNs = Math.max(readyNs, this.linkFreeNs) + pages * figures.pageNs;
    unitFreeNs[unit] = doneNs;
    this.linkFreeNs = doneNs;
    this.head = position + pages;
    this.lastDoneNs = Math.max(this.lastDoneNs, doneNs);
    return doneNs;
  }

  /** When all that was written before `nowNs` is safe; what comes later waits. */
  flush(nowNs: number): number {
    const doneNs = Math.max(nowNs, this.lastDoneNs) + this.figures.flushNs;
    this.unitFreeNs.fill(doneNs);
    this.lastDoneNs = doneNs;
    return doneNs;
  }

  /** What comes next in a row is under the head; anything else is half a turn away on average. */
  private moveNs(position: number): number {
    const { seek } = this.figures;
    if (seek === null || position === this.head) return 0;
    const part = Math.min(1, Math.abs(position - this.head) / seek.spanPages);
    return Math.round(seek.nearestNs + (seek.farthestNs - seek.nearestNs) * Math.sqrt(part)) + seek.halfTurnNs;
  }
}
