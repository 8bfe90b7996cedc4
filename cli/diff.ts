import { Command } from 'commander';
import { type EventField, type EventParting, firstDifferentEvent, formatField, type TapedEvent } from '../src/index.ts';
import { grouped } from './numbers.ts';
import { openRecording } from './open-recording.ts';

const EXIT_DIFFERENT = 1;

const EXAMPLES = `
Both runs are done again, and all their events compared (docs/events.md). The exit status is 1 if they
part. Times count with --times only.

Examples:
  faultline record -o a.flt --seed 1 ./program; faultline record -o b.flt --seed 2 ./program
  faultline diff a.flt b.flt
  faultline replay a.flt --to @N where          at the point that it prints`;

export function diffCommand(): Command {
  return new Command('diff')
    .argument('<recording>', 'what faultline record wrote')
    .argument('<other>', 'another one')
    .option('--times', 'the same event at another time is another one')
    .option('--json', 'answer as JSON')
    .description('Find the first event at which two recorded runs part.')
    .addHelpText('after', EXAMPLES)
    .action(async (first: string, second: string, options: { times?: true; json?: true }) => {
      const [a, b] = [await openRecording(first), await openRecording(second)];
      const replays = [a.makeReplay(), b.makeReplay()] as const;
      const parting = firstDifferentEvent(replays[0], replays[1], options.times === true ? 'times' : 'events');
      const points = { a: replays[0].system.issued, b: replays[1].system.issued };
      const text = parting === null ? 'the runs are the same\n' : formatParting(first, second, parting);
      process.stdout.write(options.json === true ? `${JSON.stringify({ parting, points }, null, 2)}\n` : text);
      process.exitCode = parting === null ? 0 : EXIT_DIFFERENT;
    });
}

function formatParting(first: string, second: string, { number, before, a, b }: EventParting): string {
  const width = Math.max(first.length, second.length, 'before'.length);
  const line = (name: string, event: TapedEvent | null): string => `  ${name.padEnd(width)}  ${formatEvent(event)}`;
  return [
    `the runs part at event ${grouped(number)}:`,
    line('before', before),
    line(first, a),
    line(second, b),
    '',
  ].join('\n');
}

function formatEvent(event: TapedEvent | null): string {
  if (event === null) return 'no more events';
  const values = Object.entries(event.values).map(
    ([name, value]) => `${name}=${formatField(name as EventField, value)}`,
  );
  return `${(event.timeNs / 1e6).toFixed(6)} ms ${event.name} ${values.join(' ')}`;
}
