import { PG_anon, PG_lru, PG_pagecache, PG_swapcache } from '../phys/page-flags.ts';

/** Is the frame, which somebody pays for, a page of user memory, and not the kernel's (folio_memcg_kmem)? */
export function isUserMemory(flags: number): boolean {
  return (flags & (PG_anon | PG_pagecache | PG_swapcache | PG_lru)) !== 0;
}
