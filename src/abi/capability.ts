/** include/uapi/linux/capability.h and securebits.h (6.18): numbers of capabilities, bits of prctl(PR_SET_SECUREBITS). */
export const CAP_CHOWN = 0;
export const CAP_DAC_OVERRIDE = 1;
export const CAP_DAC_READ_SEARCH = 2;
export const CAP_FOWNER = 3;
export const CAP_FSETID = 4;
export const CAP_KILL = 5;
export const CAP_SETGID = 6;
export const CAP_SETUID = 7;
export const CAP_SETPCAP = 8;
export const CAP_LINUX_IMMUTABLE = 9;
export const CAP_IPC_LOCK = 14;
export const CAP_IPC_OWNER = 15;
export const CAP_SYS_RAWIO = 17;
export const CAP_SYS_CHROOT = 18;
export const CAP_SYS_PTRACE = 19;
export const CAP_SYS_ADMIN = 21;
export const CAP_SYS_NICE = 23;
export const CAP_SYS_RESOURCE = 24;
export const CAP_SYS_TIME = 25;
export const CAP_MKNOD = 27;
export const CAP_SETFCAP = 31;
export const CAP_MAC_OVERRIDE = 32;
export const CAP_CHECKPOINT_RESTORE = 40;
export const CAP_LAST_CAP = 40;

export const SECURE_NOROOT = 1 << 0;
export const SECURE_NO_SETUID_FIXUP = 1 << 2;
export const SECURE_KEEP_CAPS = 1 << 4;
export const SECURE_KEEP_CAPS_LOCKED = 1 << 5;
export const SECURE_NO_CAP_AMBIENT_RAISE = 1 << 6;
/** Each bit's lock stands one above it. */
export const SECURE_ALL_BITS = 0x55;
export const SECURE_ALL_LOCKS = SECURE_ALL_BITS << 1;
