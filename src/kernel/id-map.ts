/** (uid_t)-1, (gid_t)-1: no id. */
export const INVALID_ID = 0xffff_ffff;
/** DEFAULT_OVERFLOWUID: what an id is called where it has no number. */
export const OVERFLOW_ID = 65534;

/** struct uid_gid_extent: `count` ids from `first` on are those from `lowerFirst` on outside. */
export interface IdExtent {
  readonly first: number;
  readonly lowerFirst: number;
  readonly count: number;
}

/**
 * struct uid_gid_map (6.18, kernel/user_namespace.c): the numbers of a user namespace, and the kernel's for the same ids. The
 * kernel's own are those of the first namespace.
 *
 * Invariants: ID1 no two extents have an inner or an outer id in common. ID2 once there are extents, they stay as they are.
 */
export class IdMap {
  extents: readonly IdExtent[] = [];

  get isSet(): boolean {
    return this.extents.length > 0;
  }

  /** make_kuid: the kernel's id, or INVALID_ID. */
  toKernel(id: number): number {
    return this.rangeToKernel(id, 1);
  }

  /** map_id_range_down: the same of `count` ids, which must lie in one extent. */
  rangeToKernel(id: number, count: number): number {
    for (const { first, lowerFirst, count: size } of this.extents) {
      if (id >= first && id + count <= first + size) return lowerFirst + (id - first);
    }
    return INVALID_ID;
  }

  /** from_kuid: the number here, or INVALID_ID. */
  fromKernel(id: number): number {
    for (const { first, lowerFirst, count } of this.extents) {
      if (id >= lowerFirst && id < lowerFirst + count) return first + (id - lowerFirst);
    }
    return INVALID_ID;
  }

  /** from_kuid_munged. */
  show(id: number): number {
    const own = this.fromKernel(id);
    return own === INVALID_ID ? OVERFLOW_ID : own;
  }
}

/** Every id is itself, but for INVALID_ID, which is none. */
export const IDENTITY: readonly IdExtent[] = [{ first: 0, lowerFirst: 0, count: INVALID_ID }];

/** UID_GID_MAP_MAX_EXTENTS. */
const MAX_EXTENTS = 340;
const LINE = /^[ \t]*(\d+)[ \t]+(\d+)[ \t]+(\d+)[ \t]*$/;

const overlap = (a: number, aCount: number, b: number, bCount: number): boolean => a < b + bCount && b < a + aCount;

/** map_write: the lines of one write, "first lower count" each; null where it is none. */
export function parseExtents(text: string): readonly IdExtent[] | null {
  const lines = text.replace(/\n$/, '').split('\n');
  const extents: IdExtent[] = [];
  for (const line of lines) {
    const match = LINE.exec(line);
    if (match === null) return null;
    // simple_strtoul, cut to 32 bits.
    const [first, lowerFirst, count] = match.slice(1).map((digits) => Number(BigInt.asUintN(32, BigInt(digits))));
    if (first === INVALID_ID || lowerFirst === INVALID_ID) return null;
    // Neither side may wrap around, and 0 ids are no range.
    if (count === 0 || first + count > INVALID_ID || lowerFirst + count > INVALID_ID) return null;
    const clashes = extents.some(
      (other) =>
        overlap(first, count, other.first, other.count) || overlap(lowerFirst, count, other.lowerFirst, other.count),
    );
    if (clashes || extents.length === MAX_EXTENTS) return null;
    extents.push({ first, lowerFirst, count });
  }
  return extents.length === 0 ? null : extents;
}
