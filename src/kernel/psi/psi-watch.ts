import { CAP_SYS_RESOURCE } from '../../abi/capability.ts';
import { EINVAL } from '../../abi/errno.ts';
import { type Credentials, hasCapability } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import { type PsiGroup, type PsiResource, stateIndex } from './psi-group.ts';
import { PsiMonitor } from './psi-monitor.ts';
import { PsiTrigger, parseTrigger, type TriggerWatcher } from './psi-trigger.ts';

/** A tick of 250 Hz: timers of the kernel's own work begin with one. */
const JIFFY_NS = 4_000_000;
/** What the timers' entries say in `detail`. */
const POLL = 0;
const AVERAGES = 1;

/** The groups with triggers, by the number that their timers carry. */
export class PsiMonitors {
  readonly byId = new Map<number, PsiMonitor>();
  lastId = 0;
}

/**
 * psi_trigger_create (6.18): -EINVAL. `opener` is who opened the file: with CAP_SYS_RESOURCE, in whatever user namespace, windows of any
 * length are polled.
 */
export function createTrigger(
  k: Kernel,
  group: PsiGroup,
  resource: PsiResource,
  text: string,
  opener: Credentials,
  watcher: TriggerWatcher,
): PsiTrigger | number {
  const rights = hasCapability(opener.capEffective, CAP_SYS_RESOURCE) ? 'privileged' : 'unprivileged';
  const request = parseTrigger(text, rights);
  if (request === null) return -EINVAL;
  const { nowNs } = k.clock;
  const monitor = ensureMonitor(k, group);
  const totalNs = monitor.startTotalNs(stateIndex(resource, request.share));
  const trigger = new PsiTrigger(group, resource, request, watcher, { nowNs, totalNs });
  monitor.add(trigger, rights === 'privileged' ? 'polled' : 'averaged', nowNs);
  return trigger;
}

function ensureMonitor(k: Kernel, group: PsiGroup): PsiMonitor {
  if (group.monitor !== null) return group.monitor;
  const monitor = new PsiMonitor(group);
  group.monitor = monitor;
  group.monitorId = ++k.psiMonitors.lastId;
  k.psiMonitors.byId.set(group.monitorId, monitor);
  return monitor;
}

/** psi_trigger_destroy: who waits for it looks again. */
export function destroyTrigger(trigger: PsiTrigger): void {
  trigger.watcher.triggerFired();
  trigger.group.monitor?.remove(trigger);
}

/** The group's files go: so do its triggers. */
export function destroyTriggersOf(k: Kernel, group: PsiGroup): void {
  const { monitor } = group;
  if (monitor === null) return;
  for (const trigger of [...monitor.polled, ...monitor.averaged]) destroyTrigger(trigger);
  k.psiMonitors.byId.delete(group.monitorId);
  group.monitor = null;
}

/** psi_group_change, its end: a stall that is watched starts the polling, and any change the taking of averages. */
export function noteGroupChange(k: Kernel, group: PsiGroup, monitor: PsiMonitor): void {
  const { nowNs } = k.clock;
  if (monitor.pollAtNs === 0 && monitor.isWatchedStateActive) monitor.pollAtNs = arm(k, group, POLL, 0);
  if (monitor.averaged.length === 0 || monitor.averagesAtNs !== 0) return;
  monitor.averagesAtNs = arm(k, group, AVERAGES, group.nextSampleNs - nowNs);
}

/** A timer of a group's monitor: `detail` tells which. One that has been given up says nothing. */
export function firePsiTimer(k: Kernel, id: number, detail: number, deadlineNs: number): void {
  const monitor = k.psiMonitors.byId.get(id);
  if (monitor === undefined) return;
  const { group } = monitor;
  const { nowNs } = k.clock;
  if (detail === POLL) {
    if (monitor.pollAtNs !== deadlineNs) return;
    const delayNs = monitor.poll(nowNs);
    monitor.pollAtNs = delayNs === null ? 0 : arm(k, group, POLL, delayNs);
    return;
  }
  if (monitor.averagesAtNs !== deadlineNs) return;
  monitor.averagesAtNs = 0;
  if (monitor.averaged.length === 0) return;
  monitor.updateAveraged(nowNs);
  if (!group.isIdle) monitor.averagesAtNs = arm(k, group, AVERAGES, group.nextSampleNs - nowNs);
}

/** Whole ticks, and one more (nsecs_to_jiffies(...) + 1). */
function arm(k: Kernel, group: PsiGroup, detail: number, delayNs: number): number {
  const ticks = Math.floor(k.clock.nowNs / JIFFY_NS) + Math.floor(Math.max(0, delayNs) / JIFFY_NS) + 1;
  const deadlineNs = ticks * JIFFY_NS;
  k.timers.add(deadlineNs, 'psi', group.monitorId, detail);
  return deadlineNs;
}
