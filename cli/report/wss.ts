import { Option } from 'commander';
import { ResidentPeaks, type SpacePeak, type SpaceWorkingSet, type WindowUse, WorkingSets } from '../../src/index.ts';
import { align } from '../align-columns.ts';
import { type Chart, chartsSvg, formatChart } from '../chart.ts';
import { grouped, ms } from '../numbers.ts';
import type { OpenRecording } from '../open-recording.ts';
import { formatSize } from '../size.ts';
import { requireReferences } from '../unobserved-references.ts';
import { UsageError } from '../usage-error.ts';
import { writeReport } from './output.ts';
import type { Question, ReportOptions } from './question.ts';
import { noProcess, replaySampled, samplingOf, statusOf, timeOf } from './sampled-replay.ts';

/** Ticks of a run, where nobody says how long one is: at most. */
const MOST_TICKS = 4096;
/** The window over time is about such a part of the run, where nobody says. */
const WINDOWS = 32;
/** Points of the plot over time. */
const POINTS = 128;
/** Of a command line. */
const MOST_LETTERS = 60;
const PAGE_BYTES = 4096;

interface WssOptions extends ReportOptions {
  readonly every?: string;
  readonly window?: string;
  readonly pid?: number;
}

interface WindowBytes {
  readonly windowNs: number;
  readonly ref: number;
  readonly avg: number;
  readonly max: number;
}

interface ProcessWorkingSet {
  readonly pid: number;
  readonly cmdline: string;
  /** VmHWM. */
  readonly peak: number;
  readonly startNs: number;
  /** Windows end there, and RSS and PSS are of then. */
  readonly endNs: number;
  readonly rss: number;
  readonly pss: number;
  readonly windows: readonly WindowBytes[];
  /** At the end of each tick: the working set of `windowNs`, and RSS. */
  readonly course: { readonly wss: readonly number[]; readonly rss: readonly number[] };
}

interface WssReport {
  readonly command: string;
  readonly tickNs: number;
  readonly windowNs: number;
  /** The largest first. */
  readonly processes: readonly ProcessWorkingSet[];
  readonly machine: readonly WindowBytes[];
}

export const wssQuestion: Question<WssOptions> = {
  name: 'wss',
  about: 'the working set: what is referenced in windows of 1, 2, 4, 8 ... ticks of virtual time',
  options: [
    new Option('--every <time>', `a tick, the shortest window; default: at most ${grouped(MOST_TICKS)} in a run`),
    new Option('--pid <n>', 'of this process; default: the one that had most resident').argParser(Number),
    new Option(
      '--window <time>',
      `the window whose working set is plotted over time; default: a ${WINDOWS}nd of the run`,
    ),
  ],
  examples: [
    ['wss', 'how much memory it works with, by the time looked at; -o wss.svg: as SVG'],
    ['wss --to 2ms --window 100us', 'windows that end there, and the working set of 100us over time'],
  ],
  answer: reportWss,
};

/** `report RECORDING wss`: one replay, which stops at each tick. */
function reportWss(recording: OpenRecording, options: WssOptions): number {
  const { untilNs, everyNs: tickNs } = samplingOf(recording, options, tickOf);
  const windowNs = options.window === undefined ? defaultWindow(untilNs, tickNs) : timeOf(options.window, '--window');
  if (windowNs % tickNs !== 0)
    throw new UsageError(`--window ${options.window}: is no multiple of a tick, ${ms(tickNs)}; choose it with --every`);
  const replay = recording.makeReplay();
  const { kernel } = replay.system;
  requireReferences(replay);
  // The last tick is a whole one.
  const firstNs = (Number.isFinite(untilNs) ? untilNs % tickNs : 0) || tickNs;
  const peaks = new ResidentPeaks(kernel);
  const sets = new WorkingSets(kernel, { firstNs, tickNs, followedTicks: windowNs / tickNs });
  const ended = replaySampled(replay, { untilNs, everyNs: tickNs, firstNs }, () => sets.endTick());
  const spaces = sets.list();
  const { machine } = sets;
  const report: WssReport = {
    command: recording.header.command.join(' '),
    tickNs,
    windowNs,
    processes: processesOf(peaks.list(), spaces, tickNs),
    machine: machine.tick === 0 ? [] : machine.list().map((use) => bytesOf(use, tickNs)),
  };
  peaks.close();
  sets.close();
  const shown = report.processes.find(({ pid }) => options.pid === undefined || options.pid === pid);
  if (shown === undefined) throw noProcess(options.pid);
  if (options.json === true) writeReport(`${JSON.stringify(report, null, 2)}\n`, options);
  else if (options.output?.endsWith('.svg')) writeReport(chartsSvg(chartsOf(report, shown)), options);
  else writeReport(formatWss(report, shown, options.limit), options);
  return statusOf(recording, ended, { nowNs: kernel.clock.nowNs, untilNs });
}

/** 1, 2, 5, 10, 20, 50 us ... */
function tickOf(untilNs: number): number {
  for (let decade = 1000; ; decade *= 10)
    for (const step of [1, 2, 5]) if (untilNs / (step * decade) <= MOST_TICKS) return step * decade;
}

function defaultWindow(untilNs: number, tickNs: number): number {
  const ticks = Number.isFinite(untilNs) ? untilNs / tickNs : 1;
  return tickNs * 2 ** Math.max(0, Math.round(Math.log2(ticks / WINDOWS)));
}

function processesOf(
  peaks: readonly SpacePeak[],
  sets: readonly SpaceWorkingSet[],
  tickNs: number,
): ProcessWorkingSet[] {
  return peaks.flatMap(({ space, pid, cmdline, pages }) => {
    const set = sets.find((each) => each.space === space);
    if (set === undefined) return [];
    const { startNs, endNs, rss, pss, windows, course } = set;
    return {
      pid,
      cmdline,
      peak: pages * PAGE_BYTES,
      startNs,
      endNs,
      rss,
      pss,
      windows: windows.map((use) => bytesOf(use, tickNs)),
      course: {
        wss: course.workingSet.map((each) => each * PAGE_BYTES),
        rss: course.resident.map((each) => each * PAGE_BYTES),
      },
    };
  });
}

function bytesOf({ ticks, pages, meanPages, mostPages }: WindowUse, tickNs: number): WindowBytes {
  return {
    windowNs: ticks * tickNs,
    ref: pages * PAGE_BYTES,
    avg: meanPages * PAGE_BYTES,
    max: mostPages * PAGE_BYTES,
  };
}

function formatWss(report: WssReport, shown: ProcessWorkingSet, limit: number): string {
  const { rss, pss, windows, endNs } = shown;
  const { processes, machine, windowNs } = report;
  const byTime = ['Est(ms)', 'RSS(MB)', 'PSS(MB)', 'Ref(MB)', 'Avg(MB)', 'Max(MB)'];
  return [
    `# ${nameOf(shown)}: pages referenced in the time before ${ms(endNs)}, on average and at most`,
    '',
    ...align([byTime, ...windows.map((use) => [est(use), mb(rss), mb(pss), ...cellsOf(use)])], 6),
    '',
    'All processes together, frames of RAM:',
    ...align([byTime.filter((name) => !/SS/.test(name)), ...machine.map((use) => [est(use), ...cellsOf(use)])], 4),
    '',
    `The working set of ${ms(windowNs)} of each program:`,
    ...align(
      [
        ['PID', 'Peak', 'Avg(MB)', 'Max(MB)', 'cmdline'],
        ...processes.slice(0, limit).map((each) => {
          const [, avg, max] = cellsOf(windowOf(each, windowNs));
          return [String(each.pid), formatSize(each.peak), avg, max, short(each.cmdline)];
        }),
      ],
      4,
    ),
    ...(processes.length > limit
      ? [`... and ${grouped(processes.length - limit)} more (--limit ${processes.length})`]
      : []),
    '',
    chartsOf(report, shown).map(formatChart).join('\n'),
  ].join('\n');
}

/** Its longest one where it lived no longer. */
function windowOf({ windows }: ProcessWorkingSet, windowNs: number): WindowBytes {
  return windows.find((each) => each.windowNs >= windowNs) ?? windows[windows.length - 1];
}

function nameOf({ pid, cmdline }: ProcessWorkingSet): string {
  return `process ${pid} (${short(cmdline)})`;
}

/** In one line. */
function short(cmdline: string): string {
  const words = cmdline.replace(/\s+/g, ' ');
  return words.length <= MOST_LETTERS ? words : `${words.slice(0, MOST_LETTERS - 3)}...`;
}

function est({ windowNs }: WindowBytes): string {
  return (windowNs / 1e6).toFixed(3);
}

function cellsOf({ ref, avg, max }: WindowBytes): string[] {
  return [mb(ref), mb(avg), mb(max)];
}

/** As wss.pl: 2^20 bytes. */
function mb(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(3);
}

function chartsOf(report: WssReport, shown: ProcessWorkingSet): Chart[] {
  const { windows, course, startNs } = shown;
  const common = { yLabel: 'bytes', formatY: (bytes: number): string => formatSize(Math.round(bytes)) };
  const line = (name: string, value: (use: WindowBytes) => number): Chart['lines'][number] => ({
    name,
    points: windows.map((use) => [use.windowNs, value(use)]),
  });
  const step = Math.ceil(course.wss.length / POINTS);
  const overTime = (bytes: readonly number[]): [number, number][] =>
    Array.from({ length: Math.ceil(bytes.length / step) }, (_, at) => [
      startNs + Math.min((at + 1) * step, bytes.length) * report.tickNs,
      Math.max(...bytes.slice(at * step, (at + 1) * step)),
    ]);
  return [
    {
      ...common,
      title: `${nameOf(shown)}: working set by window`,
      xLabel: 'window',
      xScale: 'logarithm',
      lines: [
        line('at most', ({ max }) => max),
        line('on average', ({ avg }) => avg),
        line(`before ${ms(shown.endNs)}`, ({ ref }) => ref),
      ],
      formatX: ms,
    },
    {
      ...common,
      title: `${nameOf(shown)}: working set over time`,
      xLabel: 'virtual time',
      xScale: 'linear',
      lines: [
        { name: 'RSS', points: overTime(course.rss) },
        { name: `of ${ms(report.windowNs)}`, points: overTime(course.wss) },
      ],
      formatX: ms,
    },
  ];
}
