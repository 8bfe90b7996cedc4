/** 64-bit values in pairs of 32-bit words, and numbers: exact below 2^53; nobody shifts by hand. */
const TWO_32 = 0x1_0000_0000;

export const lowWord = (value: number): number => value >>> 0;
/** Of a negative value too (two's complement). */
export const highWord = (value: number): number => Math.floor(value / TWO_32) >>> 0;
export const unsigned64 = (low: number, high: number): number => (high >>> 0) * TWO_32 + (low >>> 0);
export const signed64 = (low: number, high: number): number => (high | 0) * TWO_32 + (low >>> 0);

export function getU64(view: DataView, offset: number): number {
  return unsigned64(view.getUint32(offset, true), view.getUint32(offset + 4, true));
}

export function getS64(view: DataView, offset: number): number {
  return signed64(view.getUint32(offset, true), view.getUint32(offset + 4, true));
}

export function setU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, lowWord(value), true);
  view.setUint32(offset + 4, highWord(value), true);
}
