import { FAULT_KINDS, type FaultKind } from '../../mm/address-space.ts';
import type { CallStacks } from '../code/call-stacks.ts';
import type { SourceFrames, SourcePlace } from '../code/source-frames.ts';
import { type Attribution, type AttributionRow, minorFaultsOf } from './attribution.ts';

export const ATTRIBUTION_KEYS = ['function', 'line', 'vma', 'process'] as const;
export type AttributionKey = (typeof ATTRIBUTION_KEYS)[number];

export interface AttributionSums {
  readonly faults: number;
  readonly majorFaults: number;
  readonly minorFaults: number;
  readonly faultsByKind: Readonly<Record<FaultKind, number>>;
  readonly cowCopies: number;
  readonly refaults: number;
  readonly swapIns: number;
  readonly tlbMisses: number;
  readonly residentBytes: number;
  /** At the moment at which most was resident, all processes together. */
  readonly peakBytes: number;
}

export interface AttributionEntry extends AttributionSums {
  readonly symbol: string;
  /** '' where it is not known, or of several. */
  readonly file: string;
  readonly line: number;
  readonly module: string;
  /** The mapping that most of it happened in, and how many others there are. */
  readonly mapping: string;
  readonly otherMappings: number;
  /** 'comm/pid'; '' for several. */
  readonly process: string;
  /** By the fork that made the pages shared. */
  readonly cowByFork: readonly { readonly fork: number; readonly copies: number }[];
}

export interface AttributionTable {
  readonly by: AttributionKey;
  readonly total: AttributionSums;
  readonly peakNs: number;
  readonly entries: readonly AttributionEntry[];
  readonly forks: readonly {
    readonly fork: number;
    readonly timeNs: number;
    readonly parent: string;
    readonly child: string;
    /** Where it was called, innermost first. */
    readonly stack: readonly string[];
    readonly copies: number;
  }[];
}

const PAGE_BYTES = 4096;
const NOWHERE: SourcePlace = { symbol: '[not by code]', file: '', line: 0, module: '', isInlined: false };

/** The rows summed up by function, source line, mapping or process. The sums of all entries are the totals. */
export class AttributionTables {
  private readonly attribution: Attribution;
  private readonly stacks: CallStacks;
  private readonly sources: SourceFrames;

  constructor(attribution: Attribution, stacks: CallStacks, sources: SourceFrames) {
    this.attribution = attribution;
    this.stacks = stacks;
    this.sources = sources;
  }

  by(key: AttributionKey): AttributionTable {
    const groups = new Map<string, AttributionRow[]>();
    for (const row of this.attribution.rows) {
      const name = this.keyOf(row, key);
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [row]);
      else group.push(row);
    }
    const entries = [...groups.values()].map((rows) => this.entry(rows, key)).filter(hasAny);
    return {
      by: key,
      total: sumsOf(this.attribution.rows),
      peakNs: this.attribution.pages.peakNs,
      entries: entries.sort(
        (a, b) => b.faults - a.faults || b.peakBytes - a.peakBytes || (a.symbol < b.symbol ? -1 : 1),
      ),
      forks: this.forks(),
    };
  }

  /** 'comm/pid' of a space. */
  processOf(space: number): string {
    const { comm, pid } = this.attribution.processes.of(space);
    return `${comm}/${pid}`;
  }

  /** As in /proc/PID/maps, but for the numbers that say the same of a file. */
  mappingOf(number: number): string {
    const { name, rights, start, end } = this.attribution.mappings.of(number);
    if (end === 0) return name;
    return name === '//anon' ? `${start.toString(16)}-${end.toString(16)} ${rights} ${name}` : `${rights} ${name}`;
  }

  /** Where it happened, as `key` tells places apart: by line it is the innermost place that has one. */
  private placeOf(row: AttributionRow, key: AttributionKey): SourcePlace {
    const frames = this.stacks.framesOf(row.stack);
    if (frames.length === 0) return NOWHERE;
    const [innermost] = this.sources.of(frames[0]);
    if (key !== 'line') return innermost;
    for (const frame of frames) for (const place of this.sources.of(frame)) if (place.line > 0) return place;
    return innermost;
  }

  private keyOf(row: AttributionRow, key: AttributionKey): string {
    if (key === 'process') return String(row.space);
    if (key === 'vma') return `${row.space} ${this.mappingOf(row.mapping)}`;
    const { symbol, module, file, line } = this.placeOf(row, key);
    return key === 'line' && line > 0 ? `${file}:${line}` : `${symbol} ${module}`;
  }

  private entry(rows: readonly AttributionRow[], key: AttributionKey): AttributionEntry {
    const place = key === 'function' || key === 'line' ? this.placeOf(rows[0], key) : NOWHERE;
    const byMapping = new Map<string, number>();
    const cowByFork = new Map<number, number>();
    for (const row of rows) {
      const name = this.mappingOf(row.mapping);
      const weight = row.faults.reduce((sum, count) => sum + count, 0) * 2 ** 20 + row.resident - row.sincePeak;
      byMapping.set(name, (byMapping.get(name) ?? 0) + weight);
      for (const [fork, copies] of row.cowByFork) cowByFork.set(fork, (cowByFork.get(fork) ?? 0) + copies);
    }
    const mappings = [...byMapping].sort((a, b) => b[1] - a[1]);
    const processes = new Set(rows.map(({ space }) => this.processOf(space)));
    const [process] = processes;
    const isOneFunction = key === 'line' || rows.every((row) => this.placeOf(row, 'function').line === place.line);
    return {
      ...sumsOf(rows),
      symbol: key === 'process' ? process : key === 'vma' ? '' : place.symbol,
      file: place.file,
      line: isOneFunction ? place.line : 0,
      module: place.module,
      mapping: key === 'process' && mappings.length > 1 ? '' : mappings[0][0],
      otherMappings: mappings.length - 1,
      process: processes.size === 1 ? process : '',
      cowByFork: [...cowByFork].map(([fork, copies]) => ({ fork, copies })),
    };
  }

  private forks(): AttributionTable['forks'] {
    const copies = new Map<number, number>();
    for (const row of this.attribution.rows)
      for (const [fork, count] of row.cowByFork) copies.set(fork, (copies.get(fork) ?? 0) + count);
    return this.attribution.forks.map(({ timeNs, parent, child, stack }, fork) => ({
      fork,
      timeNs,
      parent: this.processOf(parent),
      child: this.processOf(child),
      stack: this.sources.ofStack(this.stacks.framesOf(stack)).map(placeName),
      copies: copies.get(fork) ?? 0,
    }));
  }
}

/** `function file.c:12` */
export function placeName({ symbol, file, line }: SourcePlace): string {
  return line === 0 ? symbol : `${symbol} ${file.slice(file.lastIndexOf('/') + 1)}:${line}`;
}

export function sumsOf(rows: readonly AttributionRow[]): AttributionSums {
  const kinds = FAULT_KINDS.map((_, kind) => rows.reduce((sum, { faults }) => sum + faults[kind], 0));
  const total = (value: (row: AttributionRow) => number): number => rows.reduce((sum, row) => sum + value(row), 0);
  const faults = kinds.reduce((sum, count) => sum + count, 0);
  const majorFaults = total((row) => row.majorFaults);
  return {
    faults,
    majorFaults,
    minorFaults: total(minorFaultsOf),
    faultsByKind: Object.fromEntries(FAULT_KINDS.map((kind, at) => [kind, kinds[at]])) as Record<FaultKind, number>,
    cowCopies: total((row) => row.cowCopies),
    refaults: total((row) => row.refaults),
    swapIns: total((row) => row.swapIns),
    tlbMisses: total((row) => row.tlbMisses),
    residentBytes: total((row) => row.resident) * PAGE_BYTES,
    peakBytes: total((row) => row.resident - row.sincePeak) * PAGE_BYTES,
  };
}

function hasAny(sums: AttributionSums): boolean {
  const { faults, cowCopies, refaults, swapIns, tlbMisses, residentBytes, peakBytes } = sums;
  return faults + cowCopies + refaults + swapIns + tlbMisses + residentBytes + peakBytes > 0;
}
