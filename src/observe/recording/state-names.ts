import type { Environment } from '../../machine/environment.ts';
import { type Contents, contentsOf, isState, KnownOfBuffers } from './checkpoint.ts';
import { STATE_CLASSES } from './state-classes.ts';
import { STATE_TABLES } from './state-tables.ts';

/**
 * Numbers for what is there when a machine has been made, the same in each machine that is made of the same options by the same Faultline:
 * its objects, functions and views, found in the same order; and constants and classes of the program. By them a checkpoint in a file
 * says what it means of another process.
 */
export class StateNames {
  /** By number. */
  readonly things: readonly object[];
  /** What the objects held then. */
  readonly start: ReadonlyMap<object, Contents>;
  readonly known = new KnownOfBuffers();
  private readonly numbers = new Map<object, number>();
  /** Changes with the shape of the machine: of another one no number means the same. */
  readonly fingerprint: string;

  /** Of a machine that nothing has been done with yet. The leaves belong to the host: they have numbers, but not what is behind them. */
  constructor(root: object, leaves: readonly object[]) {
    const things: object[] = [];
    const start = new Map<object, Contents>();
    let hash = 0x811c9dc5;
    const mix = (text: string): void => {
      for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    };
    const number = (value: unknown): void => {
      if (value === null || (typeof value !== 'object' && typeof value !== 'function') || this.numbers.has(value))
        return;
      this.numbers.set(value, things.length);
      things.push(value);
    };
    for (const leaf of leaves) number(leaf);
    const firstOfMachine = things.length;
    number(root);
    for (const table of STATE_TABLES) number(table);
    for (let at = firstOfMachine; at < things.length; at++) {
      const thing = things[at];
      mix(kindOf(thing));
      if (ArrayBuffer.isView(thing)) number(thing.buffer);
      else if (typeof thing !== 'function' && !(thing instanceof ArrayBuffer) && isState(thing)) {
        const contents = contentsOf(thing);
        const { keys, values, members } = contents;
        start.set(thing, contents);
        this.known.learnFrom(thing);
        for (const key of keys) mix(String(key));
        for (const value of values) number(value);
        for (const value of members) number(value);
      }
    }
    for (const { prototype } of STATE_CLASSES) number(prototype);
    mix(String(things.length));
    this.things = things;
    this.start = start;
    this.fingerprint = (hash >>> 0).toString(16);
  }

  numberOf(thing: object): number | undefined {
    return this.numbers.get(thing);
  }
}

function kindOf(thing: object): string {
  if (typeof thing === 'function') return 'function';
  return (Object.getPrototypeOf(thing) as { constructor?: { name: string } } | null)?.constructor?.name ?? 'none';
}

/** What of an Environment a machine's state leads to. */
export function leavesOf(environment: Environment): readonly object[] {
  return environment.host === null ? [environment] : [environment, environment.host];
}
