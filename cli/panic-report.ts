import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KernelPanic } from '../src/index.ts';
import { SELF_CHECK_VARIABLE } from './self-check.ts';

/** sysexits.h EX_SOFTWARE: an error in Faultline itself. */
export const EXIT_INTERNAL_ERROR = 70;

/**
 * An error of our own (a KernelPanic, or an exception that nobody expected) as one line for standard error. What a maintainer needs
 * to repeat it goes to a file in the temporary folder, which the line names.
 */
export function reportInternalError(error: unknown, version: string): string {
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
  const kind = error instanceof KernelPanic ? 'kernel panic' : 'internal error';
  const check = process.env[SELF_CHECK_VARIABLE];
  const command = [
    ...(check ? [`${SELF_CHECK_VARIABLE}=${quoted(check)}`] : []),
    'faultline',
    ...process.argv.slice(2).map(quoted),
  ].join(' ');
  const file = join(tmpdir(), `faultline-panic-${process.pid}.json`);
  const report = {
    version,
    kind,
    message,
    command,
    cwd: process.cwd(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    stack: stack?.split('\n') ?? [],
  };
  let where = '';
  try {
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
    where = ` with ${file}`;
  } catch {
    // No place for the report: the line alone has to do.
  }
  return `faultline: ${kind}: ${message.split('\n')[0]}. This is a bug in faultline, not in the program: please report it${where}. To repeat it: ${command}`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
