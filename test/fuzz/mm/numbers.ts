import { UsageError } from '../../../cli/usage-error.ts';

export function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new UsageError(`${name}: '${text}' is not a whole number`);
  return value;
}
