import { Option } from 'commander';
import { Evictions, makeReclaimReport, type ReclaimReport, ScanTally, type Victim } from '../../src/index.ts';
import { align } from '../align-columns.ts';
import { type Chart, chartsSvg, formatChart } from '../chart.ts';
import { grouped, more } from '../numbers.ts';
import type { OpenRecording } from '../open-recording.ts';
import { formatSize } from '../size.ts';
import { UsageError } from '../usage-error.ts';
import { replayAttributed } from './attributed-replay.ts';
import { writeReport } from './output.ts';
import type { Question, ReportOptions } from './question.ts';

const PAGE_BYTES = 4096;
/** Points of a plot. */
const BINS = 64;

interface ReclaimOptions extends ReportOptions {
  readonly pages?: true;
}

export const reclaimQuestion: Question<ReclaimOptions> = {
  name: 'reclaim',
  about: 'why each page was taken away when memory was short, whose it was, and whether it was wanted back',
  options: [new Option('--pages', 'one line a page, in the order of time')],
  examples: [
    ['reclaim', 'victims by reason and owner, who caused it, and how soon they came back; -o reclaim.svg: as SVG'],
    ['reclaim --pages --limit 100', 'page by page'],
  ],
  answer: reportReclaim,
};

function reportReclaim(recording: OpenRecording, options: ReclaimOptions): number {
  let found: { evictions: Evictions; tally: ScanTally; policy: string } | null = null;
  const { run, ended, nowNs } = replayAttributed(recording, options.to, (kernel, attributed) => {
    const evictions = new Evictions(kernel, attributed);
    const tally = new ScanTally(kernel);
    found = { evictions, tally, policy: kernel.mm.reclaimer.policyName };
    return () => {
      evictions.close();
      tally.close();
    };
  });
  if (found === null) throw new Error('a replay tells its watcher of its kernel');
  const { evictions, tally, policy }: { evictions: Evictions; tally: ScanTally; policy: string } = found;
  const report = makeReclaimReport(run, evictions, tally, { policy, nowNs });
  const command = recording.header.command.join(' ');
  if (options.json === true) writeReport(`${JSON.stringify({ command, ...report }, null, 2)}\n`, options);
  else if (options.output?.endsWith('.svg')) {
    if (report.pages.length === 0) throw new UsageError('no page was reclaimed up to there: there is nothing to plot');
    writeReport(chartsSvg([distancesOf(command, report), ratesOf(command, report)]), options);
  } else writeReport(formatReclaim(command, report, options), options);
  return ended === 'whole' ? 0 : 1;
}

function formatReclaim(command: string, report: ReclaimReport, { limit, pages }: ReclaimOptions): string {
  const lines = headlines(report);
  if (report.pages.length === 0) return `${lines.join('\n')}\n`;
  if (pages === true) return `${[...lines, '', ...pageTable(report.pages, limit)].join('\n')}\n`;
  lines.push('', ...scanTable(report), '', ...groupTable(report, limit), '', ...causeTable(report, limit));
  if (report.total.wanted > 0) lines.push('', formatChart(distancesOf(command, report)).trimEnd());
  return `${lines.join('\n')}\n`;
}

function headlines({ total, policy, ages, pages }: ReclaimReport): string[] {
  if (pages.length === 0) return ['# no page was reclaimed up to there: memory was never short'];
  const size = (count: number): string => formatSize(count * PAGE_BYTES);
  const asked = total.asked > 0 ? `, and ${grouped(total.asked)} because somebody asked for it` : '';
  const lines = [
    `# ${grouped(total.reclaimed)} pages (${size(total.reclaimed)}) were reclaimed by ${policy}${asked}`,
    total.wanted === 0
      ? '# none of them was wanted back: all were good victims'
      : `# ${grouped(total.wanted)} (${percent(total.wanted, pages.length)}) were wanted back, half of them within ${time(total.medianAwayNs)}: bad victims. ` +
        `With ${size(total.medianDistance ?? 0)} more memory an LRU would have kept half of those`,
  ];
  if (total.back > total.wanted)
    lines.push(
      `# ${grouped(total.back - total.wanted)} more were read with a neighbour that was wanted, and not used yet`,
    );
  if (ages === 'accessed bits')
    lines.push('# the policy listens to the references itself: "Unused" is what the accessed bits tell');
  return lines;
}

function scanTable({ scans }: ReclaimReport): string[] {
  return align(
    [
      ['scanned', 'reclaimed', 'activated', 'ref_keep', 'dirty', 'writeback', 'other', 'by'],
      ...scans.map((row) => [
        ...[row.scanned, row.reclaimed, row.activated, row.refKeep, row.dirty, row.writeback, row.otherKeep].map(
          grouped,
        ),
        row.by,
      ]),
    ],
    7,
  );
}

function groupTable({ groups }: ReclaimReport, limit: number): string[] {
  return [
    ...align(
      [
        ['Pages', 'Wanted', '', 'Unused', 'Away', 'Why', 'Page', 'Process', 'Mapping', 'Touched by'],
        ...groups
          .slice(0, limit)
          .map((group) => [
            grouped(group.pages),
            group.wanted === 0 ? '' : grouped(group.wanted),
            group.wanted === 0 ? '' : percent(group.wanted, group.pages),
            time(group.unusedNs),
            time(group.awayNs),
            WHY[group.why] ?? group.why,
            `${group.kind}, ${group.how}`,
            group.process,
            group.mapping,
            group.place,
          ]),
      ],
      5,
    ),
    ...more(groups.length, limit),
  ];
}

function causeTable({ causes }: ReclaimReport, limit: number): string[] {
  return [
    'Who made them go:',
    ...align(
      [
        ['Pages', 'Wanted', 'By', 'Process', 'Called in'],
        ...causes
          .slice(0, limit)
          .map(({ pages, wanted, by, memcg, process, stack }) => [
            grouped(pages),
            wanted === 0 ? '' : grouped(wanted),
            memcg === 0 ? by : `${by} of memory cgroup ${memcg}`,
            process,
            stack.slice(0, 4).join(' < '),
          ]),
      ],
      2,
    ),
    ...more(causes.length, limit),
  ];
}

function pageTable(pages: readonly Victim[], limit: number): string[] {
  return [
    ...align(
      [
        [
          'Time',
          'Frame',
          'Unused',
          'Away',
          'Distance',
          'Why',
          'Page',
          'By',
          'Process',
          'Address',
          'Mapping',
          'Touched by',
        ],
        ...pages
          .slice(0, limit)
          .map((page) => [
            `${(page.timeNs / 1e6).toFixed(3)} ms`,
            String(page.pfn),
            time(page.unusedNs),
            page.back === null ? '' : `${time(page.back.afterNs)}${page.back.isAhead ? ' (ahead)' : ''}`,
            page.back === null ? '' : grouped(page.back.distance),
            `${page.why}${page.rank === 0 && page.why !== 'generation' ? '' : ` ${page.rank}`}`,
            `${page.kind}, ${page.how}`,
            page.cause,
            page.process,
            page.address === 0 ? '' : `0x${page.address.toString(16)}`,
            page.mapping,
            page.place,
          ]),
      ],
      5,
    ),
    ...more(pages.length, limit),
  ];
}

/** Reasons in words (src/mm/reclaim/why.ts). */
const WHY: Readonly<Record<string, string>> = {
  policy: "the policy's choice",
  inactive: 'inactive, not used since the last look',
  generation: 'oldest generation, not accessed',
  first_in: 'longest in memory',
  unreferenced: 'not used since the last look',
  least_recent: 'used longest ago',
  referenced: 'used, as all others',
  aged: 'age 0, not used since',
  cold: 'cold, not used',
  recent_list: 'used once (T1)',
  frequent_list: 'used often (T2)',
  pageout: 'madvise(MADV_PAGEOUT)',
  fadvise: 'POSIX_FADV_DONTNEED',
};

/** Which part of the victims had come back when so many others had gone. */
function distancesOf(command: string, { pages, policy }: ReclaimReport): Chart {
  const distances = Float64Array.from(
    pages.flatMap(({ back }) => (back === null || back.isAhead ? [] : [back.distance])),
  ).sort();
  const points: (readonly [number, number])[] = [[0, 0]];
  const step = Math.max(1, Math.ceil(distances.length / BINS));
  for (let at = step - 1; at < distances.length; at += step)
    points.push([distances[at] * PAGE_BYTES, (at + 1) / pages.length]);
  if (distances.length > 0) points.push([(distances.at(-1) ?? 0) * PAGE_BYTES, distances.length / pages.length]);
  return {
    title: `${command}: refault distances under ${policy}`,
    xLabel: 'refault distance',
    yLabel: 'of the victims wanted back',
    xScale: 'linear',
    lines: [{ name: 'wanted back', points }],
    formatX: (bytes) => formatSize(Math.round(bytes)),
    formatY: (share) => `${(100 * share).toFixed(0)}%`,
  };
}

/** Pages that went, and that came back, in each part of the run. */
function ratesOf(command: string, { pages, nowNs, policy }: ReclaimReport): Chart {
  const width = Math.max(1, nowNs / BINS);
  const [went, came] = [new Float64Array(BINS + 1), new Float64Array(BINS + 1)];
  for (const { timeNs, back } of pages) {
    went[Math.floor(timeNs / width)]++;
    if (back !== null && !back.isAhead) came[Math.floor((timeNs + back.afterNs) / width)]++;
  }
  const pointsOf = (counts: Float64Array): (readonly [number, number])[] =>
    [...counts].slice(0, BINS).map((count, at) => [(at + 0.5) * width, count] as const);
  return {
    title: `${command}: pages reclaimed and wanted back, under ${policy}`,
    xLabel: 'virtual time',
    yLabel: `pages in ${time(width)}`,
    xScale: 'linear',
    lines: [
      { name: 'reclaimed', points: pointsOf(went) },
      { name: 'wanted back', points: pointsOf(came) },
    ],
    formatX: time,
    formatY: (count) => grouped(Math.round(count)),
  };
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(0)}%`;
}

function time(ns: number | null): string {
  if (ns === null) return '';
  if (ns < 1e6) return `${(ns / 1e3).toFixed(1)} µs`;
  return ns < 1e9 ? `${(ns / 1e6).toFixed(2)} ms` : `${(ns / 1e9).toFixed(2)} s`;
}
