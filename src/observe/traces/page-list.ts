import type { AccessSink } from './access.ts';
import { LineDecoder } from './line-decoder.ts';
import { NumberReader } from './numbers.ts';

/** One page a line, a decimal number or a hexadecimal one with 0x (libCacheSim's txt). Empty lines and such with # are passed over. */
export class PageListDecoder extends LineDecoder {
  private readonly number = new NumberReader();

  protected line(bytes: Uint8Array, start: number, end: number, sink: AccessSink): void {
    let first = start;
    let last = end;
    while (first < last && bytes[first] <= 0x20) first++;
    while (last > first && bytes[last - 1] <= 0x20) last--;
    if (first === last || bytes[first] === 0x23) return;
    if (this.number.either(bytes, first, last) !== last)
      throw this.wrong(bytes, start, end, 'no number of a page, such as 1234 or 0x4d2');
    sink.access('load', this.number.high, this.number.low, 1);
  }
}
