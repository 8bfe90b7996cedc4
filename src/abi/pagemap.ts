/** PAGEMAP_SCAN of /proc/PID/pagemap: include/uapi/linux/fs.h, 6.18. */
export const PAGEMAP_SCAN = 0xc060_6610;
export const PM_SCAN_ARG_BYTES = 96;
export const PAGE_REGION_BYTES = 24;

export const PAGE_IS_WPALLOWED = 1 << 0;
export const PAGE_IS_WRITTEN = 1 << 1;
export const PAGE_IS_FILE = 1 << 2;
export const PAGE_IS_PRESENT = 1 << 3;
export const PAGE_IS_SWAPPED = 1 << 4;
export const PAGE_IS_PFNZERO = 1 << 5;
export const PAGE_IS_HUGE = 1 << 6;
export const PAGE_IS_GUARD = 1 << 8;
/** Of all nine, PAGE_IS_SOFT_DIRTY (7) among them, which never is. */
export const PM_SCAN_CATEGORIES = 0x1ff;

export const PM_SCAN_WP_MATCHING = 1 << 0;
export const PM_SCAN_CHECK_WPASYNC = 1 << 1;
