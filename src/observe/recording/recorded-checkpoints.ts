import { assert } from '../../base/assert.ts';
import type { Environment } from '../../machine/environment.ts';
import { Checkpoint } from './checkpoint.ts';
import { CheckpointDecoder, CheckpointEncoder } from './checkpoint-codec.ts';
import { leavesOf, StateNames } from './state-names.ts';

/** A checkpoint as a recording holds it. */
export interface RecordedCheckpoint {
  /** Of the machine's start, as it was made: StateNames.fingerprint. */
  readonly fingerprint: string;
  /** Bytes of the journal that had been written. */
  readonly position: number;
  /** Instructions and traps so far (System.issued). */
  readonly issued: number;
  readonly nowNs: number;
  /** What is different from the checkpoint before, or from the machine's start. */
  readonly since: 'before' | 'start';
  readonly bytes: Uint8Array;
}

/** Instructions and traps from one to the next: half a second of translated code or so. */
const INTERVAL = 192_000_000;
/** More of them for each byte of the last one, so that the run spends most of its time running. */
const INTERVAL_PER_BYTE = 20;
/** Whoever goes to a checkpoint reads all from the last one that is told from the start. */
const WHOLE_EVERY = 8;

/** What a recorded run leaves on its way, so that a replay can begin near a point that is asked for. */
export class CheckpointRecorder {
  private readonly root: object;
  private readonly leaves: ReadonlySet<object>;
  private readonly names: StateNames;
  private encoder: CheckpointEncoder;
  private taken = 0;
  private before: Checkpoint | null = null;
  private readonly interval: number | null;
  private dueAt: number;

  /** `root`: the machine (System), just made. `interval`: instructions from one to the next; null: as many as go well with their size. */
  constructor(root: object, environment: Environment, interval: number | null = null) {
    const leaves = leavesOf(environment);
    this.root = root;
    this.leaves = new Set(leaves);
    this.names = new StateNames(root, leaves);
    this.encoder = new CheckpointEncoder(this.names);
    this.interval = interval;
    this.dueAt = interval ?? INTERVAL;
  }

  isDue(issued: number): boolean {
    return issued >= this.dueAt;
  }

  /** Between two runs. Throws CheckpointError if the state leads to what has no name; then it is of no further use. */
  take(at: Pick<RecordedCheckpoint, 'position' | 'issued' | 'nowNs'>): RecordedCheckpoint {
    this.before = Checkpoint.of(this.root, this.leaves, this.before);
    const since = this.taken++ % WHOLE_EVERY === 0 ? 'start' : 'before';
    if (since === 'start') this.encoder = new CheckpointEncoder(this.names);
    const bytes = this.encoder.encode(this.before);
    this.dueAt = at.issued + (this.interval ?? INTERVAL + bytes.length * INTERVAL_PER_BYTE);
    return { fingerprint: this.names.fingerprint, ...at, since, bytes };
  }
}

/** The checkpoints of a recording, for a machine that has just been made of the same options. */
export class RecordedCheckpoints {
  private readonly list: readonly RecordedCheckpoint[];
  private readonly names: StateNames;
  private decoder: CheckpointDecoder;
  /** The last that was decoded, and its index. */
  private last: Checkpoint | null = null;
  private decoded = -1;

  /** Those of another Faultline, whose machines have other parts, are none. */
  constructor(root: object, environment: Environment, list: readonly RecordedCheckpoint[]) {
    this.names = new StateNames(root, leavesOf(environment));
    this.list = list.every(({ fingerprint }) => fingerprint === this.names.fingerprint) ? list : [];
    this.decoder = new CheckpointDecoder(this.names);
  }

  /** Which one is the last up to a point; -1: none. */
  lastWhere(isBefore: (checkpoint: RecordedCheckpoint) => boolean): number {
    return this.list.findLastIndex(isBefore);
  }

  at(index: number): RecordedCheckpoint {
    return this.list[index];
  }

  decode(index: number): Checkpoint {
    const whole = this.list.findLastIndex(({ since }, at) => at <= index && since === 'start');
    for (let at = this.decoded >= whole && this.decoded <= index ? this.decoded + 1 : whole; at <= index; at++) {
      if (at === whole) this.decoder = new CheckpointDecoder(this.names);
      this.last = this.decoder.decode(this.list[at].bytes);
      this.decoded = at;
    }
    assert(this.last !== null, 'observe/recording/recorded-checkpoints.ts: there is a checkpoint of that index');
    return this.last;
  }
}
