import { type AccessSink, TraceError } from './access.ts';
import { LineDecoder } from './line-decoder.ts';
import { NumberReader } from './numbers.ts';

/** How a csv trace is to be read, under libCacheSim's names (`-t "obj-id-col=2,delimiter=,"`). Columns count from 1. */
export interface CsvOptions {
  /** null: the column that the header names so, or the only one. */
  readonly idColumn: number | null;
  readonly sizeColumn: number | null;
  readonly delimiter: string;
  /** 'guess': the first line is a header where its id is no number. */
  readonly header: 'yes' | 'no' | 'guess';
  readonly ids: 'numbers' | 'text';
}

export const CSV_DEFAULTS: CsvOptions = {
  idColumn: null,
  sizeColumn: null,
  delimiter: ',',
  header: 'guess',
  ids: 'numbers',
};

/** What headers call the column, without regard to case. */
const ID_NAMES = [
  'obj_id',
  'obj-id',
  'objid',
  'object_id',
  'id',
  'page',
  'pfn',
  'vpn',
  'address',
  'addr',
  'key',
  'lbn',
];

/** A line a reference; ids that are no numbers are numbered as they come. Quotes around a field are taken off; a delimiter in them is not for us. */
export class CsvDecoder extends LineDecoder {
  private readonly options: CsvOptions;
  private readonly delimiter: number;
  private readonly number = new NumberReader();
  private readonly names = new Map<string, number>();
  private idColumn: number;
  private isFirst = true;
  private fieldStart = 0;
  private fieldEnd = 0;

  constructor(options: CsvOptions) {
    super();
    this.options = options;
    this.delimiter = options.delimiter.charCodeAt(0);
    this.idColumn = options.idColumn ?? 0;
  }

  protected line(bytes: Uint8Array, start: number, end: number, sink: AccessSink): void {
    if (start === end || bytes[start] === 0x23) return;
    if (this.isFirst) {
      this.isFirst = false;
      if (this.takeHeader(bytes, start, end)) return;
    }
    if (!this.findField(bytes, start, end, this.idColumn))
      throw this.wrong(bytes, start, end, `no line with ${this.idColumn} columns`);
    if (this.options.ids === 'text') this.takeName(bytes);
    else if (this.number.either(bytes, this.fieldStart, this.fieldEnd) !== this.fieldEnd)
      throw this.wrong(
        bytes,
        this.fieldStart,
        this.fieldEnd,
        `no number (column ${this.idColumn}); obj-id-is-num=0 takes any text`,
      );
    const { high, low } = this.number;
    sink.access('load', high, low, this.sizeOf(bytes, start, end));
  }

  /** Finds the id's column; whether the line was a header. */
  private takeHeader(bytes: Uint8Array, start: number, end: number): boolean {
    const { header, idColumn, ids } = this.options;
    const names = new TextDecoder().decode(bytes.subarray(start, end)).split(this.options.delimiter).map(plainName);
    const named = names.findIndex((name) => ID_NAMES.includes(name)) + 1;
    if (idColumn === null) {
      this.idColumn = named > 0 && header !== 'no' ? named : names.length === 1 ? 1 : 0;
      if (this.idColumn === 0)
        throw new TraceError(
          `line 1: no column has a name such as obj_id or page; say which one it is: --csv obj-id-col=2`,
        );
    }
    if (header !== 'guess') return header === 'yes';
    if (named > 0) return true;
    if (ids === 'text') return false;
    const isThere = this.findField(bytes, start, end, this.idColumn);
    return isThere && this.number.either(bytes, this.fieldStart, this.fieldEnd) !== this.fieldEnd;
  }

  private takeName(bytes: Uint8Array): void {
    const name = new TextDecoder('latin1').decode(bytes.subarray(this.fieldStart, this.fieldEnd));
    const known = this.names.get(name);
    if (known === undefined) this.names.set(name, this.names.size);
    this.number.high = 0;
    this.number.low = known ?? this.names.size - 1;
  }

  private sizeOf(bytes: Uint8Array, start: number, end: number): number {
    const { sizeColumn } = this.options;
    if (sizeColumn === null) return 1;
    const isThere = this.findField(bytes, start, end, sizeColumn);
    if (!isThere || this.number.decimal(bytes, this.fieldStart, this.fieldEnd) !== this.fieldEnd)
      throw this.wrong(bytes, start, end, `no line with a size in column ${sizeColumn}`);
    return Math.max(1, this.number.high > 0 ? 0xffff_ffff : this.number.low);
  }

  /** Puts the column's bytes, without blanks and quotes around them, in fieldStart and fieldEnd. */
  private findField(bytes: Uint8Array, start: number, end: number, column: number): boolean {
    let from = start;
    for (let left = column - 1; left > 0; from++) {
      if (from >= end) return false;
      if (bytes[from] === this.delimiter) left--;
    }
    let to = from;
    while (to < end && bytes[to] !== this.delimiter) to++;
    while (from < to && isAround(bytes[from])) from++;
    while (to > from && isAround(bytes[to - 1])) to--;
    this.fieldStart = from;
    this.fieldEnd = to;
    return true;
  }
}

function isAround(byte: number): boolean {
  return byte === 0x20 || byte === 0x22;
}

function plainName(text: string): string {
  return text.trim().replaceAll('"', '').toLowerCase();
}
