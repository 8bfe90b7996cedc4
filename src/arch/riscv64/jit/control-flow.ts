import type { Ram } from '../../../machine/ram.ts';
import { PAGE_SIZE, type Pfn } from '../../../machine/units.ts';
import { type Decoded, decode, decodeCompressed, isCompressed, OPERATIONS } from '../decode.ts';
import { DISCARD_REGISTER } from '../layout.ts';

/**
 * The blocks that can be reached from one address without leaving its page, calls taken to come back. Positions are byte
 * offsets in the page, so that what is translated from them holds wherever the frame is mapped.
 */
export interface PlacedInstruction {
  readonly position: number;
  readonly length: 2 | 4;
  readonly operation: string;
  readonly operands: Decoded;
}

/** How a block ends; positions may lie outside of the page. The instruction that decides is the block's last. */
export type BlockEnd =
  | { readonly kind: 'fall'; readonly next: number }
  | { readonly kind: 'branch'; readonly taken: number; readonly next: number }
  | { readonly kind: 'jump'; readonly to: number }
  | { readonly kind: 'call'; readonly to: number; readonly back: number }
  | { readonly kind: 'indirect-call'; readonly back: number }
  /** `targets`: where it was seen to lead. */
  | { readonly kind: 'indirect'; readonly targets: readonly number[] }
  /** The interpreter takes over at `position`, which is of no instruction of the block. */
  | { readonly kind: 'interpret'; readonly position: number };

export interface Block {
  readonly position: number;
  readonly instructions: readonly PlacedInstruction[];
  readonly end: BlockEnd;
}

export interface ControlFlow {
  readonly entry: number;
  readonly blocks: ReadonlyMap<number, Block>;
  /** Bytes of the page that were read: a write between them may change what was translated. */
  readonly first: number;
  readonly last: number;
  readonly instructionCount: number;
}

/** TurboFan's time grows faster than a function's length, and a unit loads and stores all of its registers: 400 were no faster. */
const MAX_INSTRUCTIONS = 200;
const CONDITIONAL: ReadonlySet<string> = new Set(['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu']);
/** Traps: the interpreter says them. */
const NOT_TRANSLATED: ReadonlySet<string> = new Set(['ecall', 'ebreak', 'illegal']);

/** What is known of the page from before. */
export interface PageKnowledge {
  /** Where the indirect jump at a position was seen to lead. */
  jumpTargets(position: number): readonly number[];
  /** Whether another unit begins there: control leaves to it, so that no code is in many units. */
  hasUnit(position: number): boolean;
  /** Whether it is worth to be in a unit: it ran. */
  isWorth(position: number): boolean;
}

/** Null: the first instruction is none that can be translated. */
export function readControlFlow(ram: Ram, frame: Pfn, entry: number, known: PageKnowledge): ControlFlow | null {
  const reader = new Reader(ram, frame, entry, known);
  reader.readFrom();
  if (reader.count === 0) return null;
  const blocks = new Map<number, Block>();
  for (const leader of reader.leaders) {
    if (reader.instructions.has(leader)) blocks.set(leader, reader.blockAt(leader));
  }
  return { entry, blocks, first: reader.first, last: reader.last, instructionCount: reader.count };
}

class Reader {
  readonly instructions = new Map<number, PlacedInstruction>();
  readonly leaders = new Set<number>();
  /** Positions of what the interpreter has to do. */
  private readonly untranslated = new Set<number>();
  count = 0;
  first: number = PAGE_SIZE;
  last = 0;
  private readonly ram: Ram;
  private readonly base: number;
  private readonly entry: number;
  private readonly known: PageKnowledge;

  constructor(ram: Ram, frame: Pfn, entry: number, known: PageKnowledge) {
    this.entry = entry;
    this.ram = ram;
    this.known = known;
    this.base = ram.offsetOf(frame);
  }

  readFrom(): void {
    const work = [this.entry];
    this.leaders.add(this.entry);
    for (let next = work.shift(); next !== undefined; next = work.shift()) {
      for (let position: number | null = next; position !== null; ) {
        if (this.instructions.has(position) || this.count >= MAX_INSTRUCTIONS || this.endsAt(position)) break;
        const instruction = this.read(position);
        if (instruction === null) {
          this.untranslated.add(position);
          break;
        }
        this.instructions.set(position, instruction);
        this.count++;
        this.first = Math.min(this.first, position);
        this.last = Math.max(this.last, position + instruction.length - 1);
        position = this.follow(instruction, work);
      }
    }
  }

  private endsAt(position: number): boolean {
    return position !== this.entry && (this.known.hasUnit(position) || !this.known.isWorth(position));
  }

  /** Where the line goes on; what else can be reached is put into `work`. */
  private follow(instruction: PlacedInstruction, work: number[]): number | null {
    const end = endOf(instruction, this.known);
    if (end === null) return instruction.position + instruction.length;
    for (const target of targetsOf(end)) {
      if (target < 0 || target >= PAGE_SIZE || this.leaders.has(target) || this.endsAt(target)) continue;
      this.leaders.add(target);
      work.push(target);
    }
    return null;
  }

  private read(position: number): PlacedInstruction | null {
    if (position >= PAGE_SIZE) return null;
    const { u16 } = this.ram;
    const half = u16[(this.base + position) / 2];
    const length = isCompressed(half) ? 2 : 4;
    // The second half of an instruction across the end of a page is the interpreter's.
    if (length === 4 && position === PAGE_SIZE - 2) return null;
    const operands =
      length === 2 ? decodeCompressed(half) : decode((half | (u16[(this.base + position) / 2 + 1] << 16)) >>> 0);
    const operation = OPERATIONS[operands.operation];
    return NOT_TRANSLATED.has(operation) ? null : { position, length, operation, operands };
  }

  blockAt(leader: number): Block {
    const instructions: PlacedInstruction[] = [];
    for (let position = leader; ; ) {
      const instruction = this.instructions.get(position);
      if (instruction === undefined) {
        // Read up to here: a trap, or the limit, another unit, the end of the page.
        const end: BlockEnd =
          this.untranslated.has(position) && position < PAGE_SIZE
            ? { kind: 'interpret', position }
            : { kind: 'fall', next: position };
        return { position: leader, instructions, end };
      }
      instructions.push(instruction);
      const end = endOf(instruction, this.known);
      if (end !== null) return { position: leader, instructions, end };
      position += instruction.length;
      if (this.leaders.has(position) && this.instructions.has(position))
        return { position: leader, instructions, end: { kind: 'fall', next: position } };
    }
  }
}

function endOf({ position, length, operation, operands }: PlacedInstruction, known: PageKnowledge): BlockEnd | null {
  const next = position + length;
  const links = operands.rd !== DISCARD_REGISTER;
  if (CONDITIONAL.has(operation)) return { kind: 'branch', taken: position + operands.imm, next };
  if (operation === 'jal') {
    const to = position + operands.imm;
    return links ? { kind: 'call', to, back: next } : { kind: 'jump', to };
  }
  if (operation === 'jalr')
    return links ? { kind: 'indirect-call', back: next } : { kind: 'indirect', targets: known.jumpTargets(position) };
  return null;
}

/** Positions that control may come to inside of the unit. */
export function targetsOf(end: BlockEnd): number[] {
  switch (end.kind) {
    case 'fall':
      return [end.next];
    case 'branch':
      return [end.next, end.taken];
    case 'jump':
      return [end.to];
    case 'call':
    case 'indirect-call':
      return [end.back];
    case 'indirect':
      return [...end.targets];
    default:
      return [];
  }
}
