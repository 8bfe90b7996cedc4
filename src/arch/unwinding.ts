/** What a reader of call stacks must know of an architecture. Registers go by their DWARF numbers; integer registers are the first ones. */
export interface Unwinding {
  readonly registerCount: number;
  readonly stackPointer: number;
  readonly framePointer: number;
  readonly returnAddress: number;
  /** A register of a register file in the CPU's layout. */
  register(registers: Uint32Array, number: number): number;
  /** Where the frame that the sigreturn trampoline finds at sp keeps the interrupted code's pc and registers. */
  readonly signalFrame: { readonly pcOffset: number; registerOffset(number: number): number };
  /** Of a standard frame, without debugging information: where the caller's are, from the frame pointer. */
  readonly frameRecord: { readonly returnAddressOffset: number; readonly framePointerOffset: number };
  /** What the instructions from a function's start on have done to the stack. */
  scanPrologue(code: Uint8Array): Prologue;
}

/** Offsets count from the stack pointer at the call (the canonical frame address). */
export interface Prologue {
  /** How far down the stack pointer is; null: not by a constant. */
  readonly frameBytes: number | null;
  /** The frame pointer is that far down; null: it is the caller's still. */
  readonly framePointerBelow: number | null;
  /** null: still in its register. */
  readonly returnAddressOffset: number | null;
  readonly framePointerOffset: number | null;
}
