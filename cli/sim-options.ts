import { InvalidArgumentError } from 'commander';
import { CSV_DEFAULTS, type CsvOptions, TLB_LEVELS, type TlbLevel } from '../src/index.ts';
import { parseSize } from './size.ts';

/** A size of --sizes: pages, bytes, or a share of the trace's pages. */
export type SizeWish = { readonly pages: number } | { readonly bytes: number } | { readonly share: number };

/** `100,16M,50%`: a plain number is pages. */
export function parseSizes(text: string): SizeWish[] {
  return text.split(',').map((word) => {
    if (/^[1-9]\d*$/.test(word)) return { pages: Number(word) };
    const percent = /^(\d+(?:\.\d+)?)%$/.exec(word);
    if (percent !== null && Number(percent[1]) > 0) return { share: Number(percent[1]) / 100 };
    const bytes = parseSize(word);
    if (bytes === null || bytes < 4096) throw new InvalidArgumentError('write pages, bytes or shares: 100,16M,50%.');
    return { bytes };
  });
}

const PAGE_SHIFTS: Readonly<Record<string, number>> = { '4K': 12, '16K': 14, '64K': 16, '2M': 21, '32M': 25, '1G': 30 };

export function parsePageShift(text: string): number {
  const shift = PAGE_SHIFTS[text.toUpperCase()];
  if (shift === undefined) throw new InvalidArgumentError(`pages are ${Object.keys(PAGE_SHIFTS).join(', ')}.`);
  return shift;
}

export function formatPage(shift: number): string {
  return Object.keys(PAGE_SHIFTS).find((name) => PAGE_SHIFTS[name] === shift) ?? `2^${shift}`;
}

/** libCacheSim's: `time-col=1,obj-id-col=2,obj-size-col=3,delimiter=;,has-header=true,obj-id-is-num=1`. */
export function parseCsv(text: string): CsvOptions {
  let options = CSV_DEFAULTS;
  // A comma may be the delimiter itself.
  for (const [, name, value] of text.matchAll(/([a-z-]+)=(,|tab|[^,]*)(?:,|$)/g)) {
    const column = (): number => {
      if (!/^[1-9]\d*$/.test(value)) throw new InvalidArgumentError(`${name}: columns count from 1.`);
      return Number(value);
    };
    const isSaid = /^(true|1|yes)$/.test(value);
    switch (name) {
      case 'obj-id-col':
        options = { ...options, idColumn: column() };
        break;
      case 'obj-size-col':
        options = { ...options, sizeColumn: column() };
        break;
      case 'delimiter':
        options = { ...options, delimiter: value === 'tab' || value === '\\t' ? '\t' : value };
        break;
      case 'has-header':
        options = { ...options, header: isSaid ? 'yes' : 'no' };
        break;
      case 'obj-id-is-num':
        options = { ...options, ids: isSaid ? 'numbers' : 'text' };
        break;
      // What a page policy has no use for.
      case 'time-col':
      case 'op-col':
      case 'ttl-col':
        break;
      default:
        throw new InvalidArgumentError(
          `there is no ${name}; there are obj-id-col, obj-size-col, time-col, delimiter, has-header, obj-id-is-num.`,
        );
    }
  }
  if (options.delimiter.length !== 1) throw new InvalidArgumentError('the delimiter is one character, or tab.');
  return options;
}

/** What --tlb says of one level. */
export interface TlbWish {
  readonly level: TlbLevel;
  /** More than one: each is tried. */
  readonly entries: readonly number[];
  readonly ways: number | 'full';
  readonly pageShifts: readonly number[];
}

const TLB_EXAMPLE = 'write entries=64,ways=4,page=4K,2M, with L1D:, L1I: or L2: before it for more levels.';

/** `L1D:entries=64,ways=4,page=4K,2M`; a word without = is one more value of the name before. */
export function parseTlb(text: string, before: readonly TlbWish[]): TlbWish[] {
  const [, levelText, rest] = /^(?:([a-z0-9]+):)?(.*)$/i.exec(text) as unknown as [string, string | undefined, string];
  const level = TLB_LEVELS.find((each) => each === (levelText ?? 'L1').toUpperCase());
  if (level === undefined) throw new InvalidArgumentError(TLB_EXAMPLE);
  const values = new Map<string, string[]>();
  let last: string[] = [];
  for (const word of rest.split(',')) {
    const [name, value] = word.split('=', 2);
    if (value === undefined) last.push(name);
    else {
      last = [value];
      values.set(name, last);
    }
  }
  const { entries, ways, page, ...others } = Object.fromEntries(values);
  const counts = entries?.flatMap((word) => (word === 'all' ? LADDER : [Number(word)])) ?? [];
  const isGood = counts.length > 0 && counts.every((count) => Number.isInteger(count) && count > 0 && count <= 2 ** 20);
  if (!isGood || Object.keys(others).length > 0 || (ways?.length ?? 1) > 1) throw new InvalidArgumentError(TLB_EXAMPLE);
  const wayCount = ways === undefined || ways[0] === 'full' ? 'full' : Number(ways[0]);
  for (const count of counts)
    if (wayCount !== 'full' && !(Number.isInteger(wayCount) && wayCount > 0 && count % wayCount === 0))
      throw new InvalidArgumentError(`${count} entries cannot have ${ways?.[0]} ways.`);
  if (before.some((each) => each.level === level)) throw new InvalidArgumentError(`${level} is there twice.`);
  return [...before, { level, entries: counts, ways: wayCount, pageShifts: (page ?? []).map(parsePageShift) }];
}

/** Entries of `entries=all`. */
const LADDER = Array.from({ length: 11 }, (_, at) => 8 * 2 ** at);
