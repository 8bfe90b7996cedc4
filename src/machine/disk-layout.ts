/** A stretch of a file on the disk, in pages. */
interface Extent {
  readonly fileStart: number;
  readonly diskStart: number;
  pages: number;
}

/** Where a file lies on the disk: extents in the order of the file, without gaps. */
export class DiskPlace {
  readonly extents: Extent[] = [];

  get pages(): number {
    const last = this.extents.at(-1);
    return last === undefined ? 0 : last.fileStart + last.pages;
  }
}

/** Room is handed out in steps of 1 MiB, so that a file that grows stays in few pieces. */
const STEP_PAGES = 256;

/**
 * Which pages of the disk a file has: files lie one behind the other in the order in which the machine first uses them; one
 * that outgrows its room goes on behind the last. Nothing moves, and the room of a file that went stays empty.
 */
export class DiskLayout {
  private nextPage = 0;

  /** The disk's page of page `index` of a file, whose length is about `filePages` now. */
  positionOf(place: DiskPlace, index: number, filePages: number): number {
    if (index >= place.pages) this.extend(place, Math.max(index + 1, filePages));
    const extent = place.extents.find(({ fileStart, pages }) => index < fileStart + pages) as Extent;
    return extent.diskStart + (index - extent.fileStart);
  }

  private extend(place: DiskPlace, filePages: number): void {
    const wanted = Math.ceil((filePages - place.pages) / STEP_PAGES) * STEP_PAGES;
    const last = place.extents.at(-1);
    if (last !== undefined && last.diskStart + last.pages === this.nextPage) last.pages += wanted;
    else place.extents.push({ fileStart: place.pages, diskStart: this.nextPage, pages: wanted });
    this.nextPage += wanted;
  }
}
