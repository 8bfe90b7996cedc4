/**
 * Units of address (docs/design.md, section 3). Bytes: Vaddr, Paddr. Page numbers: Vpn, Pfn. Branded numbers: they cannot be
 * mixed, and the only casts are here and in typed-array getters. JavaScript shifts cut to 32 bits, so conversion is by
 * multiplication and division. Ranges are half-open. Exact up to 2^53 bytes.
 */
declare const unit: unique symbol;
export type Vaddr = number & { readonly [unit]: 'Vaddr' };
export type Paddr = number & { readonly [unit]: 'Paddr' };
export type Vpn = number & { readonly [unit]: 'Vpn' };
export type Pfn = number & { readonly [unit]: 'Pfn' };

export const PAGE_SIZE = 4096;

export const vaddr = (bytes: number): Vaddr => bytes as Vaddr;
export const vpn = (page: number): Vpn => page as Vpn;
export const pfn = (frame: number): Pfn => frame as Pfn;

/** The page that holds the byte. */
export const vpnOf = (address: Vaddr): Vpn => Math.floor(address / PAGE_SIZE) as Vpn;
/** The first byte of the page. */
export const vaddrOf = (page: Vpn): Vaddr => (page * PAGE_SIZE) as Vaddr;
export const paddrOf = (frame: Pfn): Paddr => (frame * PAGE_SIZE) as Paddr;

export const offsetInPage = (address: number): number => address - Math.floor(address / PAGE_SIZE) * PAGE_SIZE;
/** Bytes to pages, rounded up. */
export const pagesOf = (lengthBytes: number): number => Math.ceil(lengthBytes / PAGE_SIZE);
export const roundUpToPage = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
export const roundDownToPage = (bytes: number): number => Math.floor(bytes / PAGE_SIZE) * PAGE_SIZE;
/** Of a whole number; `&` cuts it to its low bits exactly, and is much faster than the remainder of a double. */
export const isPageAligned = (bytes: number): boolean => (bytes & (PAGE_SIZE - 1)) === 0;
