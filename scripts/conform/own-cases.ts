import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Our own cases below the repository's root; conform.h there says how they are written. */
export const CONFORM_FOLDER = 'guest/conform';

export interface Program {
  /** File name without .c. */
  readonly name: string;
  readonly source: string;
  /** What it printed on the recorded kernel; null if it was never recorded. */
  readonly record: Record | null;
  /** It changes /proc/sys of the machine that it runs on. */
  readonly changesSystem: boolean;
}

export interface Record {
  /** For example "Linux 6.18.44 x86_64". */
  readonly kernel: string;
  readonly results: readonly CaseResult[];
}

/** What one case printed. */
export interface CaseResult {
  /** "call | flag | what it does". */
  readonly title: string;
  readonly lines: readonly string[];
}

/** A case on which the native machine cannot decide, and what is right instead. */
export interface Explained extends CaseResult {
  readonly reason: string;
}

/** All programs by name; throws on a record that cannot be read. */
export function listPrograms(folder: string): Program[] {
  const names = readdirSync(folder).filter((file) => file.endsWith('.c'));
  return names.sort().map((file) => {
    const name = file.slice(0, -2);
    const path = recordPath(folder, name);
    const record = existsSync(path) ? parseRecord(readFileSync(path, 'utf8')) : null;
    return { name, source: join(folder, file), record, changesSystem: name.startsWith('sysctl-') };
  });
}

export function recordPath(folder: string, name: string): string {
  return join(folder, 'expected', `${name}.txt`);
}

export function formatRecord(kernel: string, output: string): string {
  return `# ${kernel}\n${output}`;
}

function parseRecord(text: string): Record {
  const end = text.indexOf('\n');
  return { kernel: text.slice(2, end), results: parseResults(text.slice(end + 1)) };
}

/** The output of a program, case by case. */
export function parseResults(output: string): CaseResult[] {
  const results: { title: string; lines: string[] }[] = [];
  for (const line of output.split('\n')) {
    if (line.startsWith('== ')) results.push({ title: line.slice(3), lines: [] });
    else if (line !== '') results.at(-1)?.lines.push(line);
  }
  return results;
}

/** expected/explained.txt: as a record, the lines that begin with `# ` after the title being the reason. */
export function readExplained(folder: string): Map<string, Explained> {
  const path = join(folder, 'expected', 'explained.txt');
  if (!existsSync(path)) return new Map();
  const results = parseResults(readFileSync(path, 'utf8'));
  return new Map(
    results.map(({ title, lines }) => {
      const reason = lines.filter((line) => line.startsWith('# ')).map((line) => line.slice(2));
      return [title, { title, reason: reason.join(' '), lines: lines.filter((line) => !line.startsWith('# ')) }];
    }),
  );
}

/** The newest kernel that a record is from: "Linux 6.18.44 x86_64". */
export function recordedKernel(programs: readonly Program[]): string {
  const kernels = programs.flatMap(({ record }) => (record === null ? [] : [record.kernel]));
  return kernels.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1) ?? 'no kernel';
}
