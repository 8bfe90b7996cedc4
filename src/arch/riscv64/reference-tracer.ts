import { NOT_STATE } from '../../base/checkpointed.ts';
import { ACCESS_EXEC, type Access } from '../../machine/mmu.ts';
import type { Ram } from '../../machine/ram.ts';
import type { ReferenceDetail, ReferenceStream } from '../../machine/reference-stream.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import * as at from './layout.ts';

/**
 * Makes a ReferenceStream of the TLB's refills: while somebody listens, the TLB holds no more than the page of the code and the page
 * of the data last used, so that every change of page is a refill. Where the code goes on in its page no refill says so: its page is
 * told again before each other one.
 *
 *   code A: load B, load B, load C, jump to D      refills: A, B, C, D      told: A B A C A D
 *
 * For a stream of the detail 'pages' the TLB is left alone: its refills are what is told.
 *
 * Invariant: in the detail 'runs' the TLB entries that are valid are `fetchEntry` and `dataEntries`; those of data are for one frame.
 */
export class ReferenceTracer {
  /** Of the space whose accesses come now. */
  asid = 0;
  static readonly [NOT_STATE] = ['stream', 'detail'];
  private stream: ReferenceStream | null = null;
  private detail: ReferenceDetail = 'runs';
  private readonly ram: Ram;
  /** The code's page; -1 outside of `run`. */
  private fetchFrame: Pfn | -1 = -1;
  private fetchPage = 0 as Vpn;
  private fetchEntry = 0;
  private dataFrame: Pfn | -1 = -1;
  /** The first dataCount; the array never shrinks, because that costs more than what it is for. */
  private readonly dataEntries: number[] = [];
  private dataCount = 0;
  private lastTold: Pfn | -1 = -1;

  constructor(ram: Ram) {
    this.ram = ram;
  }

  setStream(stream: ReferenceStream | null, detail: ReferenceDetail): void {
    this.forget();
    this.stream = stream;
    this.detail = detail;
    this.lastTold = -1;
    this.ram.u32[at.MAIL_TRACING / 4] = stream === null ? 0 : 1;
  }

  /** The machine's memory is another one: does it say whether somebody listens? */
  get isInForce(): boolean {
    return (this.ram.u32[at.MAIL_TRACING / 4] !== 0) === (this.stream !== null);
  }

  /** As setStream with the stream that is there. */
  enforce(): void {
    this.setStream(this.stream, this.detail);
  }

  beforeRun(): void {
    if (this.stream !== null) this.forget();
  }

  /** The last instruction was fetched behind its data. */
  afterRun(): void {
    if (this.stream === null) return;
    this.tellFetch();
    this.forget();
  }

  /** The TLB got an entry (its offset). */
  note(frame: Pfn, access: Access, entry: number, page: Vpn): void {
    if (this.detail === 'pages') {
      this.stream?.referenced(this.asid, page, frame, access);
      return;
    }
    const isSameInstruction = this.ram.u32[at.MAIL_SAME_INSTRUCTION / 4] !== 0;
    this.ram.u32[at.MAIL_SAME_INSTRUCTION / 4] = 0;
    if (!isSameInstruction) this.tellFetch();
    if (access === ACCESS_EXEC) {
      // A page of data that is used from other code is a change of page again.
      this.dropData();
      if (this.fetchEntry !== entry) this.dropEntry(this.fetchEntry);
      this.fetchEntry = entry;
      this.fetchFrame = frame;
      this.fetchPage = page;
    } else {
      if (frame !== this.dataFrame) this.dropData(entry);
      this.dataFrame = frame;
      this.keepData(entry);
    }
    this.tell(page, frame, access);
  }

  private tellFetch(): void {
    if (this.fetchFrame !== -1) this.tell(this.fetchPage, this.fetchFrame, ACCESS_EXEC);
  }

  private tell(page: Vpn, frame: Pfn, access: Access): void {
    if (frame === this.lastTold) return;
    this.lastTold = frame;
    this.stream?.referenced(this.asid, page, frame, access);
  }

  private forget(): void {
    this.dropData();
    this.dropEntry(this.fetchEntry);
    this.fetchEntry = 0;
    this.fetchFrame = -1;
    this.ram.u32[at.MAIL_SAME_INSTRUCTION / 4] = 0;
  }

  /** All entries of data but `kept`. */
  private dropData(kept = 0): void {
    for (let i = 0; i < this.dataCount; i++) if (this.dataEntries[i] !== kept) this.dropEntry(this.dataEntries[i]);
    this.dataCount = 0;
    this.dataFrame = -1;
  }

  private keepData(entry: number): void {
    for (let i = 0; i < this.dataCount; i++) if (this.dataEntries[i] === entry) return;
    this.dataEntries[this.dataCount++] = entry;
  }

  private dropEntry(entry: number): void {
    if (entry === 0) return;
    this.ram.u32[entry / 4] = 0;
    this.ram.u32[entry / 4 + 1] = 0;
  }
}
