import { REGISTER_WORDS } from './registers.ts';

/**
 * The machine area: what the generated code keeps in linear memory below guest RAM. Byte offsets.
 *
 *   0          register file (registers.ts), then a slot that takes writes to x0
 *   0x400      mailbox: what run, the walker and JavaScript tell each other
 *   0x1000     TLB for reads, for writes, for fetches
 *   0x26000    slot map: for each frame the offset of the slot that holds its decoded code, or 0
 *   0x430000   slot 0: the straddle slot; then the slots
 *
 * TLB entry, 16 bytes: i64 tag = page address | asid << 3 (0: empty, as asid is never 0), i32 offset in memory minus the
 * address (mod 2^32), i32 offset of the slot (fetch TLB only; 0 not known).
 *
 * Invariants
 *  1 A write TLB entry exists only for a leaf with DIRTY set and a frame whose slot map entry is 0.
 *  2 Slot map entry and Ram.holdsCode of a frame are both zero or both not zero.
 *  3 Dropping any slot or TLB entry between two instructions changes no architectural result.
 */
export const REGISTER_BASE = 0;
/** Register number, in units of 8 bytes, that takes writes to x0. */
export const DISCARD_REGISTER = REGISTER_WORDS / 2;
export const FCSR = 130 * 4;
export const PC = 128 * 4;

export const MAILBOX = 0x400;
export const MAIL_LEFT = MAILBOX; // i32: budget not used up by the last run
export const MAIL_TRAP_ADDRESS = MAILBOX + 0x08; // i64
export const MAIL_TRAP_ACCESS = MAILBOX + 0x10; // i32
export const MAIL_ROOT = MAILBOX + 0x14; // i32: frame of the top table
export const MAIL_ASID_TAG = MAILBOX + 0x18; // i64: asid << 3
export const MAIL_RESERVATION = MAILBOX + 0x20; // i32: reserved offset, -1 none
export const MAIL_INSTRET = MAILBOX + 0x28; // i64: retired before this run
export const MAIL_TIME_OFFSET = MAILBOX + 0x30; // i64: time = instret in ns + this
export const MAIL_TLB_MISSES = MAILBOX + 0x38; // i64
export const MAIL_WALK_REFERENCES = MAILBOX + 0x40; // i64
export const MAIL_SUPERPAGES = MAILBOX + 0x48; // i32: 1 once a superpage went into a TLB
export const MAIL_BUDGET = MAILBOX + 0x4c; // i32: of this run
export const MAIL_TRACING = MAILBOX + 0x50; // i32: 1 while a reference stream is told of every TLB refill
export const MAIL_SAME_INSTRUCTION = MAILBOX + 0x54; // i32: 1 before the second page of an access is translated
export const MAIL_FRAME_COUNT = MAILBOX + 0x58; // i64: of guest RAM
/** 16 bytes: where a load that crosses pages is put together. */
export const BOUNCE = MAILBOX + 0x60;
/** i32: 0: misses of the TLB are refilled; 1: held, which MAIL_MISS_HELD says; n + 1: held after n more (miss-gate.ts). */
export const MAIL_MISS_GATE = MAILBOX + 0x70;
export const MAIL_MISS_HELD = MAILBOX + 0x74; // i32

export const TLB_ENTRY_BYTES = 16;
export const DATA_TLB_ENTRIES = 4096;
export const FETCH_TLB_ENTRIES = 1024;
export const READ_TLB = 0x1000;
export const WRITE_TLB = READ_TLB + DATA_TLB_ENTRIES * TLB_ENTRY_BYTES;
export const FETCH_TLB = WRITE_TLB + DATA_TLB_ENTRIES * TLB_ENTRY_BYTES;
export const TLB_END = FETCH_TLB + FETCH_TLB_ENTRIES * TLB_ENTRY_BYTES;

export const SLOT_MAP = 0x26000;
const SLOT_MAP_BYTES = (1 << 20) * 4;

/**
 * A slot: an entry of 8 bytes for each half-word of a page (u8 op, rd, rs1, rs2; i32 imm), a page-end entry, and the
 * decoded form of the instruction that starts in the last half-word and ends in another page.
 */
export const ENTRY_BYTES = 8;
/** The op of an entry that has not been decoded. */
export const OP_UNDECODED = 0;
export const SLOT_ENTRIES = 2048;
export const SLOT_CODE_BYTES = SLOT_ENTRIES * ENTRY_BYTES;
export const SLOT_PAGE_END = SLOT_CODE_BYTES;
export const SLOT_STRADDLE_WORD = SLOT_CODE_BYTES + 16;
export const SLOT_STRADDLE_ENTRY = SLOT_CODE_BYTES + 24;
/** i32: not 0 once an entry of SLOT_JIT has left its counting. */
export const SLOT_TRANSLATED = SLOT_CODE_BYTES + 32;
/**
 * Two bytes for each half-word of the page, for translation (jit/): how often control came here from elsewhere, JIT_IGNORE,
 * or JIT_UNIT + the number of the unit that starts here.
 */
export const SLOT_JIT = SLOT_CODE_BYTES + 64;
export const SLOT_STRIDE = SLOT_JIT + SLOT_ENTRIES * 2;
export const JIT_IGNORE = 0x7fff;
export const JIT_UNIT = 0x8000;
/** Every entry is page-end, but one in the middle where a straddling instruction is put to be executed. */
export const STRADDLE_SLOT = 0x430000;
export const STRADDLE_ENTRY = STRADDLE_SLOT + 1024 * ENTRY_BYTES;
export const SLOTS = STRADDLE_SLOT + SLOT_STRIDE;
/** 16 MiB of decoded code: a guess, 4.8 MiB of guest code. */
export const SLOT_COUNT = 1200;

/** Guest RAM begins behind it. */
export const MACHINE_AREA_BYTES = 32 * 1024 * 1024;

export const LAYOUT_IS_SOUND: boolean =
  DISCARD_REGISTER * 8 + 8 <= MAILBOX &&
  TLB_END <= SLOT_MAP &&
  SLOT_MAP + SLOT_MAP_BYTES <= STRADDLE_SLOT &&
  SLOTS + SLOT_COUNT * SLOT_STRIDE <= MACHINE_AREA_BYTES;
