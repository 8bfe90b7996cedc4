import { svFormat } from './sv.ts';

/** 48-bit virtual addresses: 4 levels. */
export const sv48 = svFormat('sv48', 4);
