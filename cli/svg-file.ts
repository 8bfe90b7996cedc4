import { writeFileSync } from 'node:fs';
import { UsageError } from './usage-error.ts';

/** To a file, or with '-' to standard output. Throws UsageError if the file cannot be written. */
export function writeSvg(file: string, text: string): void {
  if (file === '-') {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UsageError(`--svg ${file}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}
