import { describe, expect, it } from 'vitest';
import { PSI_MEMSTALL, PSI_ONCPU, PSI_RUNNING, PsiGroup } from './psi-group.ts';
import { PsiMonitor } from './psi-monitor.ts';
import { PsiTrigger, parseTrigger, type TriggerRequest } from './psi-trigger.ts';

const MS = 1_000_000;

class Counter {
  fired = 0;
  triggerFired(): void {
    this.fired++;
  }
}

function watch(text: string, kind: 'polled' | 'averaged' = 'polled') {
  const group = new PsiGroup(null, 0);
  const monitor = new PsiMonitor(group);
  const watcher = new Counter();
  const request = parseTrigger(text, 'privileged') as TriggerRequest;
  const trigger = new PsiTrigger(group, 'memory', request, watcher, { nowNs: 0, totalNs: 0 });
  monitor.add(trigger, kind, 0);
  return { group, monitor, watcher, trigger };
}

describe('parseTrigger', () => {
  it('takes microseconds as sscanf does', () => {
    expect(parseTrigger('some 150000 1000000', 'privileged')).toEqual({
      share: 'some',
      thresholdNs: 150 * MS,
      windowNs: 1000 * MS,
    });
    expect(parseTrigger('full1 4294967298x', 'privileged')).toEqual({
      share: 'full',
      thresholdNs: 1000,
      windowNs: 2000,
    });
    for (const text of ['some 12', ' some 1 2', 'some 3 2', 'some 0 2', 'some 1 0', 'some 1 10000001'])
      expect(parseTrigger(text, 'privileged')).toBeNull();
    expect(parseTrigger('some 1 3000000', 'unprivileged')).toBeNull();
    expect(parseTrigger('some 1 4000000', 'unprivileged')).not.toBeNull();
  });
});

describe('PsiMonitor', () => {
  it('polls from a stall on, fires once a window, and stops a window after the last stall', () => {
    const { group, monitor, watcher, trigger } = watch('some 150000 1000000');
    expect(monitor.isWatchedStateActive).toBe(false);
    group.change(0, PSI_MEMSTALL, 0);
    expect(monitor.isWatchedStateActive).toBe(true);
    const fired: number[] = [];
    for (let at = 4 * MS; at <= 2500 * MS; ) {
      const before = watcher.fired;
      const delayNs = monitor.poll(at);
      if (watcher.fired > before) {
        fired.push(at / MS);
        expect([trigger.takeEvent(), trigger.takeEvent()]).toEqual([true, false]);
      }
      expect(delayNs).not.toBeNull();
      at += delayNs as number;
    }
    // 150 ms have grown at the second look of 100 ms, but a window has not gone by since time 0.
    expect(fired).toEqual([1004, 2004]);
    group.change(PSI_MEMSTALL, 0, 2500 * MS);
    let at = 2504 * MS;
    let looks = 0;
    for (let delayNs = monitor.poll(at); delayNs !== null; delayNs = monitor.poll(at)) {
      at += delayNs;
      looks++;
    }
    expect([looks, watcher.fired]).toEqual([11, 2]);
  });

  it('counts no stall from before the polling began', () => {
    const { group, monitor, watcher } = watch('some 150000 1000000');
    group.change(0, PSI_MEMSTALL, 5000 * MS);
    group.change(PSI_MEMSTALL, 0, 5100 * MS);
    expect(monitor.poll(5104 * MS)).toBe(100 * MS);
    group.change(0, PSI_MEMSTALL, 5110 * MS);
    group.change(PSI_MEMSTALL, 0, 5150 * MS);
    let at = 5204 * MS;
    for (let delayNs = monitor.poll(at); delayNs !== null; delayNs = monitor.poll(at)) at += delayNs;
    expect(watcher.fired).toBe(0);
  });

  it('looks at the triggers of the unprivileged with each average; the first stall counts from the start of time, as on Linux', () => {
    const { group, monitor, watcher } = watch('some 1000000 2000000', 'averaged');
    group.change(0, PSI_RUNNING | PSI_ONCPU, 0);
    monitor.updateAveraged(2000 * MS);
    expect(watcher.fired).toBe(0);
    group.change(0, PSI_MEMSTALL, 2100 * MS);
    group.change(PSI_MEMSTALL, 0, 3200 * MS);
    monitor.updateAveraged(4000 * MS);
    expect(watcher.fired).toBe(1);
    group.change(0, PSI_MEMSTALL, 6500 * MS);
    group.change(PSI_MEMSTALL, 0, 6600 * MS);
    monitor.updateAveraged(8100 * MS);
    expect(watcher.fired).toBe(1);
  });

  it('forgets a trigger that goes', () => {
    const { group, monitor, watcher, trigger } = watch('some 1 1000');
    group.change(0, PSI_MEMSTALL, 0);
    monitor.poll(4 * MS);
    monitor.remove(trigger);
    monitor.remove(trigger);
    expect(monitor.isWatchedStateActive).toBe(false);
    expect(monitor.poll(8 * MS)).toBeNull();
    expect(watcher.fired).toBe(0);
  });

  it('counts nothing while the group is off', () => {
    const { group } = watch('some 1 1000');
    group.change(0, PSI_MEMSTALL, 0);
    group.setEnabled('off', 10 * MS);
    group.setEnabled('on', 30 * MS);
    expect(group.totalNs('memory', 'some', 35 * MS)).toBe(15 * MS);
  });
});
