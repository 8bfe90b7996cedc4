import { assert } from '../../base/assert.ts';
import {
  AFTER_RESTORE,
  BEFORE_RESTORE,
  NOT_STATE,
  type Restorable,
  UNKEPT_BYTES,
  type UnkeptBytes,
} from '../../base/checkpointed.ts';
import type { Cpu, Trap } from '../../machine/cpu.ts';
import type { MissListener } from '../../machine/miss-listener.ts';
import type { Access, TranslationRoot } from '../../machine/mmu.ts';
import type { PagingFormat } from '../../machine/paging/format.ts';
import type { Ram } from '../../machine/ram.ts';
import type { ReferenceDetail, ReferenceStream } from '../../machine/reference-stream.ts';
import type { Pfn, Vaddr, Vpn } from '../../machine/units.ts';
import { CodeCache } from './code-cache.ts';
import { createFpSlowPath } from './fp/slow-path.ts';
import { generateInterpreter } from './generate.ts';
import { type JitMode, type JitPace, PACES } from './jit/pace.ts';
import { MAX_UNITS, Translator } from './jit/translator.ts';
import * as at from './layout.ts';
import { MissGate } from './miss-gate.ts';
import { prebuiltInterpreter } from './prebuilt.ts';
import { ReferenceTracer } from './reference-tracer.ts';
import { REGISTER_WORDS } from './registers.ts';

const WORD = 2 ** 32;
/** ASIDs that a TLB tag has room for, 0 excluded. */
const HARDWARE_ASIDS = 511;

/**
 * The RV64GC user-mode hart over a Ram whose machine area is MACHINE_AREA_BYTES long.
 *
 * Where the architecture leaves a choice: misaligned loads and stores work, misaligned atomics trap; an access that
 * crosses pages reports the page that faults; ACCESSED and DIRTY are set by the walk (Svadu); stores are seen by
 * later fetches at once, so fence.i does nothing; cycle and instret are `retired`; time is that of `retired`
 * instructions (machine/cost-model.ts) + timeOffset, in nanoseconds.
 *
 * Invariant: TLB entries and decoded code are caches; losing them at any trap changes no architectural result.
 */
export class Riscv64Cpu implements Cpu, Restorable {
  static readonly [NOT_STATE] = ['pace', 'translator', 'enter', 'translateWords', 'userCopy', 'misses'];
  /** What slots hold is made again; which frames have one is state, because a new one empties the write TLB. */
  readonly [UNKEPT_BYTES]: UnkeptBytes;
  readonly registers: Uint32Array;
  /** ns, added to the time of `retired` where the guest reads the time counter; the kernel sets it before `run`. Whole, up to 2^53. */
  timeOffset = 0;
  private retiredCount = 0;
  private root: TranslationRoot = { rootFrame: 0 as Pfn, asid: 0 };
  private readonly ram: Ram;
  private readonly code: CodeCache;
  private readonly tracer: ReferenceTracer;
  private readonly misses: MissGate;
  private readonly format: PagingFormat;
  /** Null: nothing is ever translated. */
  private readonly pace: JitPace | null;
  /** Null: nothing is translated yet. */
  private translator: Translator | null = null;
  private enter!: (budget: number) => number;
  private translateWords!: (low: number, high: number, access: number) => number;
  private userCopy!: (low: number, high: number, place: number, bytes: number, access: number) => number;
  /** Asid of the kernel -> asid in tags. A flushed space gets a new one. */
  private readonly tags = new Map<number, number>();
  private nextTag = 1;
  /** What is loaded: `tags` has the same; -1: nothing that still holds. */
  private loadedAsid = -1;
  private loadedRoot = 0;

  /** `jit` changes nothing but speed. */
  constructor(ram: Ram, format: PagingFormat, jit: JitMode | JitPace = 'off') {
    this.ram = ram;
    this[UNKEPT_BYTES] = { buffer: ram.u8.buffer, from: at.STRADDLE_SLOT, to: at.MACHINE_AREA_BYTES };
    this.format = format;
    this.pace = typeof jit === 'string' ? (jit === 'off' ? null : PACES[jit]) : jit;
    this.registers = ram.u32.subarray(at.REGISTER_BASE / 4, at.REGISTER_BASE / 4 + REGISTER_WORDS);
    this.tracer = new ReferenceTracer(ram);
    this.misses = new MissGate(ram);
    this.code = new CodeCache(ram, (slot) => this.translator?.dropSlot(slot));
    assert(ram.ramBase === at.MACHINE_AREA_BYTES, 'riscv64/cpu.ts: guest RAM begins behind the machine area');
    this.put64(at.MAIL_FRAME_COUNT, ram.frameCount);
    this.load();
    this.clearReservation();
    ram.setCodeListener(this);
  }

  /** Makes the interpreter: one that looks for units if there is to be a translator by now. */
  private load(): void {
    const { ram, pace } = this;
    if (pace !== null && this.retiredCount >= pace.startAfter)
      this.translator = new Translator(ram, pace, (slot) => this.code.frameOf(slot));
    this.translator?.restart(this.retiredCount);
    const { format } = this;
    const translator = this.translator && { pace: this.translator.pace, tableEntries: MAX_UNITS };
    const memoryPages = ram.u8.length / 65536;
    const bytes =
      (translator === null ? prebuiltInterpreter(format, memoryPages) : null) ??
      generateInterpreter({ format, memoryPages, translator });
    const fp = createFpSlowPath();
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      env: {
        memory: ram.memory,
        ensureSlot: (frame: number) => this.code.ensureSlot(frame),
        decode: (slot: number, entry: number) => this.code.decode(slot, entry),
        decodeStraddle: (slot: number, word: number) => this.code.decodeStraddle(slot, word),
        noteReference: (frame: number, access: number, entry: number, page: number) =>
          this.tracer.note(frame as Pfn, access as Access, entry, page as Vpn),
        ...fp.imports,
        ...this.translatorImports(),
      },
    });
    this.translator?.connect(exports);
    this.enter = exports['run'] as (budget: number) => number;
    this.translateWords = exports['translate'] as Riscv64Cpu['translateWords'];
    this.userCopy = exports['userCopy'] as Riscv64Cpu['userCopy'];
  }

  private translatorImports(): Record<string, WebAssembly.ImportValue> {
    const { translator } = this;
    if (translator === null) return {};
    return {
      table: translator.table,
      translateCode: (slot: number, entry: number) => translator.translateCode(slot, entry),
      learnJump: (slot: number, from: number, to: number) => translator.learnJump(slot, from, to),
      dropTranslated: (slot: number, offset: number, bytes: number) => translator.dropTranslated(slot, offset, bytes),
    };
  }

  setSpace(root: TranslationRoot): void {
    this.root = root;
    this.loadRoot(root);
  }

  run(budget: number): Trap {
    // The space may have been flushed since, which changes its tag.
    this.loadRoot(this.root);
    this.put64(at.MAIL_INSTRET, this.retiredCount);
    this.put64(at.MAIL_TIME_OFFSET, this.timeOffset);
    this.tracer.beforeRun();
    if (this.translator === null && this.pace !== null && this.retiredCount >= this.pace.startAfter) this.load();
    this.translator?.beforeRun(this.retiredCount);
    const trap = this.misses.listener === null ? this.enter(budget) : this.enterHolding(budget);
    this.tracer.afterRun();
    this.retiredCount += budget - this.ram.i32[at.MAIL_LEFT / 4];
    return trap as Trap;
  }

  /** As `enter`, and tells who listens of each miss of the TLB. */
  private enterHolding(budget: number): number {
    const { misses, ram, retiredCount } = this;
    for (let left = budget; ; left = ram.i32[at.MAIL_LEFT / 4]) {
      misses.close();
      const trap = this.enter(left);
      if (!misses.isHeld) {
        misses.leave();
        return trap;
      }
      const retired = retiredCount + budget - ram.i32[at.MAIL_LEFT / 4];
      misses.hold(this.root, retired);
      this.put64(at.MAIL_INSTRET, retired);
    }
  }

  get retired(): number {
    return this.retiredCount;
  }

  /** Exact below 2^53, rounded above; `trapAddressWords` is exact. */
  get trapAddress(): Vaddr {
    return this.get64(at.MAIL_TRAP_ADDRESS) as Vaddr;
  }

  /** Low and high word. */
  get trapAddressWords(): readonly [number, number] {
    const word = at.MAIL_TRAP_ADDRESS / 4;
    return [this.ram.u32[word], this.ram.u32[word + 1]];
  }

  get trapAccess(): Access {
    return this.ram.u32[at.MAIL_TRAP_ACCESS / 4] as Access;
  }

  clearReservation(): void {
    this.ram.i32[at.MAIL_RESERVATION / 4] = -1;
  }

  get tlbMisses(): number {
    return this.get64(at.MAIL_TLB_MISSES);
  }

  get walkReferences(): number {
    return this.get64(at.MAIL_WALK_REFERENCES);
  }

  translate(root: TranslationRoot, address: Vaddr, access: Access): number {
    this.loadRoot(root);
    const high = Math.floor(address / WORD);
    const { misses } = this;
    const before = misses.listener === null ? 0 : this.tlbMisses;
    const offset = this.translateWords((address - high * WORD) | 0, high | 0, access);
    if (misses.listener !== null) misses.noteOfKernel(root, address, access, before);
    return offset === -1 ? -1 : offset >>> 0;
  }

  copyPresent(root: TranslationRoot, address: Vaddr, access: Access, place: number, bytes: number): number {
    // Who listens to misses is told of each before the next.
    if (this.misses.listener !== null) return 0;
    this.loadRoot(root);
    const high = Math.floor(address / WORD);
    return this.userCopy((address - high * WORD) | 0, high | 0, place, bytes, access);
  }

  flushPage(asid: number, page: Vpn): void {
    const tag = this.tags.get(asid);
    if (tag === undefined) return;
    // A superpage is in the TLB as its 4 KiB pages, any of which may have to go.
    if (this.ram.u32[at.MAIL_SUPERPAGES / 4] !== 0) {
      this.flushSpace(asid);
      return;
    }
    // A page number is a multiple of 2^20 and the rest, which is the address's low word without its last 12 bits.
    const high = page < 2 ** 20 ? 0 : Math.floor(page / 2 ** 20);
    const low = ((page << 12) | (tag * 8)) >>> 0;
    const data = (page & (at.DATA_TLB_ENTRIES - 1)) * at.TLB_ENTRY_BYTES;
    this.clearEntry(at.READ_TLB + data, low, high);
    this.clearEntry(at.WRITE_TLB + data, low, high);
    this.clearEntry(at.FETCH_TLB + (page & (at.FETCH_TLB_ENTRIES - 1)) * at.TLB_ENTRY_BYTES, low, high);
  }

  flushSpace(asid: number): void {
    if (asid === this.loadedAsid) this.loadedAsid = -1;
    this.tags.delete(asid);
  }

  flushAll(): void {
    this.ram.u8.fill(0, at.READ_TLB, at.TLB_END);
    this.ram.u32[at.MAIL_SUPERPAGES / 4] = 0;
    this.tags.clear();
    this.loadedAsid = -1;
    this.nextTag = 1;
  }

  setReferenceStream(stream: ReferenceStream | null, detail: ReferenceDetail = 'runs'): void {
    this.flushAll();
    this.tracer.setStream(stream, detail);
  }

  setMissListener(listener: MissListener | null): void {
    this.misses.listener = listener;
  }

  dropCode(frame: Pfn): void {
    this.code.drop(frame);
  }

  /** Forgets all decoded code. */
  dropAllCode(): void {
    this.code.dropAll();
  }

  [BEFORE_RESTORE](): void {
    this.code.dropAll();
  }

  [AFTER_RESTORE](): void {
    this.code.emptySlots();
    this.translator?.restart(this.retiredCount);
    this.misses.open();
    if (this.tracer.isInForce) return;
    this.flushAll();
    this.tracer.enforce();
  }

  private loadRoot(root: TranslationRoot): void {
    if (root.asid === this.loadedAsid && root.rootFrame === this.loadedRoot) return;
    let tag = this.tags.get(root.asid);
    if (tag === undefined) {
      if (this.nextTag > HARDWARE_ASIDS) this.flushAll();
      tag = this.nextTag++;
      this.tags.set(root.asid, tag);
    }
    this.loadedAsid = root.asid;
    this.loadedRoot = root.rootFrame;
    this.tracer.asid = root.asid;
    this.ram.u32[at.MAIL_ASID_TAG / 4] = tag * 8;
    this.ram.u32[at.MAIL_ROOT / 4] = root.rootFrame;
  }

  private clearEntry(offset: number, low: number, high: number): void {
    const { u32 } = this.ram;
    if (u32[offset / 4] === low && u32[offset / 4 + 1] === high) {
      u32[offset / 4] = 0;
      u32[offset / 4 + 1] = 0;
    }
  }

  private get64(offset: number): number {
    return this.ram.u32[offset / 4] + this.ram.u32[offset / 4 + 1] * WORD;
  }

  private put64(offset: number, value: number): void {
    const high = Math.floor(value / WORD);
    this.ram.u32[offset / 4] = value - high * WORD;
    this.ram.u32[offset / 4 + 1] = high;
  }
}
