import { svFormat } from './sv.ts';

/** 39-bit virtual addresses: 3 levels. */
export const sv39 = svFormat('sv39', 3);
