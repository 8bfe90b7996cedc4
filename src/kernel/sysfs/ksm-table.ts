import { EINVAL, ERANGE } from '../../abi/errno.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { setAdvisorMode } from '../../mm/ksm/advisor.ts';
import { KSM_RUN_MERGE, KSM_RUN_UNMERGE, type Ksm, type KsmKnobs, RMAP_ITEM_BYTES } from '../../mm/ksm/ksm.ts';
import { unmergeAll } from '../../mm/ksm/unmerge.ts';
import type { Kernel } from '../kernel.ts';
import { wakeKsmd } from '../ksmd.ts';
import type { SysfsRow } from './sysfs-table.ts';

const AT = 'kernel/mm/ksm';
const UINT_END = 2 ** 32;
const ULONG_END = 2 ** 64;
const INT_END = 2 ** 31;

/** kstrtouint, kstrtoul with base 10: null for what is none, Infinity for one that is too large. */
function parseDecimal(text: string, end: number): number | null {
  if (!/^\+?[0-9]+\n?$/.test(text)) return null;
  const value = Number.parseInt(text, 10);
  return value < end ? value : Number.POSITIVE_INFINITY;
}

/** kstrtobool: by the first letter, "on" and "off" by the second. */
function parseBool(text: string): boolean | null {
  if (/^([yt1]|on)/i.test(text)) return true;
  return /^([nf0]|of)/i.test(text) ? false : null;
}

function shown(name: string, read: (ksm: Ksm) => string | number): SysfsRow {
  return { path: `${AT}/${name}`, read: (k) => read(k.mm.ksm), write: null };
}

type NumberKnob = {
  [Name in keyof KsmKnobs]: KsmKnobs[Name] extends number ? (number extends KsmKnobs[Name] ? Name : never) : never;
}[keyof KsmKnobs];

interface Range {
  readonly end: number;
  readonly least?: number;
  /** Others than 0 refuse the value. */
  readonly refuse?: (k: Kernel) => number;
  readonly after?: (k: Kernel) => void;
}

/** A whole number that is stored as it is; -EINVAL for any other text. */
function knob(name: string, field: NumberKnob, range: Range): SysfsRow {
  return {
    path: `${AT}/${name}`,
    read: (k) => k.mm.ksm.knobs[field],
    write: (k, text) => {
      const refused = range.refuse?.(k) ?? 0;
      if (refused !== 0) return refused;
      const value = parseDecimal(text, range.end);
      if (value === null || value === Number.POSITIVE_INFINITY || value < (range.least ?? 0)) return -EINVAL;
      k.mm.ksm.knobs[field] = value;
      range.after?.(k);
      return 0;
    },
  };
}

function toggle(name: string, field: 'useZeroPages' | 'smartScan'): SysfsRow {
  return {
    path: `${AT}/${name}`,
    read: (k) => (k.mm.ksm.knobs[field] ? 1 : 0),
    write: (k, text) => {
      const value = parseBool(text);
      if (value === null) return -EINVAL;
      k.mm.ksm.knobs[field] = value;
      return 0;
    },
  };
}

/** A number whose own setter decides; too large ones are -ERANGE. */
function guarded(name: string, end: number, read: (ksm: Ksm) => number, set: (ksm: Ksm, value: number) => number) {
  return {
    path: `${AT}/${name}`,
    read: (k: Kernel) => read(k.mm.ksm),
    write: (k: Kernel, text: string) => {
      // kstrtoint knows negative numbers; none of them is taken.
      if (/^-[0-9]+\n?$/.test(text)) return -EINVAL;
      const value = parseDecimal(text, end);
      if (value === null) return -EINVAL;
      return value === Number.POSITIVE_INFINITY ? -ERANGE : set(k.mm.ksm, value);
    },
  };
}

/** run_store: 1 sets ksmd going, 0 stops it, 2 stops it and takes all merges back. */
const RUN: SysfsRow = {
  path: `${AT}/run`,
  read: (k) => k.mm.ksm.run,
  write: (k, text) => {
    const value = parseDecimal(text, UINT_END);
    if (value !== 0 && value !== KSM_RUN_MERGE && value !== KSM_RUN_UNMERGE) return -EINVAL;
    const { ksm } = k.mm;
    if (ksm.run === value) return 0;
    ksm.run = value;
    return value === KSM_RUN_UNMERGE ? unmergeAll(ksm) : 0;
  },
};

const ADVISOR_MODE: SysfsRow = {
  path: `${AT}/advisor_mode`,
  read: (k) => (k.mm.ksm.knobs.advisorMode === 'none' ? '[none] scan-time' : 'none [scan-time]'),
  write: (k, text) => {
    const mode = text.replace(/\n$/, '');
    if (mode !== 'none' && mode !== 'scan-time') return -EINVAL;
    setAdvisorMode(k.mm.ksm, mode);
    return 0;
  },
};

/** /sys/kernel/mm/ksm (ksm_attrs, mm/ksm.c, 6.18). */
export const KSM_ROWS: readonly SysfsRow[] = [
  {
    ...knob('advisor_max_cpu', 'advisorMaxCpu', { end: ULONG_END }),
    read: (k) => k.mm.ksm.knobs.advisorMaxCpu % UINT_END,
  },
  knob('advisor_max_pages_to_scan', 'advisorMaxPagesToScan', { end: ULONG_END }),
  knob('advisor_min_pages_to_scan', 'advisorMinPagesToScan', { end: ULONG_END }),
  ADVISOR_MODE,
  knob('advisor_target_scan_time', 'advisorTargetScanTime', { end: ULONG_END, least: 1 }),
  shown('full_scans', (ksm) => ksm.fullScans),
  shown('general_profit', (ksm) => (ksm.pagesSharing + ksm.zeroPages) * PAGE_SIZE - ksm.items.count * RMAP_ITEM_BYTES),
  shown('ksm_zero_pages', (ksm) => ksm.zeroPages),
  guarded(
    'max_page_sharing',
    INT_END,
    (ksm) => ksm.knobs.maxPageSharing,
    (ksm, value) => ksm.setMaxPageSharing(value),
  ),
  guarded(
    'merge_across_nodes',
    ULONG_END,
    (ksm) => ksm.knobs.mergeAcrossNodes,
    (ksm, value) => ksm.setMergeAcrossNodes(value),
  ),
  shown('pages_scanned', (ksm) => ksm.pagesScanned),
  shown('pages_shared', (ksm) => ksm.pagesShared),
  shown('pages_sharing', (ksm) => ksm.pagesSharing),
  shown('pages_skipped', (ksm) => ksm.pagesSkipped),
  // While the advisor decides, nobody else does.
  knob('pages_to_scan', 'pagesToScan', {
    end: UINT_END,
    refuse: (k) => (k.mm.ksm.knobs.advisorMode === 'none' ? 0 : -EINVAL),
  }),
  shown('pages_unshared', (ksm) => ksm.pagesUnshared),
  shown('pages_volatile', (ksm) => ksm.pagesVolatile),
  RUN,
  knob('sleep_millisecs', 'sleepMillisecs', { end: UINT_END, after: wakeKsmd }),
  toggle('smart_scan', 'smartScan'),
  shown('stable_node_chains', (ksm) => ksm.nodes.chains),
  knob('stable_node_chains_prune_millisecs', 'stableNodeChainsPruneMillisecs', { end: UINT_END }),
  shown('stable_node_dups', (ksm) => ksm.nodes.dups),
  toggle('use_zero_pages', 'useZeroPages'),
];
