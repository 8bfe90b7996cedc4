import { expect, test } from 'vitest';
import { EV_COW_COPY, EV_PAGE_FREE, EV_RSS_STAT } from '../../base/event-kinds.ts';
import { type EventRecord, EventSink } from '../../base/events.ts';
import { formatEvent } from './event-format.ts';
import { EventLog } from './event-log.ts';
import { csvHead, csvLine, eventColumns, eventObject } from './event-table.ts';

const clock = { nowNs: 0 };

function tell(sink: EventSink, timeNs: number, pid: number, kind: number, ...values: number[]): void {
  clock.nowNs = timeNs;
  sink.currentPid = pid;
  if (sink.enabled[kind] !== 0) sink.emit(kind, ...values);
}

/** Each as one line. */
function linesOf(log: EventLog): string[] {
  const lines: string[] = [];
  log.forEach((event) => {
    lines.push(formatEvent(event, 'p'));
  });
  return lines;
}

test('keeps events of several kinds in their order', () => {
  const sink = new EventSink(clock);
  const log = new EventLog(sink);
  tell(sink, 1000, 6, EV_PAGE_FREE, 7, 0);
  tell(sink, 2000, 6, EV_COW_COPY, 1, 0x3f_8683_3000, 5, 7, 0);
  tell(sink, 3000.5, 0, EV_PAGE_FREE, 8, 9);
  expect(linesOf(log)).toEqual([
    '     0.001000 p/6 kmem:mm_page_free: pfn=7 order=0',
    '     0.002000 p/6 faultline:cow_copy: mm_id=1 address=0x3f86833000 old_pfn=5 pfn=7 ksm=0',
    '     0.003001 p/0 kmem:mm_page_free: pfn=8 order=9',
  ]);
  expect([log.length, log.countOf(EV_PAGE_FREE), log.dropped]).toEqual([3, 2, 0]);
  expect(log.columnOf(EV_PAGE_FREE, 'pfn')).toEqual(Int32Array.of(7, 8));
  expect(log.columnOf(EV_PAGE_FREE, 'time_ns')).toEqual(Float64Array.of(1000, 3000.5));
  expect(log.columnOf(EV_PAGE_FREE, 'no such').length).toBe(0);
});

test('keeps what the filter says, and does not ask for other kinds', () => {
  const sink = new EventSink(clock);
  const log = new EventLog(sink, { kinds: [EV_PAGE_FREE], pid: 6, fromNs: 10, toNs: 20 });
  expect([sink.enabled[EV_PAGE_FREE], sink.enabled[EV_COW_COPY]]).toEqual([1, 0]);
  for (const [time, pid] of [
    [9, 6],
    [10, 6],
    [11, 7],
    [19, 6],
    [20, 6],
  ])
    tell(sink, time, pid, EV_PAGE_FREE, time, 0);
  expect([...log.columnOf(EV_PAGE_FREE, 'pfn')]).toEqual([10, 19]);
  log.close();
  expect(sink.enabled[EV_PAGE_FREE]).toBe(0);
});

test('is bounded, and tells how many it dropped', () => {
  const sink = new EventSink(clock);
  const log = new EventLog(sink, { maxEvents: 5 });
  for (let i = 0; i < 12; i++) tell(sink, i, 0, EV_PAGE_FREE, i, 0);
  expect([log.length, log.dropped]).toEqual([5, 7]);
});

test('can be read and cleared whenever it is full, over many chunks', () => {
  const sink = new EventSink(clock);
  const seen: number[] = [];
  const drain = (log: EventLog): void => {
    log.forEach(({ values }) => {
      seen.push(values[0]);
    });
    log.clear();
  };
  const log = new EventLog(sink, { maxEvents: 10_000, onFull: drain });
  for (let i = 0; i < 25_000; i++) {
    tell(sink, i, 0, EV_PAGE_FREE, i, 0);
    if (i === 9_999)
      expect(log.columnOf(EV_PAGE_FREE, 'pfn')).toEqual(Int32Array.from({ length: 10_000 }, (_, n) => n));
  }
  drain(log);
  expect(log.dropped).toBe(0);
  expect(seen).toEqual(Array.from({ length: 25_000 }, (_, i) => i));
});

test('a table of several kinds shares the columns that have one name', () => {
  const columns = eventColumns([EV_PAGE_FREE, EV_RSS_STAT]);
  expect(csvHead(columns)).toBe('time_ns,common_pid,event,pfn,order,mm_id,member,size');
  const event: EventRecord = {
    kind: EV_PAGE_FREE,
    pid: 3,
    timeNs: 0.5,
    values: Float64Array.of(7, 1, 0, 0, 0, 0, 0, 0),
  };
  expect(csvLine(columns, event)).toBe('0.5,3,kmem:mm_page_free,7,1,,,');
  expect(eventObject(event)).toEqual({ time_ns: 0.5, common_pid: 3, event: 'kmem:mm_page_free', pfn: 7, order: 1 });
});
