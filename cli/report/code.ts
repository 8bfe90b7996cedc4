import { Option } from 'commander';
import {
  ATTRIBUTION_KEYS,
  type AttributionEntry,
  type AttributionKey,
  type AttributionSums,
  type AttributionTable,
  PerfettoTrace,
  sumsOf,
} from '../../src/index.ts';
import { align } from '../align-columns.ts';
import { grouped } from '../numbers.ts';
import type { OpenRecording } from '../open-recording.ts';
import { formatSize } from '../size.ts';
import { UsageError } from '../usage-error.ts';
import { annotate } from './annotated-source.ts';
import { replayAttributed } from './attributed-replay.ts';
import { writeReport } from './output.ts';
import type { Question, ReportOptions } from './question.ts';
import { STACK_FORMATS, stackFormat, writeStacks } from './stack-formats.ts';

interface Column {
  readonly name: string;
  readonly title: string;
  readonly value: (sums: AttributionSums) => number;
  readonly show: (value: number) => string;
  /** 'always', or only where there is some of it, or it is sorted by. */
  readonly isShown: 'always' | 'if any' | 'if sorted';
}

const COLUMNS: readonly Column[] = [
  { name: 'faults', title: 'Faults', value: (sums) => sums.faults, show: grouped, isShown: 'always' },
  { name: 'maj', title: 'Maj', value: (sums) => sums.majorFaults, show: grouped, isShown: 'always' },
  { name: 'min', title: 'Min', value: (sums) => sums.minorFaults, show: grouped, isShown: 'always' },
  { name: 'cow', title: 'Cow', value: (sums) => sums.cowCopies, show: grouped, isShown: 'always' },
  { name: 'refault', title: 'Refault', value: (sums) => sums.refaults, show: grouped, isShown: 'if any' },
  { name: 'swapin', title: 'Swapin', value: (sums) => sums.swapIns, show: grouped, isShown: 'if any' },
  { name: 'peak', title: 'Peak', value: (sums) => sums.peakBytes, show: formatSize, isShown: 'always' },
  { name: 'resident', title: 'Resident', value: (sums) => sums.residentBytes, show: formatSize, isShown: 'if any' },
  { name: 'tlb', title: 'TLB', value: (sums) => sums.tlbMisses, show: grouped, isShown: 'if sorted' },
];

interface CodeOptions extends ReportOptions {
  readonly by: string;
  readonly sort?: string;
  readonly format?: string;
  readonly annotate?: string;
}

/**
 * One line each: function, source line, VMA or process; the sums are the kernel's counters. Overhead is the share of the column that is
 * sorted by. Peak and Resident are bytes: at the moment at which most was resident, and at the point of --to.
 */
export const codeQuestion: Question<CodeOptions> = {
  name: 'code',
  about: 'which code took faults and keeps memory, by function, line, VMA or process (default)',
  options: [
    new Option('--by <what>', ATTRIBUTION_KEYS.join(', ')).default('function'),
    new Option(
      '--sort <column>',
      `${COLUMNS.map(({ name }) => name).join(', ')}, or a kind of fault (default: faults)`,
    ),
    new Option('--annotate <file>', 'the source of a file, with what each line did'),
    new Option(
      '--format <name>',
      `call stacks, in place of the table: ${STACK_FORMATS.join(', ')} (collapsed and flamegraph: of the column of --sort)`,
    ),
  ],
  examples: [
    ['', 'functions by faults'],
    ['--by line --sort peak', 'which line made this memory resident'],
    ['--by function --sort cow', 'who copied pages on write'],
    ['--by line --sort tlb', 'which line misses the TLB'],
    ['--annotate program.c', 'the source, with the faults of each line'],
    ['--format pprof -o run.pb.gz', 'for `go tool pprof`, speedscope, Perfetto'],
    ['--format perfetto -o run.pftrace', 'for ui.perfetto.dev'],
    ['--format flamegraph --sort peak -o peak.svg', 'what was resident at the peak, as a picture'],
  ],
  answer: reportCode,
};

/** Prints the table (or the annotated source); the exit status: 1 where the recording is not whole. */
function reportCode(recording: OpenRecording, options: CodeOptions): number {
  const key = ATTRIBUTION_KEYS.find((each) => each === options.by);
  if (key === undefined) throw new UsageError(`--by ${options.by}: write ${ATTRIBUTION_KEYS.join(', ')}`);
  const sorting = sortColumn(options.sort ?? 'faults');
  const format = options.format === undefined ? null : stackFormat(options.format);
  if (format === 'perfetto') return writePerfetto(recording, options);
  // They cost time, so they are put down to code only where they are shown.
  const showsMisses = sorting.name === 'tlb' || format === 'pprof' || options.json === true;
  const tlbMisses = showsMisses ? 'by code' : 'by process';
  const { run, ended, nowNs } = replayAttributed(recording, options.to, undefined, { tlbMisses });
  if (format !== null) {
    const { title, value } = sorting;
    const name = [recording.header.command.join(' '), title].join(': ');
    writeReport(
      writeStacks(run, {
        format,
        durationNs: nowNs,
        title: name,
        weightOf: (row) => value(sumsOf([row])),
        unit: unitOf(sorting),
      }),
      options,
    );
    return ended === 'whole' ? 0 : 1;
  }
  const table = sorted(run.tables.by(options.annotate === undefined ? key : 'line'), sorting);
  let text: string;
  if (options.annotate !== undefined) text = annotate(table.entries, options.annotate);
  else if (options.json === true) text = `${JSON.stringify({ nowNs, ...table }, null, 2)}\n`;
  else text = formatTable(table, sorting, options.limit);
  writeReport(text, options);
  return ended === 'whole' ? 0 : 1;
}

function writePerfetto(recording: OpenRecording, options: CodeOptions): number {
  const parts: Uint8Array[] = [];
  const { ended } = replayAttributed(recording, options.to, (kernel, run) => {
    const trace = new PerfettoTrace(kernel, run, (part) => parts.push(part));
    return () => trace.close();
  });
  writeReport(Buffer.concat(parts), options);
  return ended === 'whole' ? 0 : 1;
}

function unitOf({ name }: Column): string {
  return name === 'peak' || name === 'resident' ? 'bytes' : 'times';
}

function sortColumn(name: string): Column {
  const column = COLUMNS.find((each) => each.name === name);
  if (column !== undefined) return column;
  const kinds: Readonly<Record<string, number>> = sumsOf([]).faultsByKind;
  if (kinds[name] === undefined) {
    const names = [...COLUMNS.map((each) => each.name), ...Object.keys(kinds)];
    throw new UsageError(`--sort ${name}: is no column; there are ${names.join(', ')}`);
  }
  const value = (sums: AttributionSums): number => (sums.faultsByKind as Record<string, number>)[name];
  return { name, title: name, value, show: grouped, isShown: 'if sorted' };
}

function sorted(table: AttributionTable, { value }: Column): AttributionTable {
  return { ...table, entries: [...table.entries].sort((a, b) => value(b) - value(a)) };
}

function formatTable(table: AttributionTable, sorting: Column, limit: number): string {
  const { total, by } = table;
  const shown = [...COLUMNS, ...(COLUMNS.includes(sorting) ? [] : [sorting])].filter(
    (column) =>
      column === sorting || column.isShown === 'always' || (column.isShown === 'if any' && column.value(total) > 0),
  );
  const all = sorting.value(total);
  const entries = table.entries.filter((entry) => sorting.value(entry) > 0);
  if (entries.length === 0) {
    const advice = sorting.name === 'resident' ? ': nothing is resident at the end; say --to POINT' : '';
    return `${headline(table)}\n\nthe column ${sorting.title} is empty${advice}\n`;
  }
  const lines = entries
    .slice(0, limit)
    .map((entry) => [
      `${((100 * sorting.value(entry)) / all).toFixed(2)}%`,
      ...shown.map(({ value, show }) => (value(entry) === 0 ? '' : show(value(entry)))),
      ...placeColumns(entry, by),
    ]);
  const head = ['Overhead', ...shown.map(({ title }) => title), ...placeTitles(by)];
  const body = align([head, ...lines], shown.length + 1);
  const more =
    entries.length > limit ? [`... and ${grouped(entries.length - limit)} more (--limit ${entries.length})`] : [];
  return `${[headline(table), '', ...body, ...more, ...forkHint(table, sorting)].join('\n')}\n`;
}

function headline({ total, peakNs }: AttributionTable): string {
  const parts = [`${grouped(total.faults)} faults, ${grouped(total.majorFaults)} of them major`];
  const refused = total.faults - total.majorFaults - total.minorFaults;
  if (refused > 0) parts.push(`${grouped(refused)} refused with a signal`);
  if (total.cowCopies > 0) parts.push(`${grouped(total.cowCopies)} pages copied on write`);
  if (total.refaults > 0) parts.push(`${grouped(total.refaults)} refaults`);
  if (total.swapIns > 0) parts.push(`${grouped(total.swapIns)} pages read from swap`);
  return `# ${parts.join('; ')}; at most ${formatSize(total.peakBytes)} resident, at ${(peakNs / 1e6).toFixed(3)} ms`;
}

function placeTitles(by: AttributionKey): string[] {
  if (by === 'process') return ['Process'];
  return by === 'vma' ? ['Process', 'Mapping'] : ['Symbol', 'Source:line', 'Mapping'];
}

function placeColumns(entry: AttributionEntry, by: AttributionKey): string[] {
  const mapping = `${entry.mapping}${entry.otherMappings > 0 ? ` +${entry.otherMappings}` : ''}`;
  if (by === 'process') return [entry.process];
  if (by === 'vma') return [entry.process, mapping];
  const file = entry.file.slice(entry.file.lastIndexOf('/') + 1);
  return [entry.symbol, entry.line > 0 ? `${file}:${entry.line}` : file, mapping];
}

/** Copies are mostly what fork costs. */
function forkHint({ forks }: AttributionTable, { name }: Column): string[] {
  return name === 'cow' && forks.length > 0 ? ['', 'What each fork cost: faultline report RECORDING fork'] : [];
}
