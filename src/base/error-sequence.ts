/** Where somebody stands in an ErrorSequence: what has happened up to there it has been told. -1: of nothing yet. */
export interface ErrorCursor {
  writebackSince: number;
}

/**
 * Errors that many want to learn of, each once (Linux: errseq_t, lib/errseq.c): the last one, counted up when a new one comes after
 * somebody has been told of the last. One that nobody has been told of is news also to those who come later.
 */
export class ErrorSequence {
  private error = 0;
  private count = 0;
  private isSeen = true;

  /** errseq_set; `error` is -ERRNO. */
  note(error: number): void {
    if (this.isSeen) this.count++;
    this.error = error;
    this.isSeen = false;
  }

  /** errseq_sample: where a newcomer stands. */
  sample(): number {
    return this.isSeen ? this.count : -1;
  }

  /** errseq_check_and_advance: 0, or the error that has happened since. */
  take(cursor: ErrorCursor): number {
    if (cursor.writebackSince === this.count || this.count === 0) return 0;
    cursor.writebackSince = this.count;
    this.isSeen = true;
    return this.error;
  }
}
