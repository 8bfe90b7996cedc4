import { InvalidArgumentError } from 'commander';
import type { InjectOptions } from '../src/index.ts';

const ADVICE =
  'write a list such as frames=0.01,slab=0.01,disk-read=0.1,disk-write=0.1,swap-full; probabilities from 0 to 1';

const NAMES = { frames: 'frames', slab: 'slab', 'disk-read': 'diskRead', 'disk-write': 'diskWrite' } as const;

/** What `--inject` asks for: each thing that may fail once, with its probability. */
export function parseInject(text: string): InjectOptions {
  const options: { -readonly [name in keyof InjectOptions]: InjectOptions[name] } = {};
  for (const part of text.split(',')) {
    if (part === 'swap-full' && options.swap === undefined) {
      options.swap = 'full';
      continue;
    }
    const [name, rate, ...more] = part.split('=');
    if (!Object.hasOwn(NAMES, name)) throw new InvalidArgumentError(`'${part}' is nothing that can fail; ${ADVICE}.`);
    const key = NAMES[name as keyof typeof NAMES];
    if (options[key] !== undefined) throw new InvalidArgumentError(`'${name}' is there twice; ${ADVICE}.`);
    if (!/^(\d+\.?\d*|\.\d+)(e-?\d+)?$/.test(rate ?? '') || Number(rate) > 1 || more.length > 0)
      throw new InvalidArgumentError(`'${part}': ${ADVICE}.`);
    if ((name === 'frames' || name === 'slab') && Number(rate) === 1)
      throw new InvalidArgumentError(
        `'${part}': a page fault that fails is tried again, so that it must not always fail.`,
      );
    options[key] = Number(rate);
  }
  return options;
}
