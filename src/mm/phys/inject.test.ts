import { describe, expect, it } from 'vitest';
import { EIO } from '../../abi/errno.ts';
import { __GFP_NOFAIL, GFP_KERNEL } from './gfp.ts';
import { FaultInjector } from './inject.ts';

describe('FaultInjector', () => {
  it('fails about so many requests, from its start on, the same ones for a seed', () => {
    const draw = (seed: number): boolean[] => {
      const injector = new FaultInjector({ frames: 0.25 }, seed);
      injector.start();
      return Array.from({ length: 4000 }, () => injector.failsFrames(GFP_KERNEL));
    };
    const failed = draw(7).filter((fails) => fails).length;
    expect(Math.abs(failed - 1000)).toBeLessThan(100);
    expect(draw(7)).toEqual(draw(7));
    expect(draw(8)).not.toEqual(draw(7));
  });

  it('fails nothing before its start, after its stop, with __GFP_NOFAIL, or what was not asked for', () => {
    const injector = new FaultInjector({ frames: 0.999, slab: 0.999, diskRead: 1, swap: 'full' }, 1);
    expect([injector.failsObject(GFP_KERNEL), injector.next('read'), injector.isSwapFull]).toEqual([false, 0, false]);
    injector.start();
    expect([injector.failsObject(GFP_KERNEL), injector.next('read'), injector.isSwapFull]).toEqual([true, -EIO, true]);
    expect([injector.failsFrames(GFP_KERNEL | __GFP_NOFAIL), injector.next('write')]).toEqual([false, 0]);
    expect(injector.counts).toEqual({ frames: 0, slab: 1, diskRead: 1, diskWrite: 0 });
    injector.stop();
    expect([injector.failsObject(GFP_KERNEL), injector.isSwapFull]).toEqual([false, false]);
  });

  it('refuses what is no probability, and memory that is never there', () => {
    expect(() => new FaultInjector({ frames: 1 }, 1)).toThrow(/below 1/);
    expect(() => new FaultInjector({ diskRead: 1.5 }, 1)).toThrow(/no probability/);
  });
});
