import { PAGE_SIZE } from '../../machine/units.ts';
import type { VdsoTime } from '../arch.ts';
import { hwprobeValues, KNOWN_KEYS } from './own-calls.ts';
import { setU64 } from './words.ts';

/**
 * The data pages of the vdso, in Linux's order (6.18, include/vdso/datapage.h, enum vdso_pages): time, the same of a time
 * namespace, random numbers, the architecture's own. A time namespace has another page of times in the place of the first; there
 * is no getrandom in the vdso: the second and third page are not there (SIGBUS). What stands in the pages is between the kernel and its vdso.
 */
export const TIME_PAGE = 0;
export const ARCH_PAGE = 3;
export const VVAR_PAGES = 4;

/** MAX_CLOCKS that have a row of base times. */
export const CLOCKS = 12;

export const vvarOffsets = {
  /** 0: the counter is not to be read (VDSO_CLOCKMODE_NONE), 1: it is (VDSO_CLOCKMODE_ARCHTIMER). */
  clockMode: 0,
  mult: 8,
  shift: 16,
  cycleLast: 24,
  /** CLOCKS rows of seconds and nanoseconds: what the clock showed at cycleLast. */
  baseTimes: 32,
  /** In the architecture's page: a bit for each key that is known, and the values by key. */
  hwprobeKnown: 0,
  hwprobeValues: 8,
} as const;

const CLOCK_REALTIMES = [0, 5, 11];
/** CLOCK_MONOTONIC, _RAW, _COARSE. */
const CLOCK_MONOTONICS = [1, 4, 6];
const CLOCK_BOOTTIMES = [7, 9];

/** The pages' bytes; null: not there. The counter runs in ns (machine/cost-model.ts), so that it is taken as it is. */
export function vvarPages(time: VdsoTime, taskBytes: number): readonly (Uint8Array | null)[] {
  const timePage = new Uint8Array(PAGE_SIZE);
  const view = new DataView(timePage.buffer);
  view.setUint32(vvarOffsets.clockMode, time.source === 'counter' ? 1 : 0, true);
  setU64(view, vvarOffsets.mult, 1);
  for (const clock of CLOCK_REALTIMES) setU64(view, vvarOffsets.baseTimes + clock * 16, time.bootRealSeconds);
  const shift = (clock: number, { seconds, ns }: VdsoTime['monotonic']): void => {
    setU64(view, vvarOffsets.baseTimes + clock * 16, seconds);
    setU64(view, vvarOffsets.baseTimes + clock * 16 + 8, ns);
  };
  for (const clock of CLOCK_MONOTONICS) shift(clock, time.monotonic);
  for (const clock of CLOCK_BOOTTIMES) shift(clock, time.boottime);
  const archPage = new Uint8Array(PAGE_SIZE);
  const archView = new DataView(archPage.buffer);
  for (const key of KNOWN_KEYS) {
    const [low, high] = hwprobeValues(key, taskBytes)!;
    archView.setUint32(vvarOffsets.hwprobeValues + key * 8, low, true);
    archView.setUint32(vvarOffsets.hwprobeValues + key * 8 + 4, high, true);
    const word = vvarOffsets.hwprobeKnown + (key < 32 ? 0 : 4);
    archView.setUint32(word, archView.getUint32(word, true) | (1 << (key % 32)), true);
  }
  return [timePage, null, null, archPage];
}
