/** A mistake of the person at the command line: printed as one line, exit status 2 (or the shell's 126 and 127 for a program that cannot run). */
export class UsageError extends Error {
  readonly exitStatus: number;

  constructor(message: string, exitStatus = 2) {
    super(message);
    this.exitStatus = exitStatus;
  }
}
