import { unreachable } from '../../base/assert.ts';
import type { PsiMonitor } from './psi-monitor.ts';

/**
 * Pressure stall information of a set of tasks (Linux 6.18: kernel/sched/psi.c, struct psi_group): for how long some of them, or all
 * that were not idle, waited for memory, for a device or for the processor. Fed with every change of what its tasks do (psi-feed.ts), so it
 * is exact; on virtual time. Plain data.
 *
 *   running - memstall
 *   the others sleep: iowait, memstall, both, or for neither (then a task does not count)
 */
export const PSI_IOWAIT = 1;
export const PSI_MEMSTALL = 2;
export const PSI_RUNNING = 4;
export const PSI_ONCPU = 8;

export const PSI_RESOURCES = ['io', 'memory', 'cpu'] as const;
export type PsiResource = (typeof PSI_RESOURCES)[number];
export type PsiShare = 'some' | 'full';

/** What can be watched, in the order of enum psi_states. */
export const PSI_STATES: readonly { readonly resource: PsiResource; readonly share: PsiShare }[] =
  PSI_RESOURCES.flatMap((resource) => [
    { resource, share: 'some' },
    { resource, share: 'full' },
  ]);

export const stateIndex = (resource: PsiResource, share: PsiShare): number =>
  PSI_RESOURCES.indexOf(resource) * 2 + (share === 'full' ? 1 : 0);

/** PSI_FREQ: two seconds and a tick of 250 Hz. */
const PERIOD_NS = 2_004_000_000;
/** Fixed point of 11 bits, and what is left of an average of 10, 60 and 300 s after two seconds (EXP_10s ...). */
const FIXED_1 = 2048;
const EXP = [1677, 1981, 2034];

/** Of one resource and share: how long it lasted, and its averages. */
export class PsiState {
  totalNs = 0;
  /** totalNs at the last sample. */
  sampledNs = 0;
  /** avg10, avg60, avg300, per cent in fixed point. */
  readonly averages: [number, number, number] = [0, 0, 0];
}

export class PsiGroup {
  readonly parent: PsiGroup | null;
  /** Triggers, where anybody ever set one, and the number of their timers (psi-watch.ts). */
  monitor: PsiMonitor | null = null;
  monitorId = 0;
  /** When averages are taken next. */
  nextSampleNs: number;
  /** cgroup.pressure: nothing is counted while it is off. */
  private isOn = true;
  /** How often it was turned off. */
  timesDisabled = 0;
  private readonly states: Readonly<Record<PsiResource, Readonly<Record<PsiShare, PsiState>>>> = {
    io: { some: new PsiState(), full: new PsiState() },
    memory: { some: new PsiState(), full: new PsiState() },
    cpu: { some: new PsiState(), full: new PsiState() },
  };
  /** Tasks by what they do (NR_IOWAIT ...). */
  private iowait = 0;
  private memstall = 0;
  private running = 0;
  private memstallRunning = 0;
  private onCpu = 0;
  private lastNs: number;
  private lastSampleNs: number;

  constructor(parent: PsiGroup | null, nowNs: number) {
    this.parent = parent;
    this.lastNs = nowNs;
    this.lastSampleNs = nowNs;
    this.nextSampleNs = nowNs + PERIOD_NS;
  }

  /** psi_group_change: a task of the group does no longer what `clear` says, but what `set` says (PSI_*). */
  change(clear: number, set: number, nowNs: number): void {
    this.advance(nowNs);
    this.count(clear, -1);
    this.count(set, 1);
  }

  private count(flags: number, by: 1 | -1): void {
    if ((flags & PSI_IOWAIT) !== 0) this.iowait += by;
    if ((flags & PSI_MEMSTALL) !== 0) this.memstall += by;
    if ((flags & PSI_RUNNING) !== 0) this.running += by;
    if ((flags & (PSI_MEMSTALL | PSI_RUNNING)) === (PSI_MEMSTALL | PSI_RUNNING)) this.memstallRunning += by;
    if ((flags & PSI_ONCPU) !== 0) this.onCpu += by;
  }

  get isEnabled(): boolean {
    return this.isOn;
  }

  /** Write to cgroup.pressure (psi_cgroup_restart). */
  setEnabled(wanted: 'on' | 'off', nowNs: number): void {
    this.advance(nowNs);
    this.isOn = wanted === 'on';
    if (!this.isOn) this.timesDisabled++;
  }

  /** Does `share` of the tasks wait for `resource` now (test_states)? */
  isStalled(resource: PsiResource, share: PsiShare): boolean {
    if (!this.isOn) return false;
    switch (resource) {
      case 'io':
        return this.iowait > 0 && (share === 'some' || this.running === 0);
      case 'memory':
        return this.memstall > 0 && (share === 'some' || this.running === this.memstallRunning);
      case 'cpu':
        return share === 'some' ? this.running > this.onCpu : this.running > 0 && this.onCpu === 0;
      default:
        return unreachable(resource);
    }
  }

  /** Tasks that it counts now: nobody, and it may be forgotten. */
  get isIdle(): boolean {
    return this.iowait === 0 && this.memstall === 0 && this.running === 0;
  }

  /** Time that `share` of the tasks waited for `resource`, up to `nowNs`. */
  totalNs(resource: PsiResource, share: PsiShare, nowNs: number): number {
    this.advance(nowNs);
    return this.states[resource][share].totalNs;
  }

  /** As psi_show writes it: some, and full; of the whole machine's processor full has no meaning and is 0. */
  show(resource: PsiResource, scope: 'machine' | 'cgroup', nowNs: number): string {
    this.advance(nowNs);
    return (['some', 'full'] as const)
      .map((share) => {
        const hasNone = scope === 'machine' && resource === 'cpu' && share === 'full';
        const { averages, totalNs } = hasNone ? new PsiState() : this.states[resource][share];
        const [short, middle, long] = averages.map(percentText);
        return `${share} avg10=${short} avg60=${middle} avg300=${long} total=${Math.floor(totalNs / 1000)}\n`;
      })
      .join('');
  }

  /** record_times, and the samples that fall due. */
  private advance(nowNs: number): void {
    while (this.nextSampleNs <= nowNs) {
      this.record(this.nextSampleNs);
      const missed = this.isIdle ? Math.floor((nowNs - this.nextSampleNs) / PERIOD_NS) : 0;
      this.sample(this.nextSampleNs);
      if (missed > 0) this.decay(missed);
    }
    this.record(nowNs);
  }

  /** The time since the last change went by in the states that are true now (record_times). */
  private record(nowNs: number): void {
    const ns = nowNs - this.lastNs;
    if (ns <= 0) return;
    this.lastNs = nowNs;
    for (const { resource, share } of PSI_STATES)
      if (this.isStalled(resource, share)) this.states[resource][share].totalNs += ns;
  }

  /** update_averages, calc_avgs. */
  private sample(nowNs: number): void {
    const period = nowNs - this.lastSampleNs;
    for (const state of this.eachState()) {
      const ns = Math.min(period, state.totalNs - state.sampledNs);
      state.sampledNs += ns;
      const percent = Math.floor((ns * 100) / period) * FIXED_1;
      for (let at = 0; at < 3; at++) state.averages[at] = calcLoad(state.averages[at], EXP[at], percent);
    }
    this.lastSampleNs = nowNs;
    this.nextSampleNs = nowNs + PERIOD_NS;
  }

  /** Periods in which nobody did anything (calc_load_n). */
  private decay(periods: number): void {
    for (const state of this.eachState())
      for (let at = 0; at < 3; at++)
        for (let left = periods; left > 0 && state.averages[at] > 0; left--)
          state.averages[at] = calcLoad(state.averages[at], EXP[at], 0);
    this.lastSampleNs += periods * PERIOD_NS;
    this.nextSampleNs += periods * PERIOD_NS;
  }

  private eachState(): readonly PsiState[] {
    return PSI_RESOURCES.flatMap((resource) => [this.states[resource].some, this.states[resource].full]);
  }
}

/** calc_load (include/linux/sched/loadavg.h). */
function calcLoad(load: number, exp: number, active: number): number {
  const next = load * exp + active * (FIXED_1 - exp) + (active >= load ? FIXED_1 - 1 : 0);
  return Math.floor(next / FIXED_1);
}

/** LOAD_INT, LOAD_FRAC. */
function percentText(average: number): string {
  const hundredths = Math.floor(((average % FIXED_1) * 100) / FIXED_1);
  return `${Math.floor(average / FIXED_1)}.${String(hundredths).padStart(2, '0')}`;
}
