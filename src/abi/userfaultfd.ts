/** userfaultfd(2): include/uapi/linux/userfaultfd.h, 6.18. */
export const UFFD_USER_MODE_ONLY = 1;
export const UFFD_API = 0xaa;

export const UFFD_FEATURE_EVENT_FORK = 1 << 1;
export const UFFD_FEATURE_EVENT_REMAP = 1 << 2;
export const UFFD_FEATURE_EVENT_REMOVE = 1 << 3;
export const UFFD_FEATURE_EVENT_UNMAP = 1 << 6;
export const UFFD_FEATURE_SIGBUS = 1 << 7;
export const UFFD_FEATURE_THREAD_ID = 1 << 8;
export const UFFD_FEATURE_EXACT_ADDRESS = 1 << 11;
export const UFFD_FEATURE_WP_UNPOPULATED = 1 << 13;
export const UFFD_FEATURE_WP_ASYNC = 1 << 15;
/** All of 6.18, bits 0 to 16. */
export const UFFD_API_FEATURES = 0x1ffff;
/** Kept in a context's features from the handshake on; never asked for. */
export const UFFD_FEATURE_INITIALIZED = 0x8000_0000;

/** Numbers of the calls, which are also the bits of the sets below. */
export const _UFFDIO_REGISTER = 0x00;
export const _UFFDIO_UNREGISTER = 0x01;
export const _UFFDIO_WAKE = 0x02;
export const _UFFDIO_COPY = 0x03;
export const _UFFDIO_ZEROPAGE = 0x04;
export const _UFFDIO_MOVE = 0x05;
export const _UFFDIO_WRITEPROTECT = 0x06;
export const _UFFDIO_CONTINUE = 0x07;
export const _UFFDIO_POISON = 0x08;
/** Low and high word of UFFD_API_IOCTLS: REGISTER, UNREGISTER, API (bit 63). */
export const UFFD_API_IOCTLS_LOW = 0x3;
export const UFFD_API_IOCTLS_HIGH = 0x8000_0000;
export const UFFD_API_RANGE_IOCTLS = 0x1fc;
/** Of huge pages: no ZEROPAGE and no MOVE. */
export const UFFD_API_RANGE_IOCTLS_BASIC = 0x1cc;

export const UFFDIO_API = 0xc018_aa3f;
export const UFFDIO_REGISTER = 0xc020_aa00;
export const UFFDIO_UNREGISTER = 0x8010_aa01;
export const UFFDIO_WAKE = 0x8010_aa02;
export const UFFDIO_COPY = 0xc028_aa03;
export const UFFDIO_ZEROPAGE = 0xc020_aa04;
export const UFFDIO_MOVE = 0xc028_aa05;
export const UFFDIO_WRITEPROTECT = 0xc018_aa06;
export const UFFDIO_CONTINUE = 0xc020_aa07;
export const UFFDIO_POISON = 0xc020_aa08;
/** Of /dev/userfaultfd. */
export const USERFAULTFD_IOC_NEW = 0xaa00;

export const UFFDIO_REGISTER_MODE_MISSING = 1;
export const UFFDIO_REGISTER_MODE_WP = 2;
export const UFFDIO_REGISTER_MODE_MINOR = 4;
/** Of COPY, ZEROPAGE, CONTINUE, POISON. */
export const UFFDIO_MODE_DONTWAKE = 1;
/** Of COPY and CONTINUE. */
export const UFFDIO_MODE_WP = 2;
export const UFFDIO_MOVE_MODE_DONTWAKE = 1;
export const UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES = 2;
export const UFFDIO_WRITEPROTECT_MODE_WP = 1;
export const UFFDIO_WRITEPROTECT_MODE_DONTWAKE = 2;

export const UFFD_EVENT_PAGEFAULT = 0x12;
export const UFFD_EVENT_FORK = 0x13;
export const UFFD_EVENT_REMAP = 0x14;
export const UFFD_EVENT_REMOVE = 0x15;
export const UFFD_EVENT_UNMAP = 0x16;
export const UFFD_MSG_BYTES = 32;

export const UFFD_PAGEFAULT_FLAG_WRITE = 1;
export const UFFD_PAGEFAULT_FLAG_WP = 2;
export const UFFD_PAGEFAULT_FLAG_MINOR = 4;
