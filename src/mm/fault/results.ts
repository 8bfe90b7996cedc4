/** What handleFault says; numbers, so that the path allocates nothing. */
export const FAULT_DONE = 0;
/** SIGSEGV, SEGV_MAPERR: nothing is mapped there. */
export const FAULT_SEGV_MAPERR = 1;
/** SIGSEGV, SEGV_ACCERR: mapped, but not for this access. */
export const FAULT_SEGV_ACCERR = 2;
/** SIGBUS, BUS_ADRERR: beyond the end of the file, or it could not be read or written. */
export const FAULT_BUS = 3;
export const FAULT_OOM = 4;
/** The page is being read; run the instruction again when it is there. */
export const FAULT_BLOCKED = 5;
export type FaultResult = 0 | 1 | 2 | 3 | 4 | 5;
