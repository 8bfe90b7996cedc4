import type { PsiGroup, PsiResource, PsiShare } from './psi-group.ts';

/** The longest window that may be watched (WINDOW_MAX_US), and what windows of the unprivileged are multiples of. */
const WINDOW_MAX_US = 10_000_000;
const UNPRIVILEGED_UNIT_US = 2_000_000;
const NS_PER_US = 1000;

export interface TriggerRequest {
  readonly share: PsiShare;
  readonly thresholdNs: number;
  readonly windowNs: number;
}

/** Whom a trigger wakes: an open file, by its queue or through its inode. */
export interface TriggerWatcher {
  triggerFired(): void;
}

/** "some 150000 1000000" as psi_trigger_create reads it (6.18): microseconds, what is behind them does not matter; null: refused. */
export function parseTrigger(text: string, rights: 'privileged' | 'unprivileged'): TriggerRequest | null {
  const found = /^(some|full)\s*(\d+)(?!\d)\s*(\d+)/.exec(text);
  if (found === null) return null;
  const thresholdUs = toUnsignedInt(found[2]);
  const windowUs = toUnsignedInt(found[3]);
  if (windowUs === 0 || windowUs > WINDOW_MAX_US) return null;
  if (rights === 'unprivileged' && windowUs % UNPRIVILEGED_UNIT_US !== 0) return null;
  if (thresholdUs === 0 || thresholdUs > windowUs) return null;
  const share = found[1] === 'some' ? 'some' : 'full';
  return { share, thresholdNs: thresholdUs * NS_PER_US, windowNs: windowUs * NS_PER_US };
}

/** What %u of the kernel's sscanf stores. */
function toUnsignedInt(digits: string): number {
  return Number(BigInt(digits) % 0x1_0000_0000n);
}

/**
 * Watches for `thresholdNs` of stall within `windowNs` (Linux: struct psi_trigger). The window slides: what the one before grew by counts
 * for the part of it that has not gone by (window_update).
 *
 *   quiet --update: enough growth--> pending --update: a window after the last event--> event, quiet --takeEvent--> quiet
 */
export class PsiTrigger {
  readonly group: PsiGroup;
  readonly resource: PsiResource;
  readonly share: PsiShare;
  readonly thresholdNs: number;
  readonly windowNs: number;
  readonly watcher: TriggerWatcher;
  private startNs: number;
  private startTotalNs: number;
  private lastGrowthNs = 0;
  private isPending = false;
  private hasEvent = false;
  private lastEventNs = 0;

  constructor(
    group: PsiGroup,
    resource: PsiResource,
    request: TriggerRequest,
    watcher: TriggerWatcher,
    start: { readonly nowNs: number; readonly totalNs: number },
  ) {
    this.group = group;
    this.resource = resource;
    this.share = request.share;
    this.thresholdNs = request.thresholdNs;
    this.windowNs = request.windowNs;
    this.watcher = watcher;
    this.startNs = start.nowNs;
    this.startTotalNs = start.totalNs;
  }

  /** window_reset: a window begins, with none before it. */
  restart(nowNs: number, totalNs: number): void {
    this.startNs = nowNs;
    this.startTotalNs = totalNs;
    this.lastGrowthNs = 0;
  }

  /** Of one trigger what update_triggers does; `seenNs` is the total at the last update. */
  update(nowNs: number, totalNs: number, seenNs: number): void {
    const isNew = totalNs !== seenNs;
    if (!isNew && !this.isPending) return;
    if (isNew) {
      const growthNs = this.grow(nowNs, totalNs);
      if (!this.isPending && growthNs < this.thresholdNs) return;
      this.isPending = true;
    }
    if (nowNs < this.lastEventNs + this.windowNs) return;
    if (!this.hasEvent) {
      this.hasEvent = true;
      this.watcher.triggerFired();
    }
    this.lastEventNs = nowNs;
    this.isPending = false;
  }

  /** Whether it has fired since it was last asked. */
  takeEvent(): boolean {
    const { hasEvent } = this;
    this.hasEvent = false;
    return hasEvent;
  }

  private grow(nowNs: number, totalNs: number): number {
    const elapsedNs = nowNs - this.startNs;
    const growthNs = totalNs - this.startTotalNs;
    if (elapsedNs <= this.windowNs)
      return growthNs + Math.floor((this.lastGrowthNs * (this.windowNs - elapsedNs)) / this.windowNs);
    this.startNs = nowNs;
    this.startTotalNs = totalNs;
    this.lastGrowthNs = growthNs;
    return growthNs;
  }
}
