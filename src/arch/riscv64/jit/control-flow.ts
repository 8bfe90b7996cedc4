import type { Ram } from '../../../machine/ram.ts';
import { PAGE_SIZE, type Pfn } from '../../../machine/units.ts';
import { type Decoded, decode, decodeCompressed, isCompressed, OPERATIONS } from '../decode.ts';
import { DISCARD_REGISTER } from '../layout.ts';

/**
 * The blocks that can be reached from one address without leaving its page, calls taken to come back; short functions of the
 * page that they call are among them. Positions are byte offsets in the page, so that what is translated from them holds
 * wherever the frame is mapped.
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
  /** `within`: what is called is in the unit, and its return jumps to `back`. */
  | { readonly kind: 'call'; readonly to: number; readonly back: number; readonly within: boolean }
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
/** Of a function that is to stand in its callers' units, too. */
const MAX_CALLED_INSTRUCTIONS = 100;
/** Link registers. */
const X_RA = 1;
const X_T0 = 5;
const CONDITIONAL: ReadonlySet<string> = new Set(['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu']);
/** Traps: the interpreter says them. */
const NOT_TRANSLATED: ReadonlySet<string> = new Set(['ecall', 'ebreak', 'illegal']);

/** What is known of the page from before. */
export interface PageKnowledge {
  /** Where the indirect jump at a position was seen to lead. */
  jumpTargets(position: number): readonly number[];
  /** Whether another unit begins there: a switch leaves to it, so that no case is in the units of all others. */
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
  let first: number = PAGE_SIZE;
  let last = 0;
  for (const { position, length } of reader.instructions.values()) {
    first = Math.min(first, position);
    last = Math.max(last, position + length - 1);
  }
  return { entry, blocks, first, last, instructionCount: reader.count };
}

/** One function's part of a unit, from where control enters it. */
interface Body {
  readonly instructions: Map<number, PlacedInstruction>;
  readonly leaders: Set<number>;
  readonly calls: { readonly to: number; readonly back: number }[];
  readonly returns: Set<number>;
}

class Reader {
  readonly instructions = new Map<number, PlacedInstruction>();
  readonly leaders = new Set<number>();
  /** Positions of what the interpreter has to do. */
  private readonly untranslated = new Set<number>();
  /** What is called and in the unit; null: it is not. */
  private readonly called = new Map<number, Body | null>();
  /** By position of a return: where it may lead in the unit. */
  private readonly returnTargets = new Map<number, Set<number>>();
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
    const own = this.readBody(this.entry, MAX_INSTRUCTIONS);
    this.add(own);
    const bodies = [own];
    // A unit that begins at its function's head is called by that function itself, if it is recursive.
    this.called.set(this.entry, own.returns.size > 0 ? own : null);
    for (const { calls } of bodies) {
      for (const { to, back } of calls) {
        let body = this.called.get(to);
        if (body === undefined) {
          body = this.readCalled(to);
          this.called.set(to, body);
          if (body !== null) {
            this.add(body);
            bodies.push(body);
          }
        }
        for (const position of body?.returns ?? []) {
          const targets = this.returnTargets.get(position);
          if (targets === undefined) this.returnTargets.set(position, new Set([back]));
          else targets.add(back);
        }
      }
    }
  }

  private add(body: Body): void {
    for (const [position, instruction] of body.instructions) this.instructions.set(position, instruction);
    for (const leader of body.leaders) this.leaders.add(leader);
  }

  get count(): number {
    return this.instructions.size;
  }

  /** Null: it is elsewhere, too long, or was not seen to return. */
  private readCalled(to: number): Body | null {
    if (to < 0 || to >= PAGE_SIZE || !this.known.isWorth(to)) return null;
    const limit = Math.min(MAX_CALLED_INSTRUCTIONS, MAX_INSTRUCTIONS - this.count);
    const body = this.readBody(to, limit + 1);
    return body.instructions.size > limit || body.returns.size === 0 ? null : body;
  }

  private readBody(entry: number, limit: number): Body {
    const body: Body = { instructions: new Map(), leaders: new Set([entry]), calls: [], returns: new Set() };
    const work = [entry];
    for (let next = work.shift(); next !== undefined; next = work.shift()) {
      for (let position: number | null = next; position !== null; ) {
        if (body.instructions.has(position) || body.instructions.size >= limit) break;
        if (position !== entry && !this.known.isWorth(position)) break;
        const instruction = this.read(position);
        if (instruction === null) {
          this.untranslated.add(position);
          break;
        }
        body.instructions.set(position, instruction);
        position = this.follow(instruction, body, work);
      }
    }
    return body;
  }

  /** Where the line goes on; what else can be reached is put into `work`. */
  private follow(instruction: PlacedInstruction, body: Body, work: number[]): number | null {
    const end = this.endOf(instruction);
    if (end === null) return instruction.position + instruction.length;
    if (isReturn(instruction)) {
      body.returns.add(instruction.position);
      return null;
    }
    if (end.kind === 'call') body.calls.push(end);
    const targets = end.kind === 'call' ? [end.back] : targetsOf(end);
    for (const target of targets) {
      if (target < 0 || target >= PAGE_SIZE || body.leaders.has(target) || !this.known.isWorth(target)) continue;
      if (end.kind === 'indirect' && this.known.hasUnit(target)) continue;
      body.leaders.add(target);
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

  private endOf(instruction: PlacedInstruction): BlockEnd | null {
    const { position, length, operation, operands } = instruction;
    const next = position + length;
    const links = operands.rd !== DISCARD_REGISTER;
    if (CONDITIONAL.has(operation)) return { kind: 'branch', taken: position + operands.imm, next };
    if (operation === 'jal') {
      const to = position + operands.imm;
      if (!links) return { kind: 'jump', to };
      return { kind: 'call', to, back: next, within: (this.called.get(to) ?? null) !== null };
    }
    if (operation !== 'jalr') return null;
    if (links) return { kind: 'indirect-call', back: next };
    const targets = isReturn(instruction) ? this.returnTargets.get(position) : this.known.jumpTargets(position);
    return { kind: 'indirect', targets: [...(targets ?? [])] };
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
      const end = this.endOf(instruction);
      if (end !== null) return { position: leader, instructions, end };
      position += instruction.length;
      if (this.leaders.has(position) && this.instructions.has(position))
        return { position: leader, instructions, end: { kind: 'fall', next: position } };
    }
  }
}

/** A jump to what a link register holds (unprivileged specification, table 3). */
function isReturn({ operation, operands }: PlacedInstruction): boolean {
  return operation === 'jalr' && operands.rd === DISCARD_REGISTER && isLink(operands.rs1);
}

export function isLink(register: number): boolean {
  return register === X_RA || register === X_T0;
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
      return [end.within ? end.to : end.back];
    case 'indirect-call':
      return [end.back];
    case 'indirect':
      return [...end.targets];
    default:
      return [];
  }
}
