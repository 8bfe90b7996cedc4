import type { Environment } from '../../machine/environment.ts';
import { Checkpoint } from './checkpoint.ts';
import { CheckpointDecoder, type FindBlock } from './checkpoint-decoder.ts';
import { CheckpointEncoder } from './checkpoint-encoder.ts';
import { type PieceBlock, PieceBlocks } from './piece-blocks.ts';
import { leavesOf, StateNames } from './state-names.ts';

/** Where a checkpoint was taken: enough to choose one. */
export interface CheckpointPoint {
  /** Of the machine's start, as it was made: StateNames.fingerprint. */
  readonly fingerprint: string;
  /** Bytes of the journal that had been written. */
  readonly position: number;
  /** Instructions and traps so far (System.issued). */
  readonly issued: number;
  readonly nowNs: number;
}

/** A checkpoint, whole, but for its pages, which are in blocks. */
export interface TakenCheckpoint extends CheckpointPoint {
  /** Those that no checkpoint before had. */
  readonly blocks: readonly PieceBlock[];
  readonly bytes: Uint8Array;
}

/** The checkpoints of a recording, in the order of the run. */
export interface CheckpointSource {
  readonly points: readonly CheckpointPoint[];
  /** TakenCheckpoint.bytes of one of them; null: they are not there any more. */
  bytesOf(index: number): Uint8Array | null;
  readonly findBlock: FindBlock;
}

/** What a recorded run leaves on its way, so that a replay can begin near a point that is asked for. */
export class CheckpointRecorder {
  private readonly root: object;
  private readonly leaves: ReadonlySet<object>;
  private readonly names: StateNames;
  private readonly blocks = new PieceBlocks();
  private before: Checkpoint | null = null;

  /** `root`: the machine (System), just made. */
  constructor(root: object, environment: Environment) {
    const leaves = leavesOf(environment);
    this.root = root;
    this.leaves = new Set(leaves);
    this.names = new StateNames(root, leaves);
  }

  /** Between two runs. Throws CheckpointError if the state leads to what has no name; then it is of no further use. */
  take(at: Pick<CheckpointPoint, 'position' | 'issued' | 'nowNs'>): TakenCheckpoint {
    this.before = Checkpoint.of(this.root, this.leaves, this.before);
    const blocks = this.blocks.place(piecesOf(this.before));
    const bytes = new CheckpointEncoder(this.names, this.blocks).encode(this.before);
    return { fingerprint: this.names.fingerprint, ...at, blocks, bytes };
  }
}

function piecesOf({ buffers }: Checkpoint): Int32Array[] {
  const all: Int32Array[] = [];
  for (const pieces of buffers.values()) for (const piece of pieces) if (piece !== null) all.push(piece);
  return all;
}

/** The checkpoints of a recording, for a machine that has just been made of the same options. */
export class RecordedCheckpoints {
  /** In the order of the run. */
  readonly points: readonly CheckpointPoint[];
  private readonly source: CheckpointSource;
  private readonly names: StateNames;

  /** Those of another Faultline, whose machines have other parts, are none. */
  constructor(root: object, environment: Environment, source: CheckpointSource) {
    this.names = new StateNames(root, leavesOf(environment));
    this.source = source;
    const isOurs = source.points.every(({ fingerprint }) => fingerprint === this.names.fingerprint);
    this.points = isOurs ? source.points : [];
  }

  /** null: something of it is not there any more. */
  decode(index: number): Checkpoint | null {
    const bytes = this.source.bytesOf(index);
    return bytes === null ? null : new CheckpointDecoder(this.names, this.source.findBlock).decode(bytes);
  }
}
