import { Command } from 'commander';
import { align } from '../align-columns.ts';
import { openRecording } from '../open-recording.ts';
import { UsageError } from '../usage-error.ts';
import { codeQuestion } from './code.ts';
import { forkQuestion } from './fork.ts';
import { heatQuestion } from './heat.ts';
import { memoryQuestion } from './memory.ts';
import { addOptions, checkOptions, type Question } from './question.ts';
import { reclaimQuestion } from './reclaim.ts';
import { thpQuestion } from './thp.ts';
import { wssQuestion } from './wss.ts';

/** The first is the default. */
const QUESTIONS: readonly Question[] = [
  codeQuestion,
  memoryQuestion,
  forkQuestion,
  wssQuestion,
  heatQuestion,
  reclaimQuestion,
  thpQuestion,
];

export function reportCommand(): Command {
  const command = new Command('report')
    .argument('<recording>', 'what faultline record wrote')
    .argument('[question]', QUESTIONS.map(({ name }) => name).join(', '), QUESTIONS[0].name)
    .description(
      'Answer a question about the memory of a recorded run: which code took it, how much was resident when, ...',
    )
    .addHelpText('after', help());
  addOptions(command, QUESTIONS);
  return command.action(async (file: string, name: string) => {
    const question = QUESTIONS.find((each) => each.name === name);
    if (question === undefined)
      throw new UsageError(`${name}: is no question; there are ${QUESTIONS.map((each) => each.name).join(', ')}`);
    checkOptions(command, question, QUESTIONS);
    process.exitCode = question.answer(await openRecording(file), command.opts<never>());
  });
}

function help(): string {
  const questions = align(
    QUESTIONS.map(({ name, about }) => ['', name, about]),
    0,
  );
  const examples = align(
    QUESTIONS.flatMap((each) => each.examples).map(([args, purpose]) => [
      '',
      ['faultline report run.flt', args].join(' ').trimEnd(),
      purpose,
    ]),
    0,
  );
  return ['', 'Questions:', ...questions, '', 'Examples:', ...examples].join('\n');
}
