import { existsSync, readFileSync } from 'node:fs';
import type { AttributionEntry } from '../../src/index.ts';
import { grouped } from '../numbers.ts';
import { formatSize } from '../size.ts';
import { UsageError } from '../usage-error.ts';

/** Lines around one that did something. */
const CONTEXT = 3;

/** A source file with a gutter: faults, copies and bytes at the peak of each line. Throws UsageError where there is no such file in the run, or here. */
export function annotate(entries: readonly AttributionEntry[], wanted: string): string {
  const files = [...new Set(entries.filter(({ line }) => line > 0).map(({ file }) => file))];
  const found = files.filter((file) => file === wanted || file.endsWith(`/${wanted.replace(/^(\.?\/)+/, '')}`));
  if (found.length === 0) {
    const known =
      files.length === 0 ? 'the program has no debug information: compile it with -g' : files.slice(0, 8).join(', ');
    throw new UsageError(`--annotate ${wanted}: no line of such a file took a fault (${known})`);
  }
  return found
    .map((file) =>
      annotateFile(
        entries.filter((entry) => entry.file === file),
        file,
      ),
    )
    .join('\n');
}

function annotateFile(entries: readonly AttributionEntry[], file: string): string {
  if (!existsSync(file)) throw new UsageError(`--annotate: ${file} is not here`);
  const source = readFileSync(file, 'utf8').split('\n');
  const byLine = new Map(entries.map((entry) => [entry.line, entry]));
  const lines = [`${'Faults'.padStart(9)} ${'Cow'.padStart(7)} ${'Peak'.padStart(8)}  ${file}`];
  let isGap = false;
  source.forEach((text, at) => {
    const line = at + 1;
    const isNear = entries.some((entry) => Math.abs(entry.line - line) <= CONTEXT);
    if (!isNear) {
      if (!isGap) lines.push('...');
      isGap = true;
      return;
    }
    isGap = false;
    const entry = byLine.get(line);
    const number = (value: number | undefined): string => (value === undefined || value === 0 ? '' : grouped(value));
    const peak = entry === undefined || entry.peakBytes === 0 ? '' : formatSize(entry.peakBytes);
    const gutter = `${number(entry?.faults).padStart(9)} ${number(entry?.cowCopies).padStart(7)} ${peak.padStart(8)}`;
    lines.push(`${gutter} ${String(line).padStart(5)}  ${text}`.trimEnd());
  });
  return `${lines.join('\n')}\n`;
}
