/** What one run of a program gave. */
export interface Sample {
  /** Between the markers, summed; of a program without markers 0. */
  readonly ns: number;
  readonly cpuNs: number;
  /** From its start to its end. */
  readonly wholeNs: number;
  readonly wholeCpuNs: number;
  /** The program's own word why it cannot do this here (`@skip`), or null. */
  readonly skipped: string | null;
  /** Its result (`@check`), or null. */
  readonly check: string | null;
  readonly failed: string | null;
  /** Of Faultline: largest resident set of the host's process and of one guest process. */
  readonly hostKb?: number;
  readonly guestKb?: number;
}

export interface Moment {
  readonly wallNs: number;
  readonly cpuNs: number;
}

export const NO_TIME: Moment = { wallNs: 0, cpuNs: 0 };

/** Now, of this process. */
export function now(): Moment {
  const { user, system } = process.cpuUsage();
  return { wallNs: performance.now() * 1e6, cpuNs: (user + system) * 1000 };
}

export function between(from: Moment, to: Moment): Moment {
  return { wallNs: to.wallNs - from.wallNs, cpuNs: to.cpuNs - from.cpuNs };
}

/**
 * Reads the lines of bench/guest/bench.h. 'program': the time is what the program says; 'harness': it is the time at which the
 * lines came, since the program's clock is virtual.
 */
export class MarkerReader {
  private text = '';
  private since: Moment = { wallNs: 0, cpuNs: 0 };
  private ns = 0;
  private cpuNs = 0;
  private skipped: string | null = null;
  private check: string | null = null;
  private readonly clock: 'program' | 'harness';
  private readonly decoder = new TextDecoder();

  constructor(clock: 'program' | 'harness') {
    this.clock = clock;
  }

  take(bytes: Uint8Array, now: Moment): void {
    this.text += this.decoder.decode(bytes, { stream: true });
    for (let end = this.text.indexOf('\n'); end >= 0; end = this.text.indexOf('\n')) {
      const line = this.text.slice(0, end);
      this.text = this.text.slice(end + 1);
      if (line === '@begin') this.since = now;
      else if (line.startsWith('@end ')) this.end(line.slice(5).split(' ').map(Number), now);
      else if (line.startsWith('@skip ')) this.skipped = line.slice(6);
      else if (line.startsWith('@check ')) this.check = line.slice(7);
    }
  }

  private end([wallNs, cpuNs]: readonly number[], now: Moment): void {
    const isProgram = this.clock === 'program';
    this.ns += isProgram ? wallNs : now.wallNs - this.since.wallNs;
    this.cpuNs += isProgram ? cpuNs : now.cpuNs - this.since.cpuNs;
  }

  sample(whole: Moment): Sample {
    const { ns, cpuNs, skipped, check } = this;
    return { ns, cpuNs, wholeNs: whole.wallNs, wholeCpuNs: whole.cpuNs, skipped, check, failed: null };
  }
}
