import { Option } from 'commander';
import { HeatMaps, type HeatRow, ResidentPeaks } from '../../src/index.ts';
import type { OpenRecording } from '../open-recording.ts';
import { requireReferences } from '../unobserved-references.ts';
import { UsageError } from '../usage-error.ts';
import { heatCsv, heatJson } from './heat-data.ts';
import { heatSvg } from './heat-svg.ts';
import { heatText } from './heat-text.ts';
import { writeReport } from './output.ts';
import type { Question, ReportOptions } from './question.ts';
import { noProcess, replaySampled, samplingOf, statusOf } from './sampled-replay.ts';

const FORMATS = ['text', 'svg', 'csv', 'json'] as const;
type HeatFormat = (typeof FORMATS)[number];

/** Columns and rows, where nobody says. */
const SIZES: Record<HeatFormat, { readonly columns: number; readonly rows: number }> = {
  text: { columns: 64, rows: 32 },
  svg: { columns: 96, rows: 96 },
  csv: { columns: 96, rows: 96 },
  json: { columns: 96, rows: 96 },
};
const MOST_COLUMNS = 1024;
const MOST_ROWS = 1024;
/** Of a line of text: label and border. */
const BESIDE = 32;

interface HeatOptions extends ReportOptions {
  readonly every?: string;
  readonly rows?: number;
  readonly pid?: number;
  readonly format?: string;
}

/** A band with its name; the highest address comes first. */
export interface NamedBand {
  readonly name: string;
  /** By address. */
  readonly rows: readonly HeatRow[];
}

/** What one process did where, when. */
export interface HeatMap {
  readonly command: string;
  readonly pid: number;
  readonly cmdline: string;
  /** Where the first column begins, and how long one is. Counts of rows have a place for each. */
  readonly startNs: number;
  readonly everyNs: number;
  readonly columns: number;
  /** By address. */
  readonly bands: readonly NamedBand[];
}

export const heatQuestion: Question<HeatOptions> = {
  name: 'heat',
  about: 'which addresses are referenced, fault and are evicted when: a map of address against time',
  options: [
    new Option(
      '--every <time>',
      `the time of a column; default: a ${SIZES.text.columns}th of the run, in files a ${SIZES.svg.columns}th`,
    ),
    new Option('--rows <n>', `rows; default: ${SIZES.text.rows}, in files ${SIZES.svg.rows}`).argParser(Number),
    new Option('--pid <n>', 'of this process; default: the one that had most resident').argParser(Number),
    new Option('--format <name>', `${FORMATS.join(', ')}; default: by the ending of -o`),
  ],
  examples: [
    ['heat', 'digits from 1 to 9; in colour on a terminal'],
    ['heat -o heat.svg', 'with faults and evictions as marks, and every number on pointing at it'],
    ['heat --format csv -o heat.csv', 'the cells, for spreadsheets and scripts'],
  ],
  answer: reportHeat,
};

/** `report RECORDING heat`: one replay, which stops at the end of each column. */
function reportHeat(recording: OpenRecording, options: HeatOptions): number {
  const format = formatOf(options);
  const isColoured = format === 'text' && options.output === undefined && process.stdout.isTTY === true;
  const width = isColoured ? Math.max(16, (process.stdout.columns || 96) - BESIDE) : SIZES[format].columns;
  const mostRows = options.rows ?? SIZES[format].rows;
  if (!Number.isInteger(mostRows) || mostRows < 1 || mostRows > MOST_ROWS)
    throw new UsageError(`--rows: write how many rows there are to be, at most ${MOST_ROWS}`);
  const sampling = samplingOf(recording, options, (untilNs) => Math.max(1, Math.ceil(untilNs / width)));
  const columns = Number.isFinite(sampling.untilNs) ? Math.ceil(sampling.untilNs / sampling.everyNs) : MOST_COLUMNS;
  if (columns > MOST_COLUMNS)
    throw new UsageError(`--every ${options.every}: makes ${columns} columns; there are at most ${MOST_COLUMNS}`);
  const replay = recording.makeReplay();
  const { kernel } = replay.system;
  requireReferences(replay);
  const peaks = new ResidentPeaks(kernel);
  const maps = new HeatMaps(kernel, columns);
  const ended = replaySampled(replay, sampling, () =>
    maps.endColumns(Math.floor(kernel.clock.nowNs / sampling.everyNs)),
  );
  const space = peaks.list().find(({ pid }) => options.pid === undefined || pid === options.pid);
  const bands = space === undefined ? [] : maps.bandsOf(space.space, mostRows);
  peaks.close();
  maps.close();
  if (space === undefined || bands.length === 0) throw noProcess(options.pid);
  const map = trimmed({
    command: recording.header.command.join(' '),
    pid: space.pid,
    cmdline: space.cmdline,
    startNs: 0,
    everyNs: sampling.everyNs,
    columns,
    bands: bands.map(({ labels, rows }) => ({ name: nameOf(labels), rows })),
  });
  writeReport(written(map, format, isColoured && (process.env.NO_COLOR ?? '') === '' ? 'colour' : 'plain'), options);
  return statusOf(recording, ended, { nowNs: kernel.clock.nowNs, untilNs: sampling.untilNs });
}

function written(map: HeatMap, format: HeatFormat, ink: 'colour' | 'plain'): string {
  switch (format) {
    case 'text':
      return heatText(map, ink);
    case 'svg':
      return heatSvg(map);
    case 'csv':
      return heatCsv(map);
    case 'json':
      return heatJson(map);
  }
}

function formatOf({ format, json, output }: HeatOptions): HeatFormat {
  if (json === true) return 'json';
  const asked = format ?? FORMATS.find((each) => output?.endsWith(`.${each}`)) ?? 'text';
  const found = FORMATS.find((each) => each === asked);
  if (found === undefined) throw new UsageError(`--format ${format}: write ${FORMATS.join(', ')}`);
  return found;
}

/** As in maps, with the file alone; the rights tell mappings of one file apart. */
function nameOf(labels: readonly { readonly name: string; readonly rights: string }[]): string {
  const [{ name, rights }] = labels;
  const file = name.slice(name.lastIndexOf('/') + 1);
  const rest = labels.length === 1 ? '' : ` +${labels.length - 1}`;
  return `${name.startsWith('[') ? name : `${file === 'anon' ? '//anon' : file} ${rights}`}${rest}`;
}

/** Only the columns from the first that has something to the last. */
function trimmed(map: HeatMap): HeatMap {
  let [first, last] = [map.columns, -1];
  for (const { rows } of map.bands)
    for (const { counts } of rows)
      for (const each of Object.values(counts))
        each?.forEach((count, column) => {
          if (count === 0) return;
          first = Math.min(first, column);
          last = Math.max(last, column);
        });
  const cut = (row: HeatRow): HeatRow => ({
    ...row,
    counts: {
      references: row.counts.references?.slice(first, last + 1) ?? null,
      faults: row.counts.faults?.slice(first, last + 1) ?? null,
      majorFaults: row.counts.majorFaults?.slice(first, last + 1) ?? null,
      evictions: row.counts.evictions?.slice(first, last + 1) ?? null,
    },
  });
  const bands = map.bands.map(({ name, rows }) => ({ name, rows: rows.map(cut) }));
  return { ...map, startNs: map.startNs + first * map.everyNs, columns: last - first + 1, bands };
}
