const QUIET_MS = 1000;
const BETWEEN_MS = 200;

/**
 * One line on a terminal that says how far long work is; nothing in the first second, and nothing where standard error is no terminal. It is
 * gone when the work is done.
 */
export class WorkProgress {
  private readonly startedMs = performance.now();
  private shownMs = 0;

  /** Cheap enough to be called thousands of times. */
  tell(what: () => string): void {
    if (process.stderr.isTTY !== true) return;
    const now = performance.now();
    if (now - this.startedMs < QUIET_MS || now - this.shownMs < BETWEEN_MS) return;
    this.shownMs = now;
    process.stderr.write(`\r\x1b[Kfaultline: ${what()} ...`);
  }

  close(): void {
    if (this.shownMs > 0) process.stderr.write('\r\x1b[K');
    this.shownMs = 0;
  }
}
