import { PAGE_SIZE } from '../../machine/units.ts';

/**
 * The first page of a swap area, as mkswap(8) writes it (union swap_header, include/linux/swap.h): at byte 1024 the version, the
 * last page, the number of bad pages, a UUID and a label; from byte 1536 on the bad pages; "SWAPSPACE2" in the last ten bytes.
 */
const VERSION_AT = 1024;
const LAST_PAGE_AT = 1028;
const BAD_COUNT_AT = 1032;
const UUID_AT = 1036;
const BAD_PAGES_AT = 1536;
const MAGIC_AT = PAGE_SIZE - 10;
const MAGIC = 'SWAPSPACE2';
const MAX_BAD_PAGES = Math.floor((MAGIC_AT - BAD_PAGES_AT) / 4);

export interface SwapHeader {
  /** Slots, the header's among them. */
  readonly slotCount: number;
  readonly badSlots: readonly number[];
}

/**
 * read_swap_header (6.18): `sizeBytes` is the store's. A text, for the kernel log, where it is no header that can be used. A file
 * has no bad pages. A header of the other byte order is taken as Linux takes it. Of an area with more than `maxSlots` the first ones
 * are used (swapfile_maximum_size).
 */
export function parseSwapHeader(
  page: Uint8Array,
  sizeBytes: number,
  kind: 'file' | 'partition',
  maxSlots: number,
): SwapHeader | string {
  const magic = String.fromCharCode(...page.subarray(MAGIC_AT));
  if (magic !== MAGIC) return 'Unable to find swap-space signature';
  const view = new DataView(page.buffer, page.byteOffset, PAGE_SIZE);
  const isLittle = view.getUint32(VERSION_AT, false) !== 1;
  const version = view.getUint32(VERSION_AT, isLittle);
  if (version !== 1) return `Unable to handle swap header version ${version}`;
  const lastPage = view.getUint32(LAST_PAGE_AT, isLittle);
  if (lastPage === 0) return 'Empty swap-file';
  const slotCount = Math.min(lastPage + 1, maxSlots);
  const pages = Math.floor(sizeBytes / PAGE_SIZE);
  if (pages > 0 && slotCount > pages) return 'Swap area shorter than signature indicates';
  const badCount = view.getUint32(BAD_COUNT_AT, isLittle);
  if (badCount > (kind === 'file' ? 0 : MAX_BAD_PAGES)) return 'Too many bad pages';
  const badSlots = Array.from({ length: badCount }, (_, i) => view.getUint32(BAD_PAGES_AT + 4 * i, isLittle));
  if (badSlots.some((slot) => slot === 0 || slot > lastPage)) return 'Bad page out of range';
  return { slotCount, badSlots: badSlots.filter((slot) => slot < slotCount) };
}

/** What mkswap writes on an area of so many bytes. `uuid`: 16 bytes. */
export function makeSwapHeader(sizeBytes: number, uuid: Uint8Array): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE);
  const view = new DataView(page.buffer);
  view.setUint32(VERSION_AT, 1, true);
  view.setUint32(LAST_PAGE_AT, Math.floor(sizeBytes / PAGE_SIZE) - 1, true);
  page.set(uuid, UUID_AT);
  for (let i = 0; i < MAGIC.length; i++) page[MAGIC_AT + i] = MAGIC.charCodeAt(i);
  return page;
}
