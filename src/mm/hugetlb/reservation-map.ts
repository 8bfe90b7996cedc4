/**
 * Linux's struct resv_map (mm/hugetlb.c), by huge page of the file. What a member means depends on whose map it is:
 *
 *   of an object (shared mappings)   the page is reserved, or it is there
 *   of a private VMA that reserved   the VMA's reservation for the page is used up
 */
export class ReservationMap {
  private readonly members = new Set<number>();

  has(index: number): boolean {
    return this.members.has(index);
  }

  add(index: number): void {
    this.members.add(index);
  }

  /** Adds all of [from, end). */
  addRange(from: number, end: number): void {
    for (let index = from; index < end; index++) this.members.add(index);
  }

  delete(index: number): void {
    this.members.delete(index);
  }

  /** Takes [from, end) out; how many members went (region_del). */
  deleteRange(from: number, end: number): number {
    let gone = 0;
    for (const index of this.members) {
      if (index < from || index >= end) continue;
      this.members.delete(index);
      gone++;
    }
    return gone;
  }

  /** Members in [from, end) (region_count). */
  countIn(from: number, end: number): number {
    let count = 0;
    for (const index of this.members) if (index >= from && index < end) count++;
    return count;
  }

  get size(): number {
    return this.members.size;
  }
}
