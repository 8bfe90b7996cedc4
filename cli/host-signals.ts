/** The signals that end or stop a program from outside, with Linux's numbers (they differ on other hosts). */
const FORWARDED: readonly (readonly [NodeJS.Signals, number])[] = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGQUIT', 3],
  ['SIGTERM', 15],
  ['SIGWINCH', 28],
];

/**
 * Signals that reach our own process, handed on to the program: it may catch them, ignore them or die of them.
 * While `suspended` runs they have their default action: a blocked host call must stay interruptible.
 */
export class HostSignals {
  private readonly listeners: readonly (readonly [NodeJS.Signals, () => void])[];

  constructor(onSignal: (signo: number) => void) {
    this.listeners = FORWARDED.map(([name, signo]) => [name, () => onSignal(signo)]);
    this.listen();
  }

  private listen(): void {
    for (const [name, listener] of this.listeners) process.on(name, listener);
  }

  close(): void {
    for (const [name, listener] of this.listeners) process.off(name, listener);
  }

  suspended<T>(run: () => T): T {
    this.close();
    try {
      return run();
    } finally {
      this.listen();
    }
  }
}
