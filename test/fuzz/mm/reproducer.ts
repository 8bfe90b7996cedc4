import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Step, slotOf } from './walk.ts';

/** A walk as one C program without other files, for gcc -static -pthread: it prints what executor.c prints for the same steps. */
export function reproducer(steps: readonly Step[]): string {
  const runtime = readSource('runtime.h').replace(/^#include "(.*)"$/gm, (_, part: string) => readSource(part));
  return `${runtime}
#define A(page) (A_BASE + (page) * PG)
#define T(page) (t_base + (page) * PG)
#define H(page) (h_base + (page) * PG)
#define PAGES(count) ((count) * PG)
#define DO(name, ...) run_call(name, (const long[6]){__VA_ARGS__})

static int slot_of(int step) { return (int[]){${steps.map(slotOf).join(', ')}}[step]; }
static void run_step(int step) {
  switch (step) {
${steps.map((step, i) => `  case ${i}: ${statement(step)} break;`).join('\n')}
  }
}

int main(void) {
  run_walk(${steps.length});
  return 0;
}
`;
}

function readSource(name: string): string {
  return readFileSync(join(import.meta.dirname, name), 'utf8');
}

function statement(step: Step): string {
  const [, call, ...words] = step.split(' ');
  return `DO(${[`"${call}"`, ...words.map(argument)].join(', ')});`;
}

/** An argument as executor.c reads it, in C. */
function argument(word: string): string {
  const match = /^([ATHp])(-?\d+)(\+\d+)?$/.exec(word);
  if (match !== null)
    return `${match[1] === 'p' ? 'PAGES' : match[1]}(${match[2]})${match[3]?.replace('+', ' + ') ?? ''}`;
  const file = /^f(\d+)$/.exec(word);
  if (file !== null) return `fd[${file[1]}]`;
  if (word.startsWith('b')) return `(long)io_buffer + ${Number(word.slice(1))}`;
  return /^0xffff/.test(word) ? `(long)${word}UL` : word;
}
