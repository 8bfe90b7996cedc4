import { ForkCalls, type ForkCost, type ForkReport, makeForkReport } from '../../src/index.ts';
import { align } from '../align-columns.ts';
import { type Chart, chartSvg, formatChart } from '../chart.ts';
import { grouped, more } from '../numbers.ts';
import type { OpenRecording } from '../open-recording.ts';
import { formatSize } from '../size.ts';
import { UsageError } from '../usage-error.ts';
import { replayAttributed } from './attributed-replay.ts';
import { writeReport } from './output.ts';
import type { Question, ReportOptions } from './question.ts';

const PAGE_BYTES = 4096;
/** Forks in the plot: those that shared most. */
const CHARTED = 6;

export const forkQuestion: Question<ReportOptions> = {
  name: 'fork',
  about: 'what each fork shared, who copied it, and what vfork or posix_spawn would have saved',
  options: [],
  examples: [['fork', 'what fork cost, and who copied; -o fork.svg: how soon sharing ended, as SVG']],
  answer: reportFork,
};

function reportFork(recording: OpenRecording, options: ReportOptions): number {
  let calls: ForkCalls | null = null;
  const { run, ended, nowNs } = replayAttributed(recording, options.to, (kernel, attributed) => {
    const found = new ForkCalls(kernel, attributed);
    calls = found;
    return () => found.close();
  });
  if (calls === null) throw new Error('a replay tells its watcher of its kernel');
  const report = makeForkReport(run, calls, nowNs);
  const command = recording.header.command.join(' ');
  if (options.json === true) writeReport(`${JSON.stringify({ command, ...report }, null, 2)}\n`, options);
  else if (options.output?.endsWith('.svg')) {
    if (chartedForks(report).length === 0)
      throw new UsageError('no fork has shared memory up to there: there is nothing to plot');
    writeReport(chartSvg(chartOf(command, report)), options);
  } else writeReport(formatFork(command, report, options.limit), options);
  return ended === 'whole' ? 0 : 1;
}

function formatFork(command: string, report: ForkReport, limit: number): string {
  const { total, forks, copiers } = report;
  if (forks.length === 0) return '# no process was made\n';
  const rows = [...forks].sort((a, b) => copiesOf(b) - copiesOf(a) || a.number - b.number);
  const table = align(
    [
      [
        'Fork',
        'Time',
        'Call',
        'Shared',
        'Tables',
        'Parent',
        'Child',
        'Reused',
        'Copied',
        'Left',
        'Until',
        'Processes',
        'Called in',
      ],
      ...rows.slice(0, limit).map(cellsOf),
    ],
    11,
  );
  const who = align(
    [
      ['Copies', 'Bytes', 'Symbol', 'Source:line', 'Forks'],
      ...copiers
        .slice(0, limit)
        .map(({ symbol, file, line, copies, forks: of }) => [
          grouped(copies),
          formatSize(copies * PAGE_BYTES),
          symbol,
          line > 0 ? `${file.slice(file.lastIndexOf('/') + 1)}:${line}` : '',
          namesOf(of.map(({ number }) => number)),
        ]),
    ],
    2,
  );
  const lines = [...headlines(report), '', ...table, ...more(rows.length, limit)];
  if (total.copiedByParent + total.copiedByChild > 0)
    lines.push('', 'Who copied what forks had shared:', ...who, ...more(copiers.length, limit));
  if (chartedForks(report).length > 0) lines.push('', formatChart(chartOf(command, report)).trimEnd());
  return `${lines.join('\n')}\n`;
}

function headlines({ total, spawn }: ForkReport): string[] {
  const copies = total.copiedByParent + total.copiedByChild;
  const lines = [
    `# ${count(total.forks, 'fork')} shared ${formatSize(total.sharedPages * PAGE_BYTES)}, and ${formatSize(copies * PAGE_BYTES)} of it was copied: ` +
      `${count(copies, 'page')}, ${grouped(total.copiedByParent)} by parents, ${grouped(total.copiedByChild)} by children`,
    `# ${grouped(total.reused)} more were written to when nobody else had them any more: a fault each, but no copy`,
  ];
  if (total.otherCopies > 0)
    lines.push(
      `# ${count(total.otherCopies, 'copy', 'copies')} not for a fork: first stores to private pages of files, pages of zeroes that had been read, merged pages`,
    );
  if (spawn.forks > 0)
    lines.push(
      `# ${count(spawn.forks, 'child', 'children')} went on to execute a program: vfork or posix_spawn would have saved ${count(spawn.copies, 'copy', 'copies')}, ` +
        `${count(spawn.reused, 'other fault')}, ${count(spawn.pageTables, 'page table')} and ${us(spawn.savedNs)}`,
    );
  if (total.vforks > 0)
    lines.push(
      `# ${count(total.vforks, 'child', 'children')} made by vfork or posix_spawn: nothing is copied, the parent waits`,
    );
  return lines;
}

function cellsOf(fork: ForkCost): string[] {
  const pages = (value: number): string => (value === 0 ? '' : grouped(value));
  const isFork = fork.how === 'fork';
  const left = fork.sharedPages === 0 ? '' : `${((100 * fork.stillShared) / fork.sharedPages).toFixed(0)}%`;
  return [
    String(fork.number),
    `${(fork.timeNs / 1e6).toFixed(3)} ms`,
    fork.callNs === null ? '' : us(fork.callNs),
    isFork ? formatSize(fork.sharedPages * PAGE_BYTES) : fork.how,
    pages(fork.pageTables),
    pages(fork.copiedByParent),
    pages(fork.copiedByChild),
    pages(fork.reusedByParent + fork.reusedByChild),
    isFork ? formatSize(copiesOf(fork) * PAGE_BYTES) : '',
    left,
    `${us(fork.sharedNs)} ${endOf(fork)}`,
    `${fork.parent} -> ${fork.child}`,
    placeOf(fork.stack),
  ];
}

function endOf({ end, endedBy }: ForkCost): string {
  if (endedBy === 'parent') return 'parent gone';
  if (endedBy === null || end === null) return 'alive';
  return end.how === 'exec' ? `exec ${end.program}` : 'exit';
}

/** The program's own line that called; without debug information its innermost function. */
function placeOf(stack: readonly string[]): string {
  return stack.find((place) => place.includes(':')) ?? stack.find((place) => !place.startsWith('sys_')) ?? '';
}

function copiesOf({ copiedByParent, copiedByChild }: ForkCost): number {
  return copiedByParent + copiedByChild;
}

function chartedForks({ forks }: ForkReport): ForkCost[] {
  return [...forks]
    .filter(({ sharedPages }) => sharedPages > 0)
    .sort((a, b) => b.sharedPages - a.sharedPages || a.number - b.number)
    .slice(0, CHARTED)
    .sort((a, b) => a.number - b.number);
}

function chartOf(command: string, report: ForkReport): Chart {
  return {
    title: `${command}: what forks had shared, and is shared still`,
    xLabel: 'since the fork',
    yLabel: 'still shared',
    xScale: 'linear',
    lines: chartedForks(report).map(({ number, child, sharedPages, erosion }) => ({
      name: `fork ${number} -> ${child}`,
      points: stepsOf(erosion.map(([sinceNs, pages]) => [sinceNs, pages / sharedPages] as const)),
    })),
    formatX: us,
    formatY: (share) => `${(100 * share).toFixed(0)}%`,
  };
}

/** Between two points nothing has changed. */
function stepsOf(points: readonly (readonly [x: number, y: number])[]): (readonly [x: number, y: number])[] {
  return points.flatMap((point, at) => (at === 0 ? [point] : [[point[0], points[at - 1][1]] as const, point]));
}

/** `1, 2, 5 and 12 more` */
function namesOf(numbers: readonly number[]): string {
  const shown = numbers.slice(0, 4).join(', ');
  return numbers.length > 4 ? `${shown} and ${grouped(numbers.length - 4)} more` : shown;
}

function count(value: number, one: string, many = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : many}`;
}

function us(ns: number): string {
  return ns < 1e6 ? `${(ns / 1e3).toFixed(1)} µs` : `${(ns / 1e6).toFixed(3)} ms`;
}
