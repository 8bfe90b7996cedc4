import { Command, InvalidArgumentError, Option } from 'commander';
import {
  type AccessSink,
  CSV_DEFAULTS,
  type CsvOptions,
  PageAccesses,
  PageNumbers,
  TRACE_FORMATS,
  type TraceFormat,
  type TraceUnit,
} from '../src/index.ts';
import { chartSvg, formatChart } from './chart.ts';
import { PageSpool } from './page-spool.ts';
import { parseCsv, parsePageShift, parseSizes, parseTlb, type SizeWish, type TlbWish } from './sim-options.ts';
import { type PolicyRow, SIM_POLICIES, type SimPolicy, simulatePolicies, sizesOf } from './sim-policies.ts';
import { formatPolicyRows, formatTlbRows, policyChart, tlbChart } from './sim-tables.ts';
import { type TlbRow, TlbSimulation } from './sim-tlb.ts';
import { writeSvg } from './svg-file.ts';
import { readTrace } from './trace-file.ts';
import { UsageError } from './usage-error.ts';
import { WorkProgress } from './work-progress.ts';

/** Of a trace that is cut off: what there is of it was taken. */
const EXIT_CUT_OFF = 1;

const EXAMPLES = `
Formats, found out by the content, also of .gz and .zst: valgrind --tool=lackey --trace-mem=yes (and readi, readd, write);
libCacheSim's oracleGeneral, lcs and csv; a page a line. What lackey writes are addresses: accesses to the page of the access before are
one reference with it, as the reference stream of Faultline's own CPU has it, but for --each. The other formats have an id of a page
a record, and each record counts. Sizes: pages (100), bytes (16M) or shares of all pages (50%).

The trace is read once, in pieces; its page numbers, four bytes a reference, are kept for the policies, in a temporary file where they
are many; opt takes four more for the distance to the next reference, which it finds from the end. lru is one pass for all sizes.

--tlb simulates TLBs instead: entries=64,ways=4,page=4K,2M; L1D:, L1I: and L2: before it for several levels; entries=16,32,64 or
entries=all for a miss-ratio curve against the reach.

Examples:
  valgrind --tool=lackey --trace-mem=yes --log-file=ls.lackey ls && faultline sim ls.lackey
  faultline sim --policies lru,arc,clock-pro,opt --sizes 10%,20%,50% --svg curves.svg trace.oracleGeneral.zst
  faultline sim --csv obj-id-col=2,delimiter=, trace.csv
  faultline sim --tlb L1I:entries=32,ways=4 --tlb L1D:entries=64,ways=4 --tlb L2:entries=1536,ways=12,page=4K,2M ls.lackey
  faultline record -o run.flt ./program && faultline replay run.flt references -o run.oracleGeneral && faultline sim run.oracleGeneral`;

interface SimOptions {
  policies?: SimPolicy[];
  sizes?: SizeWish[];
  tlb: TlbWish[];
  format?: TraceFormat;
  csv?: CsvOptions;
  page: number;
  each?: true;
  sample: number;
  seed: number;
  plot?: true;
  svg?: string;
  json?: true;
}

const DEFAULT_POLICIES: readonly SimPolicy[] = ['fifo', 'random', 'clock', 'lru', 'arc', 'clock-pro', 'opt'];

export function simCommand(): Command {
  return new Command('sim')
    .argument('<trace>', 'a trace of memory or page references; -: standard input')
    .addOption(
      new Option('--policies <list>', `some of ${SIM_POLICIES.join(', ')}`)
        .argParser(parsePolicies)
        .default(undefined, DEFAULT_POLICIES.join()),
    )
    .addOption(
      new Option('--sizes <list>', 'sizes of the memory; default: nine shares of all pages').argParser(parseSizes),
    )
    .addOption(
      new Option('--tlb <shape>', 'simulate a TLB; may be repeated for its levels')
        .argParser(parseTlb)
        .default([], 'none'),
    )
    .addOption(
      new Option('--format <name>', 'what the trace is, where its content does not say').choices(TRACE_FORMATS),
    )
    .addOption(new Option('--csv <options>', 'columns of a csv: obj-id-col=2,delimiter=,').argParser(parseCsv))
    .addOption(
      new Option('--page <size>', 'page size for traces of addresses').argParser(parsePageShift).default(12, '4K'),
    )
    .option('--each', 'in traces of addresses, count each access, those to the page of the one before too')
    .addOption(
      new Option('--sample <share>', 'look at this share of the pages for the curve of lru (SHARDS)')
        .argParser(parseShare)
        .default(1, '1, all'),
    )
    .addOption(new Option('--seed <n>', 'of the policy random').argParser(Number).default(1))
    .option('--plot', 'a plot in letters below the table; on a terminal it is there anyway')
    .option('--svg <file>', 'the plot as an SVG file; -: standard output, and nothing else there')
    .option('--json', 'answer as JSON')
    .description('Simulate page policies or TLBs on a trace of references.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, options: SimOptions) => {
      process.exitCode = await sim(file, options);
    });
}

async function sim(file: string, options: SimOptions): Promise<number> {
  const progress = new WorkProgress();
  const spool = new PageSpool();
  try {
    let tlbs: TlbSimulation | null = null;
    let bytes = 0;
    const wantsPolicies = options.tlb.length === 0 || options.policies !== undefined;
    const { format, missing } = await readTrace({
      file,
      format: options.format ?? (options.csv === undefined ? null : 'csv'),
      csv: options.csv ?? CSV_DEFAULTS,
      sinkFor: (found) => {
        const unit = unitOf(found);
        const sinks: AccessSink[] = wantsPolicies ? [spoolSink(spool, unit, options)] : [];
        if (options.tlb.length > 0) {
          tlbs = new TlbSimulation(options.tlb, unit);
          sinks.push(...tlbs.sinks);
        }
        return sinks.length === 1 ? sinks[0] : allOf(sinks);
      },
      onBytes: (count) => {
        bytes += count;
        progress.tell(() => `${file}: ${(bytes / 2 ** 20).toFixed(0)} MiB read`);
      },
    });
    const rows = wantsPolicies ? policyRows(file, spool, options, progress) : [];
    const tlbRows: TlbRow[] = (tlbs as TlbSimulation | null)?.rows() ?? [];
    progress.close();
    print({ file, format, missing, pages: spool.pageCount, rows, tlbRows }, options);
    if (missing === null) return 0;
    process.stderr.write(`faultline: ${file}: ${missing}; this is of what comes before\n`);
    return EXIT_CUT_OFF;
  } finally {
    progress.close();
    spool.close();
  }
}

function unitOf(format: TraceFormat): TraceUnit {
  return format === 'lackey' ? 'addresses' : 'pages';
}

function spoolSink(spool: PageSpool, unit: TraceUnit, options: SimOptions): AccessSink {
  const numbers = new PageNumbers();
  const areRuns = unit === 'addresses' && options.each !== true;
  let last = -1;
  return new PageAccesses(unit, unit === 'pages' ? 12 : options.page, (_, high, low) => {
    const page = numbers.numberOf(high, low);
    if (areRuns && page === last) return;
    last = page;
    spool.push(page);
  });
}

function allOf(sinks: readonly AccessSink[]): AccessSink {
  return {
    access: (kind, high, low, sizeBytes) => {
      for (const sink of sinks) sink.access(kind, high, low, sizeBytes);
    },
  };
}

function policyRows(file: string, spool: PageSpool, options: SimOptions, progress: WorkProgress): PolicyRow[] {
  if (spool.length === 0) throw new UsageError(`${file}: has no references`);
  return simulatePolicies(spool, {
    policies: options.policies ?? DEFAULT_POLICIES,
    sizes: sizesOf(options.sizes ?? null, spool.pageCount, 2 ** options.page),
    seed: options.seed,
    sample: options.sample,
    onPolicy: (policy, share) => progress.tell(() => `${policy}: ${(share * 100).toFixed(0)} %`),
  });
}

interface SimResult {
  readonly file: string;
  readonly format: TraceFormat;
  readonly missing: string | null;
  readonly pages: number;
  readonly rows: readonly PolicyRow[];
  readonly tlbRows: readonly TlbRow[];
}

function print(result: SimResult, options: SimOptions): void {
  const { file, rows, tlbRows } = result;
  const charts = [
    ...(rows.length > 0 ? [policyChart(file, rows, 2 ** options.page)] : []),
    ...(tlbRows.length > 0 ? [tlbChart(file, tlbRows)] : []),
  ];
  if (options.svg !== undefined) writeSvg(options.svg, charts.map(chartSvg)[0]);
  if (options.svg === '-') return;
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  const isPlotted = options.plot === true || process.stdout.isTTY === true;
  process.stdout.write(
    [
      ...(rows.length > 0 ? [formatPolicyRows(rows)] : []),
      ...(tlbRows.length > 0 ? [formatTlbRows(tlbRows)] : []),
      ...(isPlotted ? charts.map(formatChart) : []),
    ].join('\n'),
  );
}

function parsePolicies(text: string): SimPolicy[] {
  return text.split(',').map((word) => {
    const policy = SIM_POLICIES.find((each) => each === word);
    if (policy === undefined) throw new InvalidArgumentError(`there are ${SIM_POLICIES.join(', ')}.`);
    return policy;
  });
}

function parseShare(text: string): number {
  const share = Number(text);
  if (!(share > 0 && share <= 1)) throw new InvalidArgumentError('write a share such as 0.01.');
  return share;
}
