/** When a page is needed next that is never needed again. */
export const NEVER = Number.POSITIVE_INFINITY;

/**
 * A memory of some frames under Belady's optimum: of the pages in memory the one goes that is needed last (L. A. Belady, A study of
 * replacement algorithms, 1966). No policy misses less. O(log frames) a reference, and memory for the frames alone and 4 bytes a page.
 *
 * Invariants: `pages` and `needs` are a binary heap, the page needed last on top; places[page] is its position in it plus 1, 0 outside.
 */
export class OptimalMemory {
  misses = 0;
  private readonly sizePages: number;
  private readonly pages: number[] = [];
  private readonly needs: number[] = [];
  private places: Int32Array<ArrayBuffer> = new Int32Array(1024);

  constructor(sizePages: number) {
    this.sizePages = sizePages;
  }

  /** `need`: when the page is referenced next, in any unit that rises, or NEVER. */
  reference(page: number, need: number): void {
    if (page >= this.places.length) this.makeRoomFor(page);
    const place = this.places[page];
    if (place > 0) {
      // It was the one needed first, and is needed later now.
      this.needs[place - 1] = need;
      this.rise(place - 1);
      return;
    }
    this.misses++;
    const { length } = this.pages;
    if (length < this.sizePages) {
      this.pages.push(page);
      this.needs.push(need);
      this.rise(length);
      return;
    }
    this.places[this.pages[0]] = 0;
    this.pages[0] = page;
    this.needs[0] = need;
    this.sink(0);
  }

  /** The page is no more: a frame is free. */
  free(page: number): void {
    const place = page < this.places.length ? this.places[page] - 1 : -1;
    if (place < 0) return;
    this.places[page] = 0;
    const last = this.pages.pop() as number;
    const need = this.needs.pop() as number;
    if (last === page) return;
    this.pages[place] = last;
    this.needs[place] = need;
    this.places[last] = place + 1;
    this.rise(place);
    this.sink(this.places[last] - 1);
  }

  private rise(from: number): void {
    const { pages, needs, places } = this;
    const page = pages[from];
    const need = needs[from];
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (needs[parent] >= need) break;
      needs[at] = needs[parent];
      pages[at] = pages[parent];
      places[pages[at]] = at + 1;
      at = parent;
    }
    needs[at] = need;
    pages[at] = page;
    places[page] = at + 1;
  }

  private sink(from: number): void {
    const { pages, needs, places } = this;
    const { length } = pages;
    const page = pages[from];
    const need = needs[from];
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && needs[child + 1] > needs[child]) child++;
      if (needs[child] <= need) break;
      needs[at] = needs[child];
      pages[at] = pages[child];
      places[pages[at]] = at + 1;
      at = child;
    }
    needs[at] = need;
    pages[at] = page;
    places[page] = at + 1;
  }

  private makeRoomFor(page: number): void {
    const larger = new Int32Array(2 ** Math.ceil(Math.log2(page + 1)) * 2);
    larger.set(this.places);
    this.places = larger;
  }
}
