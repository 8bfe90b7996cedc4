import { InvalidArgumentError } from 'commander';
import { parseSize } from './size.ts';

/** What `--hugepages` asks for: so many huge pages of a size from boot on (Linux's hugepagesz= and hugepages=). */
export interface HugepagesOption {
  readonly sizeBytes: number;
  readonly count: number;
}

/** `2M=16,1G=1`; a count alone is of 2 MiB pages. */
export function parseHugepages(text: string): HugepagesOption[] {
  return text.split(',').map((part) => {
    const [size, number] = part.includes('=') ? part.split('=', 2) : ['2M', part];
    const sizeBytes = parseSize(size);
    const count = Number(number);
    const isCount = /^\d+$/.test(number ?? '') && Number.isSafeInteger(count);
    if ((sizeBytes !== 2 ** 21 && sizeBytes !== 2 ** 30) || !isCount)
      throw new InvalidArgumentError('write sizes and counts such as 2M=16 or 2M=16,1G=1; pages are of 2M or 1G.');
    return { sizeBytes, count };
  });
}
