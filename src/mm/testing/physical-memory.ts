import { EventSink } from '../../base/events.ts';
import { Vmstat } from '../../base/vmstat.ts';
import { VirtualClock } from '../../machine/clock.ts';
import { Ram } from '../../machine/ram.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { checkPhysical } from '../phys/check.ts';
import { createPhysicalMemory, type PhysicalMemory } from '../physical-memory.ts';

export interface TestMemory extends PhysicalMemory {
  readonly ram: Ram;
  readonly vmstat: Vmstat;
  readonly clock: VirtualClock;
  readonly events: EventSink;
  /** All invariants of the physical side. */
  check(): void;
}

/** For tests: the physical side alone, one DMA32 zone of `frames` frames (a multiple of 16), frame 0 reserved. */
export function createTestMemory(frames = 1024): TestMemory {
  const ram = new Ram({ ramBytes: frames * PAGE_SIZE, machineAreaBytes: 65536 });
  const clock = new VirtualClock({ retired: 0 });
  const vmstat = new Vmstat();
  const events = new EventSink(clock);
  const zones = [{ name: 'DMA32' as const, startPfn: 0, endPfn: frames }];
  const memory = createPhysicalMemory({ ram, vmstat, events, clock, zones, reservedFrames: 1 });
  return { ...memory, ram, vmstat, clock, events, check: () => checkPhysical(memory) };
}
