import { Option } from 'commander';
import {
  type Growth,
  type MemorySample,
  PeakGrowth,
  ResidentPeaks,
  type SampledProcess,
  type SpacePeak,
  sampleMemory,
} from '../../src/index.ts';
import { align } from '../align-columns.ts';
import { type Chart, chartSvg, formatChart } from '../chart.ts';
import { grouped, ms } from '../numbers.ts';
import type { OpenRecording } from '../open-recording.ts';
import { formatSize } from '../size.ts';
import { UsageError } from '../usage-error.ts';
import { replayAttributed } from './attributed-replay.ts';
import { writeReport } from './output.ts';
import type { Question, ReportOptions } from './question.ts';
import { EVERY, noProcess, replaySampled, samplingOf, statusOf } from './sampled-replay.ts';

/** The moment at which most was resident, all processes together. */
interface Peak {
  readonly bytes: number;
  readonly nowNs: number;
  /** `--to @N` of replay: behind the trap that it came in. */
  readonly point: number;
  /** At `point`. */
  readonly processes: readonly SampledProcess[];
  readonly sinceNs: number;
  readonly sinceBytes: number;
  readonly growth: readonly Growth[];
}

interface MemoryReport {
  readonly command: string;
  readonly peak: Peak;
  readonly spaces: readonly SpacePeak[];
  readonly samples: readonly MemorySample[];
}

const PAGE_BYTES = 4096;

interface MemoryOptions extends ReportOptions {
  readonly every?: string;
  readonly pid?: number;
}

export const memoryQuestion: Question<MemoryOptions> = {
  name: 'memory',
  about: 'RSS, PSS, USS and swap over time, and what made the peak',
  options: [EVERY, new Option('--pid <n>', 'plot this process alone; default: the sum of all').argParser(Number)],
  examples: [['memory', 'the processes at the peak, why, and a plot; -o memory.svg: as SVG']],
  answer: reportMemory,
};

/** `report RECORDING memory`: two replays, one that samples and finds the peak, one up to there that puts it down to code. */
function reportMemory(recording: OpenRecording, options: MemoryOptions): number {
  const sampling = samplingOf(recording, options);
  const replay = recording.makeReplay();
  const { kernel } = replay.system;
  const peaks = new ResidentPeaks(kernel);
  const samples: MemorySample[] = [];
  const ended = replaySampled(replay, sampling, () => samples.push(sampleMemory(kernel)));
  const spaces = peaks.list();
  peaks.close();
  if (peaks.peakMap === 0) throw new UsageError('nothing is resident up to there');
  const report = {
    command: recording.header.command.join(' '),
    peak: explainPeak(recording, peaks),
    spaces,
    samples,
  };
  if (options.pid !== undefined && spaces.every(({ pid }) => pid !== options.pid)) throw noProcess(options.pid);
  if (options.json === true) writeReport(`${JSON.stringify(report, null, 2)}\n`, options);
  else if (options.output?.endsWith('.svg')) writeReport(chartSvg(chartOf(report, options.pid)), options);
  else writeReport(formatMemory(report, options), options);
  return statusOf(recording, ended, { nowNs: kernel.clock.nowNs, untilNs: sampling.untilNs });
}

function explainPeak(recording: OpenRecording, { peakMap, peakPages, peakNs }: ResidentPeaks): Peak {
  let growth: PeakGrowth | null = null;
  let kernel: Parameters<typeof sampleMemory>[0] | null = null;
  const { point } = replayAttributed(recording, `page_map#${peakMap}`, (itsKernel, run) => {
    kernel = itsKernel;
    const found = new PeakGrowth(itsKernel, run, peakPages);
    growth = found;
    return () => found.close();
  });
  if (growth === null || kernel === null) throw new Error('a replay tells its watcher of its kernel');
  const found: PeakGrowth = growth;
  return {
    bytes: peakPages * PAGE_BYTES,
    nowNs: peakNs,
    point,
    processes: sampleMemory(kernel).processes,
    sinceNs: found.sinceNs,
    sinceBytes: found.sincePages * PAGE_BYTES,
    growth: found.list(),
  };
}

function formatMemory(report: MemoryReport, { limit, pid }: MemoryOptions): string {
  const { peak, spaces } = report;
  const half = `Since ${ms(peak.sinceNs)}, when ${formatSize(peak.sinceBytes)} was resident, has grown:`;
  const grown = peak.growth.filter(({ grownBytes }) => grownBytes !== 0);
  return [
    `# at most ${formatSize(peak.bytes)} resident, at ${ms(peak.nowNs)} (@${peak.point}), all processes together`,
    '',
    ...procrank(peak.processes),
    '',
    half,
    ...align(
      [
        ['Grown', 'At peak', 'Process', 'Mapping', 'Touched by'],
        ...grown
          .slice(0, limit)
          .map((each) => [signed(each.grownBytes), formatSize(each.peakBytes), each.process, each.mapping, each.place]),
      ],
      2,
    ),
    ...(grown.length > limit ? [`... and ${grouped(grown.length - limit)} more (--limit ${grown.length})`] : []),
    '',
    'The peak of each program (VmHWM):',
    ...align(
      [
        ['PID', 'Peak', 'Time', 'cmdline'],
        ...spaces.map((each) => [String(each.pid), formatSize(each.pages * PAGE_BYTES), ms(each.timeNs), each.cmdline]),
      ],
      3,
    ),
    '',
    formatChart(chartOf(report, pid)),
  ].join('\n');
}

/** As procrank prints it; the sums of Rss and Vss count what is shared as often as it is mapped. */
function procrank(processes: readonly SampledProcess[]): string[] {
  const rows = [...processes].sort((a, b) => b.pss - a.pss || a.pid - b.pid);
  const cells = ({ vss, rss, pss, uss, swap }: Omit<SampledProcess, 'pid' | 'cmdline'>): string[] =>
    [vss, rss, pss, uss, swap].map((bytes) => `${Math.floor(bytes / 1024)}K`);
  return align(
    [
      ['PID', 'Vss', 'Rss', 'Pss', 'Uss', 'Swap', 'cmdline'],
      ...rows.map((row) => [String(row.pid), ...cells(row), row.cmdline]),
      ['', ...cells(sumOf(rows)), 'TOTAL'],
    ],
    6,
  );
}

function sumOf(processes: readonly SampledProcess[]): Omit<SampledProcess, 'pid' | 'cmdline'> {
  const sum = (value: (process: SampledProcess) => number): number =>
    processes.reduce((total, process) => total + value(process), 0);
  return {
    vss: sum(({ vss }) => vss),
    rss: sum(({ rss }) => rss),
    pss: sum(({ pss }) => pss),
    uss: sum(({ uss }) => uss),
    swap: sum(({ swap }) => swap),
  };
}

function chartOf({ command, samples }: MemoryReport, pid: number | undefined): Chart {
  const sums = samples.map(({ nowNs, processes }) => ({
    nowNs,
    ...sumOf(processes.filter((process) => pid === undefined || process.pid === pid)),
  }));
  const names = (['rss', 'pss', 'uss', 'swap'] as const).filter(
    (name) => name !== 'swap' || sums.some(({ swap }) => swap > 0),
  );
  return {
    title: `${command}: ${pid === undefined ? 'all processes' : `process ${pid}`}`,
    xLabel: 'virtual time',
    yLabel: 'bytes',
    xScale: 'linear',
    lines: names.map((name) => ({
      name: name === 'swap' ? 'Swap' : name.toUpperCase(),
      points: sums.map((sum) => [sum.nowNs, sum[name]] as const),
    })),
    formatX: ms,
    formatY: (bytes) => formatSize(Math.round(bytes)),
  };
}

function signed(bytes: number): string {
  return bytes < 0 ? `-${formatSize(-bytes)}` : `+${formatSize(bytes)}`;
}
