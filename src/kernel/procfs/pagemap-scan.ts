import { EFAULT, EINVAL } from '../../abi/errno.ts';
import {
  PAGE_REGION_BYTES,
  PAGEMAP_SCAN,
  PM_SCAN_ARG_BYTES,
  PM_SCAN_CATEGORIES,
  PM_SCAN_CHECK_WPASYNC,
  PM_SCAN_WP_MATCHING,
} from '../../abi/pagemap.ts';
import { isPageAligned, PAGE_SIZE, roundUpToPage, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { PagemapScanner, type PageRegion } from '../../mm/pagemap-scan.ts';
import type { Kernel } from '../kernel.ts';
import { readU64s, writeU64s } from '../user-structs.ts';

const FIELDS = PM_SCAN_ARG_BYTES / 8;
/** Byte offset of pm_scan_arg.walk_end. */
const WALK_END_AT = 32;
const USER_LIMIT = 2 ** 63;

/** The ioctls of /proc/PID/pagemap (do_pagemap_cmd, pagemap_scan_get_args; 6.18): regions found, or -ERRNO. */
export function pagemapIoctl(k: Kernel, space: AddressSpace | null, request: number, address: number): number {
  const t = k.current;
  if (request !== PAGEMAP_SCAN || t === null) return -EINVAL;
  const fields = readU64s(k, t, address, FIELDS);
  if (typeof fields === 'number') return -EFAULT;
  const [size, flags, start, end, , vec, vecLength, maxPages, inverted, all, any, reported] = fields;
  if (size !== PM_SCAN_ARG_BYTES || flags > (PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC)) return -EINVAL;
  if (Math.max(inverted, all, any, reported) > PM_SCAN_CATEGORIES) return -EINVAL;
  if (!isPageAligned(start)) return -EINVAL;
  if (end < start || end > USER_LIMIT) return -EFAULT;
  if (vec === 0 && vecLength !== 0) return -EINVAL;
  if (vec + vecLength * PAGE_REGION_BYTES > USER_LIMIT) return -EFAULT;
  if (space === null) return 0;
  const limit = space.taskSize * PAGE_SIZE;
  const scanner = new PagemapScanner(k.mm, {
    flags,
    start: vpn(Math.min(start, limit) / PAGE_SIZE),
    end: vpn(Math.min(roundUpToPage(end), limit) / PAGE_SIZE),
    maxRegions: vecLength,
    maxPages: maxPages === 0 ? Number.POSITIVE_INFINITY : maxPages,
    inverted,
    all,
    any,
    reported,
  });
  const result = scanner.run(space);
  const stored = storeRegions(k, vec, scanner.regions);
  const walkEnd = scanner.walkEnd * PAGE_SIZE;
  if (writeU64s(k, t, address + WALK_END_AT, [walkEnd]) < 0 || stored < 0) return -EFAULT;
  return result < 0 ? result : scanner.regions.length;
}

function storeRegions(k: Kernel, address: number, regions: readonly PageRegion[]): number {
  if (regions.length === 0 || k.current === null) return 0;
  const words = regions.flatMap(({ start, end, categories }) => [start * PAGE_SIZE, end * PAGE_SIZE, categories]);
  return writeU64s(k, k.current, address, words);
}
