import type { FrameTable } from '../phys/frame-table.ts';
import { AgingPolicy } from './aging.ts';
import { ArcPolicy } from './arc.ts';
import { ClockPolicy } from './clock.ts';
import { ClockProPolicy } from './clock-pro.ts';
import { FifoPolicy } from './fifo.ts';
import { LruPolicy } from './lru.ts';
import { LruGen } from './mglru/lru-gen.ts';
import { MglruPolicy } from './mglru/mglru.ts';
import { NruPolicy } from './nru.ts';
import type { ReclaimPolicy } from './policy.ts';
import { RandomPolicy } from './random.ts';
import { TwoListPolicy } from './two-list.ts';

/** Names of `--reclaim`; the first is the default. */
export const RECLAIM_POLICIES = [
  'mglru',
  'two-list',
  'fifo',
  'random',
  'clock',
  'nru',
  'aging-2.4',
  'lru',
  'arc',
  'clock-pro',
] as const;
export type ReclaimPolicyName = (typeof RECLAIM_POLICIES)[number];

export function createReclaimPolicy(name: ReclaimPolicyName, frames: FrameTable): ReclaimPolicy {
  const { frameCount } = frames;
  switch (name) {
    case 'fifo':
      return new FifoPolicy(frameCount);
    case 'random':
      return new RandomPolicy(frameCount);
    case 'clock':
      return new ClockPolicy(frameCount);
    case 'aging-2.4':
      return new AgingPolicy(frameCount);
    case 'nru':
      return new NruPolicy(frameCount);
    case 'lru':
      return new LruPolicy(frameCount);
    case 'arc':
      return new ArcPolicy(frameCount);
    case 'clock-pro':
      return new ClockProPolicy(frameCount);
    case 'mglru':
      return new MglruPolicy(frames);
    default:
      return new TwoListPolicy();
  }
}

/** Makes the policies of a machine: each lruvec has one of its own. */
export interface ReclaimPolicies {
  readonly name: string;
  create(frames: FrameTable): ReclaimPolicy;
}

/** Those of `--reclaim NAME`. */
export class NamedPolicies implements ReclaimPolicies {
  readonly name: ReclaimPolicyName;

  constructor(name: ReclaimPolicyName) {
    this.name = name;
  }

  create(frames: FrameTable): ReclaimPolicy {
    return createReclaimPolicy(this.name, frames);
  }
}

/** Mglru as it can be set while the machine runs; with its main switch off, two lists. */
export class LruGenPolicies implements ReclaimPolicies {
  readonly name = 'mglru';
  readonly settings = new LruGen();

  create(frames: FrameTable): ReclaimPolicy {
    return this.settings.isOn ? new MglruPolicy(frames, this.settings) : new TwoListPolicy();
  }
}

/** What `--reclaim NAME` says. */
export function policiesByName(name: ReclaimPolicyName): ReclaimPolicies {
  return name === 'mglru' ? new LruGenPolicies() : new NamedPolicies(name);
}
