import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import type { ParquetWriter } from 'hyparquet-writer';
import {
  csvHead,
  csvLine,
  type EventColumn,
  type EventRecord,
  eventColumns,
  eventObject,
  formatEvent,
} from '../src/index.ts';
import { UsageError } from './usage-error.ts';

export const EVENT_FORMATS = ['text', 'csv', 'jsonl', 'json', 'parquet'] as const;
export type EventFormat = (typeof EVENT_FORMATS)[number];

/** As main.ts: 128 + SIGPIPE. */
const EXIT_BROKEN_PIPE = 141;
/** Rows of a row group of Parquet. */
const GROUP_ROWS = 100_000;
/** Lines that are written in one go. */
const LINES = 2000;

/** Takes events as they come, and writes them piece by piece, so that no run is too long for it. */
export interface EventWriter {
  readonly count: number;
  add(event: EventRecord): void;
  end(): void;
}

/** `commOf` names the program of a task, for the format that has names. Throws UsageError if the file cannot be written. */
export async function openEventWriter(
  format: EventFormat,
  file: string | undefined,
  kinds: readonly number[],
  commOf: (pid: number) => string,
): Promise<EventWriter> {
  const output = new Output(file);
  if (format === 'parquet') {
    if (file === undefined && process.stdout.isTTY)
      throw new UsageError('--format parquet: is no text for a terminal; say -o FILE');
    return new ParquetEvents(await makeParquet(output, eventColumns(kinds)), eventColumns(kinds), output);
  }
  return new TextEvents(output, format, kinds, commOf);
}

/** A file, or standard output. */
class Output {
  private readonly descriptor: number;
  private readonly file: string | undefined;

  constructor(file: string | undefined) {
    this.file = file;
    try {
      this.descriptor = file === undefined ? 1 : openSync(file, 'w');
      fstatSync(this.descriptor);
    } catch (error) {
      throw new UsageError(`--output ${file}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
    }
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(this.descriptor, bytes, at);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // The reader has seen enough; or it is slow.
        if (code === 'EPIPE') process.exit(EXIT_BROKEN_PIPE);
        if (code !== 'EAGAIN') throw error;
      }
    }
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.descriptor);
  }
}

class TextEvents implements EventWriter {
  private readonly output: Output;
  private readonly lineOf: (event: EventRecord) => string;
  private readonly tail: string;
  private readonly pieces: string[] = [];
  count = 0;
  private separator = '';
  private readonly between: string;

  constructor(output: Output, format: EventFormat, kinds: readonly number[], commOf: (pid: number) => string) {
    this.output = output;
    this.between = format === 'json' ? ',\n' : '\n';
    this.tail = format === 'json' ? '\n]\n' : '\n';
    if (format === 'csv') {
      const columns = eventColumns(kinds);
      this.lineOf = (event) => csvLine(columns, event);
      this.separator = `${csvHead(columns)}\n`;
    } else if (format === 'text') this.lineOf = (event) => formatEvent(event, commOf(event.pid));
    else {
      this.lineOf = (event) => JSON.stringify(eventObject(event));
      this.separator = format === 'json' ? '[\n' : '';
    }
  }

  add(event: EventRecord): void {
    this.pieces.push(this.separator, this.lineOf(event));
    this.separator = this.between;
    this.count++;
    if (this.count % LINES === 0) this.flush();
  }

  private flush(): void {
    this.output.write(Buffer.from(this.pieces.join('')));
    this.pieces.length = 0;
  }

  end(): void {
    // What stands before the first of them, where there is none.
    if (this.count === 0) this.pieces.push(this.separator.trimEnd());
    if (this.pieces.join('') !== '' || this.count > 0) this.pieces.push(this.tail);
    this.flush();
    this.output.close();
  }
}

const PARQUET_TYPES = { u8: 'INT32', i32: 'INT32', u32: 'DOUBLE', f64: 'DOUBLE', text: 'STRING' } as const;

/** Loaded only when somebody wants Parquet. */
async function makeParquet(output: Output, columns: readonly EventColumn[]): Promise<ParquetWriter> {
  const { ByteWriter, ParquetWriter, schemaFromColumnData } = await import('hyparquet-writer');
  const writer = new ByteWriter();
  // Every row group goes to the file when it is whole; `offset` goes on counting.
  const flush = (): void => {
    output.write(writer.getBytes());
    writer.index = 0;
  };
  Object.assign(writer, { flush, finish: flush });
  const columnData = columns.map(({ name, type }) => ({ name, data: [], type: PARQUET_TYPES[type] }));
  return new ParquetWriter({ writer, schema: schemaFromColumnData({ columnData }), createdBy: 'faultline' });
}

class ParquetEvents implements EventWriter {
  private readonly parquet: ParquetWriter;
  private readonly columns: readonly EventColumn[];
  private readonly output: Output;
  private data: (number | string | null)[][];
  count = 0;

  constructor(parquet: ParquetWriter, columns: readonly EventColumn[], output: Output) {
    this.parquet = parquet;
    this.columns = columns;
    this.output = output;
    this.data = columns.map(() => []);
  }

  add(event: EventRecord): void {
    for (let i = 0; i < this.data.length; i++) this.data[i].push(this.columns[i].valueIn(event));
    this.count++;
    if (this.count % GROUP_ROWS === 0) this.flush();
  }

  private flush(): void {
    const rows = this.data[0].length;
    if (rows === 0) return;
    const columnData = this.columns.map(({ name, type }, i) => ({
      name,
      data: this.data[i],
      type: PARQUET_TYPES[type],
    }));
    this.parquet.write({ columnData, rowGroupSize: rows });
    this.data = this.columns.map(() => []);
  }

  end(): void {
    this.flush();
    this.parquet.finish();
    this.output.close();
  }
}
