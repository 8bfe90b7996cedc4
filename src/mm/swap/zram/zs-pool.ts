import { ENOMEM } from '../../../abi/errno.ts';
import { assert, panic } from '../../../base/assert.ts';
import type { Ram } from '../../../machine/ram.ts';
import { PAGE_SIZE, type Pfn } from '../../../machine/units.ts';
import type { FrameAllocator } from '../../phys/alloc.ts';
import { NO_FRAME } from '../../phys/frame-table.ts';
import { __GFP_HIGHMEM, __GFP_MEMALLOC, __GFP_MOVABLE, GFP_NOWAIT } from '../../phys/gfp.ts';
import { PG_zsmalloc } from '../../phys/page-flags.ts';
import { SIZE_CLASSES, type SizeClass, sizeClassOf } from './size-classes.ts';

/** More than the objects of any zspage: a handle is the zspage's id times this, plus the object's place. */
const MAX_OBJECTS = 1024;
/** Zspages with room, by how full they are, in tenths (fullness_group): those in use most are filled first. */
const GROUPS = 10;
/** Who writes to swap may use all reserves, as Linux's PF_MEMALLOC, and never waits for reclaim. */
const GFP_ZSPAGE = GFP_NOWAIT | __GFP_MEMALLOC | __GFP_HIGHMEM | __GFP_MOVABLE;

/** Some frames, next to each other as seen from here, that objects of one class lie in one behind the other. */
export interface Zspage {
  readonly id: number;
  readonly sizeClass: SizeClass;
  readonly frames: readonly Pfn[];
  /** 1 for each object in use. */
  readonly used: Uint8Array;
  usedCount: number;
}

/**
 * Memory for objects of up to a page, in frames of the machine (Linux: mm/zsmalloc.c). Nothing moves: an emptied zspage goes at
 * once, one that is nearly empty stays (Linux's compaction is not there).
 *
 * Invariants (check-zram.ts): Z1 A frame has PG_zsmalloc exactly while it is of one zspage; then it has one reference, and owner and
 * index say which zspage and where. Z2 usedCount counts `used`, is not 0, and names the zspage's group. Z3 frameCount and the zones'
 * nr_zspages count the frames.
 */
export class ZsPool {
  readonly zspages: (Zspage | null)[] = [];
  /** Frames of all zspages (zs_get_total_pages). */
  frameCount = 0;
  private readonly ram: Ram;
  private readonly alloc: FrameAllocator;
  private readonly freeIds: number[] = [];
  /** By class and fullness. */
  private readonly groups: Set<Zspage>[][] = SIZE_CLASSES.map(() => []);

  constructor(ram: Ram, alloc: FrameAllocator) {
    this.ram = ram;
    this.alloc = alloc;
    for (const lists of this.groups) for (let group = 0; group < GROUPS; group++) lists.push(new Set());
  }

  /** A copy of 1 to 4096 bytes: its handle, or -ENOMEM. */
  store(bytes: Uint8Array): number {
    const sizeClass = sizeClassOf(bytes.length);
    const zspage = this.findRoom(sizeClass) ?? this.makeZspage(sizeClass);
    if (zspage === null) return -ENOMEM;
    this.leaveGroup(zspage);
    const place = zspage.used.indexOf(0);
    zspage.used[place] = 1;
    zspage.usedCount++;
    this.enterGroup(zspage);
    this.eachPart(zspage, place, bytes.length, (frame, offset, from, length) =>
      this.ram.writeFrame(frame, offset, bytes.subarray(from, from + length)),
    );
    return zspage.id * MAX_OBJECTS + place;
  }

  /** Fills `into` from the object's start. */
  load(handle: number, into: Uint8Array): void {
    this.eachPart(this.zspageOf(handle), handle % MAX_OBJECTS, into.length, (frame, offset, from, length) =>
      into.set(this.ram.bytesOf(frame, offset, offset + length), from),
    );
  }

  isUsed(handle: number): boolean {
    return this.zspages[Math.floor(handle / MAX_OBJECTS)]?.used[handle % MAX_OBJECTS] === 1;
  }

  free(handle: number): void {
    const zspage = this.zspageOf(handle);
    const place = handle % MAX_OBJECTS;
    assert(zspage.used[place] === 1, 'mm/swap/zram/zs-pool.ts: Z2 an object that is freed is in use');
    this.leaveGroup(zspage);
    zspage.used[place] = 0;
    if (--zspage.usedCount > 0) this.enterGroup(zspage);
    else this.freeZspage(zspage);
  }

  /** What is broken of Z2, or null. */
  findBroken(): string | null {
    let frames = 0;
    let withRoom = 0;
    for (const zspage of this.zspages) {
      if (zspage === null) continue;
      frames += zspage.frames.length;
      const { used, usedCount, sizeClass } = zspage;
      if (used.reduce((sum, one) => sum + one, 0) !== usedCount || usedCount === 0) return 'Z2 usedCount';
      if (usedCount === sizeClass.objectsPerZspage) continue;
      withRoom++;
      if (!this.groupOf(zspage).has(zspage)) return 'Z2 a zspage with room is in the group that is as full';
    }
    const listed = this.groups.flat().reduce((sum, group) => sum + group.size, 0);
    if (listed !== withRoom) return 'Z2 groups hold zspages with room alone';
    return frames === this.frameCount ? null : 'Z3 frameCount';
  }

  private zspageOf(handle: number): Zspage {
    const zspage = this.zspages[Math.floor(handle / MAX_OBJECTS)];
    return zspage ?? panic('mm/swap/zram/zs-pool.ts: Z2 a handle leads to a zspage');
  }

  /** The object's bytes frame by frame: an object may end in the frame after the one where it starts. */
  private eachPart(
    { sizeClass, frames }: Zspage,
    place: number,
    lengthBytes: number,
    visit: (frame: Pfn, offset: number, from: number, length: number) => void,
  ): void {
    const start = place * sizeClass.sizeBytes;
    for (let done = 0; done < lengthBytes; ) {
      const offset = (start + done) % PAGE_SIZE;
      const length = Math.min(lengthBytes - done, PAGE_SIZE - offset);
      visit(frames[Math.floor((start + done) / PAGE_SIZE)], offset, done, length);
      done += length;
    }
  }

  private findRoom({ index }: SizeClass): Zspage | null {
    for (let group = GROUPS - 1; group >= 0; group--) for (const zspage of this.groups[index][group]) return zspage;
    return null;
  }

  private groupOf({ sizeClass, usedCount }: Zspage): Set<Zspage> {
    return this.groups[sizeClass.index][Math.floor((usedCount * GROUPS) / sizeClass.objectsPerZspage)];
  }

  private enterGroup(zspage: Zspage): void {
    if (zspage.usedCount < zspage.sizeClass.objectsPerZspage) this.groupOf(zspage).add(zspage);
  }

  private leaveGroup(zspage: Zspage): void {
    if (zspage.usedCount < zspage.sizeClass.objectsPerZspage) this.groupOf(zspage).delete(zspage);
  }

  private makeZspage(sizeClass: SizeClass): Zspage | null {
    const frames: Pfn[] = [];
    while (frames.length < sizeClass.framesPerZspage) {
      const frame = this.alloc.allocFrame(GFP_ZSPAGE);
      if (frame === NO_FRAME) {
        for (const taken of frames) this.alloc.putFrame(taken);
        return null;
      }
      frames.push(frame as Pfn);
    }
    const id = this.freeIds.pop() ?? this.zspages.length;
    const zspage = { id, sizeClass, frames, used: new Uint8Array(sizeClass.objectsPerZspage), usedCount: 0 };
    this.zspages[id] = zspage;
    const { flags, owner, index } = this.alloc.frames;
    frames.forEach((frame, at) => {
      flags[frame] = PG_zsmalloc;
      owner[frame] = id;
      index[frame] = at;
      this.alloc.zoneOf(frame).nr_zspages++;
    });
    this.frameCount += frames.length;
    return zspage;
  }

  private freeZspage({ id, frames }: Zspage): void {
    this.zspages[id] = null;
    this.freeIds.push(id);
    this.frameCount -= frames.length;
    for (const frame of frames) {
      this.alloc.frames.flags[frame] = 0;
      this.alloc.zoneOf(frame).nr_zspages--;
      this.alloc.putFrame(frame);
    }
  }
}
