import { EV_KSM_ADVISOR } from '../../base/event-kinds.ts';
import type { Ksm } from './ksm.ts';

/** KSM_ADVISOR_MIN_CPU, EWMA_WEIGHT (mm/ksm.c, 6.18): percent. */
const MIN_CPU = 10;
const EWMA_WEIGHT = 30;

/** advisor_mode_store: another mode begins with pages_to_scan of its own (set_advisor_defaults). */
export function setAdvisorMode(ksm: Ksm, mode: 'none' | 'scan-time'): void {
  const { knobs, advisor } = ksm;
  if (knobs.advisorMode === mode) return;
  knobs.advisorMode = mode;
  knobs.pagesToScan = mode === 'none' ? 100 : knobs.advisorMinPagesToScan;
  if (mode === 'none') return;
  advisor.startNs = 0;
  advisor.scanSeconds = 0;
  advisor.change = 0;
  advisor.cpuNs = 0;
}

/** advisor_start_scan. */
export function startScanTime(ksm: Ksm): void {
  if (ksm.knobs.advisorMode === 'scan-time') ksm.advisor.startNs = ksm.mm.clock.nowNs;
}

/**
 * scan_time_advisor: pages_to_scan so that a full scan takes advisor_target_scan_time seconds, within what ksmd may have of the
 * CPU. Whole numbers throughout, as in Linux.
 */
export function adviseScanTime(ksm: Ksm): void {
  const { knobs, advisor } = ksm;
  if (knobs.advisorMode !== 'scan-time') return;
  const scanSeconds = atLeastOne((ksm.mm.clock.nowNs - advisor.startNs) / 1e9);
  const cpuMillisecs = Math.floor((ksm.cpuNs - advisor.cpuNs) / 1e6);
  const cpuPercent = atLeastOne((cpuMillisecs * 100) / (scanSeconds * 1000));
  const lastSeconds = advisor.scanSeconds !== 0 ? advisor.scanSeconds : scanSeconds;
  const factor = atLeastOne((knobs.advisorTargetScanTime * 100) / scanSeconds);
  const latest = atLeastOne((scanSeconds * 100) / lastSeconds);
  const change = Math.floor(((100 - EWMA_WEIGHT) * advisor.change + EWMA_WEIGHT * latest) / 100);
  let pages = Math.floor((knobs.pagesToScan * 100) / factor);
  pages = Math.floor((pages * change) / 100);
  const perPercent = atLeastOne(knobs.pagesToScan / cpuPercent);
  pages = Math.min(pages, perPercent * knobs.advisorMaxCpu);
  pages = Math.max(pages, perPercent * MIN_CPU);
  pages = Math.min(pages, knobs.advisorMaxPagesToScan);
  advisor.change = change;
  advisor.scanSeconds = scanSeconds;
  advisor.cpuNs = ksm.cpuNs;
  knobs.pagesToScan = pages;
  if (ksm.mm.events.enabled[EV_KSM_ADVISOR] !== 0) ksm.mm.events.emit(EV_KSM_ADVISOR, scanSeconds, pages, cpuPercent);
}

function atLeastOne(value: number): number {
  return Math.max(1, Math.floor(value));
}
