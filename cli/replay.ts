import { createInterface } from 'node:readline';
import { Command, Option } from 'commander';
import { PageHistory, RecordingCut, Timeline } from '../src/index.ts';
import { decompressSection } from './decompress-section.ts';
import { EVENT_FORMATS } from './event-writers.ts';
import { type OpenRecording, openRecording } from './open-recording.ts';
import { type EventsOptions, exportEvents } from './replay-events.ts';
import { EXPORTS, exportNamed, writeExport } from './replay-exports.ts';
import { answer, QUESTIONS, type Question } from './replay-questions.ts';
import { parseWhere, type ReplayWhere } from './replay-stop.ts';
import { mustHaveNoLeak } from './self-check.ts';
import { UsageError } from './usage-error.ts';

/** Of a replay that is not the whole recorded run: it was cut off, or came to something else. */
const EXIT_NOT_THE_SAME = 1;

const HELP = `
Without --to and a question the whole run is replayed, with its output, and compared with the recording.
The point of --to: a time since boot (1.5ms, 2s), EVENT or EVENT#N (page_fault#100, sched_process_fork), write:0xADDRESS[@PID] (the
next change of 8 bytes there), @N (a point that Faultline printed), end (default).

Questions:
${QUESTIONS.map(({ usage, about }) => `  ${usage.padEnd(26)}${about}`).join('\n')}
  events                    all events up to the point, or those of --kind, --pid, --from (docs/events.md)

${EXPORTS.map(({ usage, about }) => `  ${usage.padEnd(26)}${about}`).join('\n')}

Examples:
  faultline replay run.flt
  faultline replay run.flt --to 2ms maps
  faultline replay run.flt --to page_fault#100 explain 0x3fd7c2ec
  faultline replay run.flt references -o run.oracleGeneral
  faultline replay run.flt --from 1ms --to 2ms events --kind page_fault,cow_copy
  faultline replay run.flt --interactive       then: to 2ms, to write:0x2a1f0, maps, to 1ms, ...`;

export interface ReplayCommandOptions extends EventsOptions {
  interactive?: true;
  ids: 'frames' | 'virtual';
  interval?: string;
}

export function replayCommand(): Command {
  return new Command('replay')
    .argument('<recording>', 'what faultline record wrote')
    .argument('[question...]', 'what to print there')
    .option('--to <point>', 'go there first')
    .option('--pid <n>', "whose memory; default: the program's. Of events: the task; default: all", Number)
    .option('--json', 'answer as JSON')
    .option('-o, --output <file>', 'where a file of the answer goes; -: standard output')
    .option('--interval <time>', 'virtual time of one snapshot of damo: 100us, 1ms; default: a fiftieth of the run')
    .addOption(
      new Option('--ids <kind>', 'pages of references: frames of RAM, shared ones once, or pages of address spaces')
        .choices(['frames', 'virtual'])
        .default('frames'),
    )
    .option('--kind <names>', 'events: these alone, with commas between them (docs/events.md)')
    .option('--from <time>', 'events: from then on')
    .option('--format <format>', `events: as ${EVENT_FORMATS.join(', ')}; default: text`)
    .option('-i, --interactive', 'read points and questions from standard input')
    .description('Do a recorded run again, to any point, and ask about its memory there.')
    .addHelpText('after', HELP)
    .action(async (file: string, words: string[], options: ReplayCommandOptions) => {
      process.exitCode = await replay(file, words, options);
    });
}

async function replay(file: string, words: readonly string[], options: ReplayCommandOptions): Promise<number> {
  const recording = await openRecording(file);
  if (words[0] === 'events' && words.length === 1) return exportEvents(file, recording, options);
  if (options.interactive === true) return converse(recording, options);
  if (words.length === 0 && options.to === undefined) return replayWhole(file, recording);
  const where = parseWhere(options.to ?? 'end');
  const exported = exportNamed(words[0]);
  if (exported !== null) return writeExport(recording, exported, { where, options });
  const question = parseQuestion(words.length === 0 ? ['where'] : words);
  const timeline = new Timeline(recording.makeReplay(), recording.checkpoints);
  tellIfEnded(goTo(timeline, where, options.pid), where);
  print(answer(timeline, question, { pid: options.pid, historyOf: historian(recording), afterwards: 'ends' }), options);
  return 0;
}

/** With its output; the exit status says whether it was the same. */
function replayWhole(file: string, recording: OpenRecording): number {
  const made = recording.makeReplay('shown');
  try {
    made.forward({ at: 'end' });
  } catch (error) {
    if (error instanceof RecordingCut) return EXIT_NOT_THE_SAME;
    throw error;
  }
  const { wallMs: _, ...stats } = made.system.stats({ wallMs: 0 });
  const ended = made.finish();
  if (ended !== null) mustHaveNoLeak(ended);
  if (recording.end === null || recording.isDamaged()) return EXIT_NOT_THE_SAME;
  if (JSON.stringify(stats) === JSON.stringify(recording.end.stats)) return 0;
  process.stderr.write(`faultline: ${file}: the replay is not the recorded run: its counters differ\n`);
  return EXIT_NOT_THE_SAME;
}

/** Reads lines: `to POINT` goes there, forward or back; anything else is a question. */
async function converse(recording: OpenRecording, options: ReplayCommandOptions): Promise<number> {
  const timeline = new Timeline(recording.makeReplay(), recording.checkpoints);
  const asker = { pid: options.pid, historyOf: historian(recording), afterwards: 'goes on' } as const;
  const lines = createInterface({ input: process.stdin, terminal: false });
  const prompt = (): void => {
    if (process.stdin.isTTY) process.stderr.write('faultline> ');
  };
  prompt();
  for await (const line of lines) {
    const words = line.trim().split(/\s+/).filter(Boolean);
    if (words[0] === 'quit') break;
    try {
      if (words[0] === 'to' && words.length === 2) {
        const where = parseWhere(words[1]);
        tellIfEnded(goTo(timeline, where, options.pid), where);
        print(answer(timeline, parseQuestion(['where']), asker), options);
      } else if (words.length > 0) {
        print(answer(timeline, parseQuestion(words), asker), options);
      }
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      process.stderr.write(`faultline: ${error.message}\n`);
    }
    prompt();
  }
  return 0;
}

function goTo(timeline: Timeline, where: ReplayWhere, pid: number | undefined): 'reached' | 'ended' {
  if (where.at !== 'change') return timeline.goTo(where);
  return timeline.goToChange(where.pid ?? pid ?? null, where.address);
}

function tellIfEnded(result: 'reached' | 'ended', where: ReplayWhere): void {
  if (result === 'ended' && where.at !== 'end')
    process.stderr.write('faultline: the run ends before that point; this is its end\n');
}

function parseQuestion([name, ...args]: readonly string[]): { question: Question; args: string[] } {
  const question = QUESTIONS.find((each) => each.name === name);
  if (question === undefined)
    throw new UsageError(`${name}: is no question; there are ${QUESTIONS.map((each) => each.name).join(', ')}, events`);
  return { question, args };
}

/** What happened at an address up to a point: the run once more, and listened to from its start. */
function historian(recording: OpenRecording) {
  return (address: number, issued: number): PageHistory => {
    const again = recording.makeReplay();
    const history = new PageHistory(again.system.kernel, address, decompressSection);
    again.forward({ at: 'issued', issued });
    return history;
  };
}

function print({ text, json }: { text: string; json: unknown }, options: ReplayCommandOptions): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(json, null, 2)}\n` : text);
}
