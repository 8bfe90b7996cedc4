import { PSI_STATES, type PsiGroup, stateIndex } from './psi-group.ts';
import type { PsiTrigger } from './psi-trigger.ts';

/** Updates in a window (UPDATES_PER_WINDOW). */
const UPDATES_PER_WINDOW = 10;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * The triggers of a group and when they are looked at (Linux 6.18: the rtpoll_* and avg_* members of struct psi_group). Those of the
 * privileged are polled, ten times in the shortest window, from a stall on until a window after the last one; the others' are looked at
 * when averages are taken, every two seconds. psi-watch.ts has the timers.
 */
export class PsiMonitor {
  readonly group: PsiGroup;
  readonly polled: PsiTrigger[] = [];
  readonly averaged: PsiTrigger[] = [];
  /** Deadlines of the timers that are on the heap; 0: none. */
  pollAtNs = 0;
  averagesAtNs = 0;
  private minPeriodNs = NEVER;
  private pollUntilNs = 0;
  private nextUpdateNs = NEVER;
  /** By state: totals when they were last collected for polling (total[PSI_POLL]), and at the last updates of each kind. */
  private readonly collected = new Float64Array(PSI_STATES.length);
  private readonly seenPolled = new Float64Array(PSI_STATES.length);
  private readonly seenAveraged = new Float64Array(PSI_STATES.length);

  constructor(group: PsiGroup) {
    this.group = group;
  }

  /** What a window starts with, of either kind: psi_trigger_create takes total[PSI_POLL], which is 0 where nobody ever polled. */
  startTotalNs(state: number): number {
    return this.collected[state];
  }

  add(trigger: PsiTrigger, kind: 'polled' | 'averaged', nowNs: number): void {
    if (kind === 'averaged') {
      if (this.averaged.length === 0)
        PSI_STATES.forEach(({ resource, share }, state) => {
          this.seenAveraged[state] = this.group.totalNs(resource, share, nowNs);
        });
      this.averaged.push(trigger);
      return;
    }
    this.polled.push(trigger);
    this.minPeriodNs = Math.min(this.minPeriodNs, Math.floor(trigger.windowNs / UPDATES_PER_WINDOW));
  }

  /** psi_trigger_destroy. One that is not there any more is left alone. */
  remove(trigger: PsiTrigger): void {
    for (const triggers of [this.polled, this.averaged]) {
      const at = triggers.indexOf(trigger);
      if (at >= 0) triggers.splice(at, 1);
    }
    this.minPeriodNs = NEVER;
    for (const { windowNs } of this.polled)
      this.minPeriodNs = Math.min(this.minPeriodNs, Math.floor(windowNs / UPDATES_PER_WINDOW));
    if (this.polled.length > 0) return;
    this.pollUntilNs = 0;
    this.pollAtNs = 0;
  }

  /** Is there a stall now that a polled trigger watches for? */
  get isWatchedStateActive(): boolean {
    return this.polled.some(({ resource, share }) => this.group.isStalled(resource, share));
  }

  /** psi_rtpoll_work: how long until the next time, or null: not before something happens. */
  poll(nowNs: number): number | null {
    const { polled, collected } = this;
    let isChanged = false;
    PSI_STATES.forEach(({ resource, share }, state) => {
      const totalNs = this.group.totalNs(resource, share, nowNs);
      if (totalNs === collected[state]) return;
      collected[state] = totalNs;
      if (polled.some((trigger) => stateOf(trigger) === state)) isChanged = true;
    });
    if (isChanged) {
      if (nowNs > this.pollUntilNs) this.start(nowNs);
      this.pollUntilNs = nowNs + this.minPeriodNs * UPDATES_PER_WINDOW;
    }
    if (nowNs > this.pollUntilNs) {
      this.nextUpdateNs = NEVER;
      return null;
    }
    if (nowNs >= this.nextUpdateNs) {
      if (isChanged) this.update(polled, collected, this.seenPolled, nowNs);
      this.nextUpdateNs = nowNs + this.minPeriodNs;
    }
    return this.nextUpdateNs - nowNs;
  }

  /** psi_avgs_work: the triggers of the unprivileged. */
  updateAveraged(nowNs: number): void {
    const totals = Float64Array.from(PSI_STATES, ({ resource, share }) => this.group.totalNs(resource, share, nowNs));
    this.update(this.averaged, totals, this.seenAveraged, nowNs);
  }

  /** init_rtpoll_triggers. */
  private start(nowNs: number): void {
    for (const trigger of this.polled) trigger.restart(nowNs, this.collected[stateOf(trigger)]);
    this.seenPolled.set(this.collected);
    this.nextUpdateNs = nowNs + this.minPeriodNs;
  }

  private update(triggers: readonly PsiTrigger[], totals: Float64Array, seen: Float64Array, nowNs: number): void {
    // The newest comes first, as on Linux's list.
    for (const trigger of [...triggers].reverse()) {
      const state = stateOf(trigger);
      trigger.update(nowNs, totals[state], seen[state]);
    }
    seen.set(totals);
  }
}

const stateOf = ({ resource, share }: PsiTrigger): number => stateIndex(resource, share);
