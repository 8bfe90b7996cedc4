import { HugeRanges, type HugeReport, HugeTally, makeHugeReport } from '../../src/index.ts';
import { align } from '../align-columns.ts';
import { type Chart, chartSvg, formatChart } from '../chart.ts';
import { grouped, more, ms } from '../numbers.ts';
import type { OpenRecording } from '../open-recording.ts';
import { formatSize } from '../size.ts';
import { replayAttributed } from './attributed-replay.ts';
import { writeReport } from './output.ts';
import type { Question, ReportOptions } from './question.ts';

const PAGE_BYTES = 4096;
const HUGE_BYTES = 2 * 2 ** 20;
/** From here on it is worth a word: a share of the faults, or of the walks. Guesses. */
const WORTH_FAULTS = 0.1;
const WORTH_WALKS = 0.2;

export const thpQuestion: Question<ReportOptions> = {
  name: 'thp',
  about: 'whether transparent huge pages help, or would: coverage, faults and TLB misses saved, memory wasted',
  options: [],
  examples: [['thp', 'did huge pages help, or would they; -o thp.svg: coverage over time, as SVG']],
  answer: reportThp,
};

type Watched = { readonly ranges: HugeRanges; readonly tally: HugeTally; readonly make: () => HugeReport };

function reportThp(recording: OpenRecording, options: ReportOptions): number {
  let found: Watched | null = null;
  const { ended } = replayAttributed(recording, options.to, (kernel, attributed) => {
    const ranges = new HugeRanges(kernel, attributed);
    const tally = new HugeTally(kernel, attributed);
    found = { ranges, tally, make: () => makeHugeReport(kernel, attributed, ranges, tally) };
    return () => {
      ranges.close();
      tally.close();
    };
  });
  if (found === null) throw new Error('a replay tells its watcher of its kernel');
  const report = (found as Watched).make();
  const command = recording.header.command.join(' ');
  if (options.json === true) writeReport(`${JSON.stringify({ command, ...report }, null, 2)}\n`, options);
  else if (options.output?.endsWith('.svg')) writeReport(chartSvg(chartOf(command, report)), options);
  else writeReport(formatThp(command, report, options.limit), options);
  return ended === 'whole' ? 0 : 1;
}

function formatThp(command: string, report: HugeReport, limit: number): string {
  const lines = [`# ${verdict(report)}`, ...caveats(report), '', ...comparison(report), '', ...rowTable(report, limit)];
  if (report.events.length > 0) lines.push('', ...eventTable(report, limit));
  if (report.total.peakHugeBytes > 0) lines.push('', formatChart(chartOf(command, report)).trimEnd());
  return `${lines.join('\n')}\n`;
}

function usedHuge({ total }: HugeReport): boolean {
  return total.faulted + total.collapsed > 0;
}

/** One sentence. */
function verdict(report: HugeReport): string {
  const { total, walks, knowsReferences } = report;
  const count = usedHuge(report) ? total.faulted + total.collapsed : total.couldRanges;
  const saved = usedHuge(report) ? total.saved : total.couldSave;
  const bloat = (usedHuge(report) ? total.bloat : total.couldBloat) * PAGE_BYTES;
  if (!usedHuge(report) && count === 0)
    return total.laterRanges > 0
      ? `Huge pages would come late: no aligned 2 MiB lay in a mapping as a whole when it was first touched, ${grouped(total.laterRanges)} did later (khugepaged's work)`
      : 'Huge pages would not help: no aligned 2 MiB of anonymous memory lies in one mapping as a whole';
  if (!knowsReferences)
    return usedHuge(report)
      ? `${grouped(count)} huge pages were made; what they saved is not known`
      : `With \`always\` at most ${grouped(count)} huge pages would save ${grouped(saved)} of ${grouped(total.faults)} faults`;
  const could = total.faults + (usedHuge(report) ? saved : 0);
  const walksNow = usedHuge(report) ? walks.actual : walks.could;
  const isWorth = saved >= WORTH_FAULTS * could || walks.small - walksNow >= WORTH_WALKS * walks.small;
  const what = `${grouped(count)} huge ${count === 1 ? 'page' : 'pages'} (${formatSize(count * HUGE_BYTES)})`;
  const fewer = Math.max(0, walks.small - walksNow);
  const facts =
    `${grouped(saved)} of ${grouped(could)} faults (${percent(saved, could)}) and ` +
    `${grouped(fewer)} of ${grouped(walks.small)} TLB misses (${percent(fewer, walks.small)})`;
  const never = `${formatSize(bloat)} of that ${usedHuge(report) ? 'was' : 'would be'} never touched`;
  if (usedHuge(report)) return `Huge pages ${isWorth ? 'helped' : 'hardly helped'}: ${what} saved ${facts}; ${never}`;
  return `Huge pages would ${isWorth ? 'help' : 'hardly help'}: with \`always\` at most ${what} would save ${facts}; ${never}`;
}

function caveats({ knowsReferences, total, enabled }: HugeReport): string[] {
  const lines = [`# transparent_hugepage/enabled was ${enabled} at the end`];
  if (!knowsReferences)
    lines.push(
      '# the run has a reclaim policy that listens to the references itself: what was touched, and TLB misses, are not known',
    );
  if (total.laterRanges > 0)
    lines.push(
      `# ${grouped(total.laterRanges)} more ranges grew into 2 MiB after their first touch: khugepaged could make them huge`,
    );
  return lines;
}

/** The three sizes side by side. */
function comparison({ walks, total, knowsReferences }: HugeReport): string[] {
  if (!knowsReferences) return [];
  const row = (name: string, misses: number): string[] => [
    name,
    grouped(misses),
    walks.references === 0 ? '' : (misses / walks.references).toFixed(6),
  ];
  const lines = align(
    [
      ['Pages', 'TLB misses', 'ratio'],
      row('all 4K', walks.small),
      row('as they were', walks.actual),
      row('`always`, at most', walks.could),
      row('all 2M', walks.huge),
    ].map(([name, ...rest]) => [...rest, name]),
    2,
  );
  const time = total.couldSaveNs;
  if (total.couldRanges > 0 && total.faulted + total.collapsed === 0)
    lines.push(
      '',
      `By \`always\` faults would take ${ms(Math.abs(time))} ${time >= 0 ? 'less' : 'more'}, clearing pages that nobody touches included`,
    );
  return lines;
}

function rowTable({ rows }: HugeReport, limit: number): string[] {
  const shown = rows.filter(({ ranges }) => ranges > 0);
  const number = (value: number): string => (value === 0 ? '' : grouped(value));
  const size = (pages: number): string => (pages === 0 ? '' : formatSize(pages * PAGE_BYTES));
  return [
    ...align(
      [
        ['Anon', 'Huge', '', 'Made', 'Saved', 'Bloat', 'Could', 'Saves', 'Bloat', 'Process', 'Mapping'],
        ...shown
          .slice(0, limit)
          .map((row) => [
            formatSize(row.peakBytes),
            row.peakHugeBytes === 0 ? '' : formatSize(row.peakHugeBytes),
            row.peakHugeBytes === 0 ? '' : percent(row.peakHugeBytes, row.peakBytes),
            number(row.faulted + row.collapsed),
            number(row.saved),
            size(row.bloat),
            number(row.couldRanges),
            number(row.couldSave),
            size(row.couldBloat),
            row.process,
            row.mapping,
          ]),
      ],
      9,
    ),
    ...more(shown.length, limit),
  ];
}

function eventTable({ events, khugepaged }: HugeReport, limit: number): string[] {
  const scanned =
    khugepaged.scanned === 0
      ? []
      : [
          `khugepaged looked at ${grouped(khugepaged.scanned)} ranges; ${grouped(khugepaged.worth)} were worth a huge page`,
        ];
  return [
    ...align(
      [
        ['Count', 'What', 'Why', 'Process', 'From'],
        ...events
          .slice(0, limit)
          .map(({ what, why, process, place, count }) => [grouped(count), what, why, process, place]),
      ],
      1,
    ),
    ...more(events.length, limit),
    ...scanned,
  ];
}

function chartOf(command: string, { samples, total }: HugeReport): Chart {
  const points = (value: (sample: HugeReport['samples'][number]) => number): (readonly [number, number])[] =>
    samples.map((sample) => [sample.timeNs, value(sample)] as const);
  return {
    title: `${command}: anonymous memory, and how much of it is huge`,
    xLabel: 'virtual time',
    yLabel: 'bytes',
    xScale: 'linear',
    lines: [
      { name: 'anonymous', points: points(({ anonBytes }) => anonBytes) },
      { name: 'AnonHugePages', points: points(({ hugeBytes }) => hugeBytes) },
      ...(total.shmemHugeBytes > 0 || samples.some(({ shmemHugeBytes }) => shmemHugeBytes > 0)
        ? [{ name: 'ShmemPmdMapped', points: points(({ shmemHugeBytes }) => shmemHugeBytes) }]
        : []),
    ],
    formatX: ms,
    formatY: (bytes) => formatSize(Math.round(bytes)),
  };
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '0%' : `${((100 * part) / whole).toFixed(0)}%`;
}
