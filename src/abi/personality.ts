/** personality(2): flags that act here. */
export const ADDR_NO_RANDOMIZE = 0x0040000;
export const ADDR_COMPAT_LAYOUT = 0x0200000;
export const READ_IMPLIES_EXEC = 0x0400000;
export const MMAP_PAGE_ZERO = 0x0100000;
/** uname tells a release of the 2.6 line. */
export const UNAME26 = 0x0020000;
/** select and poll leave their timeout alone. */
export const STICKY_TIMEOUTS = 0x4000000;
/** The persona itself; the rest is flags. */
export const PER_MASK = 0xff;
export const PER_LINUX32 = 0x08;
/** What a set-user-id program does not inherit. */
export const PER_CLEAR_ON_SETID = READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT | MMAP_PAGE_ZERO;
