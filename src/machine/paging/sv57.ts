import { svFormat } from './sv.ts';

/** 57-bit virtual addresses: 5 levels. */
export const sv57 = svFormat('sv57', 5);
