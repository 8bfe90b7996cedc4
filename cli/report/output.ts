import { writeFileSync } from 'node:fs';
import { UsageError } from '../usage-error.ts';

/** To the file of -o, or to standard output. */
export function writeReport(what: string | Uint8Array, { output }: { readonly output?: string }): void {
  if (output === undefined || output === '-') {
    process.stdout.write(what);
    return;
  }
  try {
    writeFileSync(output, what);
  } catch (error) {
    throw new UsageError(`--output ${output}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}
