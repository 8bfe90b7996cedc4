import { CHUNK, NumberSpool } from './number-spool.ts';

/** Stands for: never referenced again. No distance is so small. */
const NEVER_AGAIN = 0;

/**
 * The references of a trace, numbers of pages, to be gone through as often as one likes; and, asked for, how far each is from the next one to
 * its page, which takes one more way through them from the end. Four bytes a reference each, on disk where they are many.
 */
export class PageSpool {
  private readonly pages = new NumberSpool();
  private readonly distances = new NumberSpool();
  private readonly buffer = new Int32Array(CHUNK);
  private hasDistances = false;
  private greatest = -1;

  push(page: number): void {
    this.pages.push(page);
    if (page > this.greatest) this.greatest = page;
  }

  get length(): number {
    return this.pages.length;
  }

  /** Pages that were referenced, if they are numbered from 0 on. */
  get pageCount(): number {
    return this.greatest + 1;
  }

  /** In their order, in chunks; an array is used again for the next one. */
  forEachChunk(visit: (pages: Int32Array) => void): void {
    for (let at = 0; at < this.pages.chunkCount; at++) visit(this.pages.chunk(at, this.buffer));
  }

  /** The same with the position, from 0 on, of the next reference to the page, Infinity where there is none. */
  forEachWithNext(visit: (page: number, next: number) => void): void {
    this.findDistances();
    const distances = new Int32Array(CHUNK);
    for (let at = 0; at < this.pages.chunkCount; at++) {
      const pages = this.pages.chunk(at, this.buffer);
      const chunk = distances.subarray(0, pages.length);
      this.distances.read(at, chunk);
      for (let i = 0; i < pages.length; i++) {
        const distance = chunk[i] >>> 0;
        visit(pages[i], distance === NEVER_AGAIN ? Number.POSITIVE_INFINITY : at * CHUNK + i + distance);
      }
    }
  }

  close(): void {
    this.pages.close();
    this.distances.close();
  }

  private findDistances(): void {
    if (this.hasDistances) return;
    this.hasDistances = true;
    const later = new Float64Array(this.pageCount).fill(-1);
    const distances = new Int32Array(CHUNK);
    for (let at = this.pages.chunkCount - 1; at >= 0; at--) {
      const pages = this.pages.chunk(at, this.buffer);
      for (let i = pages.length - 1; i >= 0; i--) {
        const position = at * CHUNK + i;
        const next = later[pages[i]];
        const distance = next < 0 ? NEVER_AGAIN : next - position;
        // One that does not fit 32 bits is as good as never: of two such pages either may go.
        distances[i] = distance > 0xffff_ffff ? NEVER_AGAIN : distance;
        later[pages[i]] = position;
      }
      this.distances.write(at, distances.subarray(0, pages.length));
    }
  }
}
