/** Fixed point of 11 bits (include/linux/sched/loadavg.h). */
const FIXED_1 = 2048;
/** FIXED_1 / exp(5 s / 1, 5, 15 min). */
const EXP = [1884, 2014, 2037];
/** LOAD_FREQ: 5 s and a tick of 250 Hz. */
const PERIOD_NS = 5_004_000_000;

/**
 * The load averages over 1, 5 and 15 minutes of virtual time (Linux 6.18: calc_global_load, kernel/sched/loadavg.c): every five
 * seconds the number of runnable tasks is mixed in.
 */
export class LoadAverage {
  /** avenrun[], in fixed point. */
  readonly loads: [number, number, number] = [0, 0, 0];
  /** When the next sample is due. */
  nextNs = PERIOD_NS;

  /** Takes the samples that are due at `nowNs`; `active` tasks have been runnable since the last one. */
  sample(nowNs: number, active: number): void {
    while (this.nextNs <= nowNs) {
      this.nextNs += PERIOD_NS;
      for (let i = 0; i < 3; i++) this.loads[i] = calcLoad(this.loads[i], EXP[i], active * FIXED_1);
      // A machine that has come to rest stays there: whole periods at once.
      if (active === 0 && this.loads.every((load) => load === 0) && this.nextNs <= nowNs)
        this.nextNs += Math.ceil((nowNs - this.nextNs + 1) / PERIOD_NS) * PERIOD_NS;
    }
  }

  /** As /proc/loadavg shows them: three numbers with two digits. */
  text(): string {
    return this.loads
      .map((load) => {
        const rounded = load + Math.floor(FIXED_1 / 200);
        const hundredths = Math.floor(((rounded % FIXED_1) * 100) / FIXED_1);
        return `${Math.floor(rounded / FIXED_1)}.${String(hundredths).padStart(2, '0')}`;
      })
      .join(' ');
  }
}

function calcLoad(load: number, exp: number, active: number): number {
  const next = load * exp + active * (FIXED_1 - exp) + (active >= load ? FIXED_1 - 1 : 0);
  return Math.floor(next / FIXED_1);
}
