import { describe, expect, it } from 'vitest';
import { PageCounter, type PeakWatch } from './page-counter.ts';

describe('PageCounter', () => {
  it('has the peak of all time, and of each file one since it was reset', () => {
    const parent = new PageCounter(null);
    const counter = new PageCounter(parent);
    const [first, second]: PeakWatch[] = [{ valuePages: null }, { valuePages: null }];
    counter.charge(50);
    counter.uncharge(40);
    expect([counter.peakOf(first), parent.peakOf(first)]).toEqual([50, 50]);
    counter.resetPeak(first);
    expect([counter.peakOf(first), counter.peakOf(second)]).toEqual([10, 50]);
    counter.charge(20);
    counter.uncharge(25);
    expect([counter.peakOf(first), counter.peakOf(second), counter.watermark]).toEqual([30, 50, 50]);
    counter.charge(30);
    counter.resetPeak(second);
    counter.uncharge(35);
    expect([counter.peakOf(first), counter.peakOf(second)]).toEqual([35, 35]);
    counter.endPeak(first);
    counter.endPeak(first);
    expect(counter.peakWatches).toEqual([second]);
  });
});
