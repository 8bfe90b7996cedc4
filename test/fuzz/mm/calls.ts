import type { Rng } from '../../../src/base/rng.ts';
import { SLOTS, type WalkState } from './walk.ts';

/** One kind of step: how often, and its text with drawn arguments (null: not possible now). */
export interface CallKind {
  readonly name: string;
  readonly weight: number;
  /** In every walk. */
  readonly always?: boolean;
  /** Not in walks with these: both together differ by architecture, or as README.md says. */
  readonly without?: string;
  readonly make: (state: WalkState) => string | null;
}

/**
 * Arguments are drawn so that a machine with another page size of huge pages, another program size or another architecture
 * cannot answer differently:
 *  - PROT_EXEC alone is never asked for: x86-64 without protection keys lets such a page be read, riscv64 does not.
 *  - Lengths are under 2 MiB: larger anonymous mappings are aligned to huge pages where the kernel chooses the place.
 *  - Lengths that wrap around are the only huge ones: others would reach the program itself.
 *  - Ranges in T end at its end: the vdso is above it.
 */
const WRAPS = '0xffffffffffffe000';

function chance(rng: Rng, percent: number): boolean {
  return rng.below(100) < percent;
}
function oneOf<T>(rng: Rng, values: readonly T[]): T {
  return values[rng.below(values.length)];
}

interface Range {
  readonly at: string;
  readonly length: string;
}

function lengthPages(rng: Rng): number {
  return 1 + Math.min(rng.below(4), rng.below(20)) + (chance(rng, 15) ? rng.below(20) : 0);
}

/** Mostly whole pages of the arena; sometimes what the kernel chose, the heap, or what is refused. */
function range({ rng, span }: WalkState): Range {
  const pages = lengthPages(rng);
  const odd = rng.below(100);
  if (odd < 3) return { at: `A${rng.below(span)}+${oneOf(rng, [1, 8, 4095])}`, length: `p${pages}` };
  if (odd < 5) return { at: `A${rng.below(span)}`, length: oneOf(rng, ['0', '1', '5000', WRAPS]) };
  if (odd < 13) return { at: `T${4096 - pages - rng.below(8)}`, length: `p${pages}` };
  if (odd < 16) return { at: `H${rng.below(8)}`, length: `p${pages}` };
  return { at: `A${rng.below(span)}`, length: `p${pages}` };
}

function word(state: WalkState): string {
  const { rng, span } = state;
  const odd = rng.below(100);
  if (odd < 10) return `T${4095 - rng.below(12)}+${rng.below(512) * 8}`;
  if (odd < 15) return `H${rng.below(8)}+${rng.below(512) * 8}`;
  return `A${rng.below(span + 2)}+${rng.below(512) * 8}`;
}

const PROTS = [0, 1, 1, 3, 3, 3, 3, 3, 5, 7, 2];
const MAP_EXTRAS = [0x100, 0x2000, 0x4000, 0x8000, 0x18000, 0x20000, 0x80000, 0x800, 0x1000];
/** MADV_*: what this machine and any other answer alike. */
const ADVICE = [
  0, 1, 2, 3, 4, 4, 4, 8, 8, 8, 9, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 21, 22, 23, 24, 24, 25, 102, 102,
  103, 99,
];
const MAPPABLE_FILES = [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 7, 11, 4, 5, 6, 8, 9, 10];
const FILES = [0, 0, 1, 1, 3, 3, 7, 2, 5, 11];

function mmapFlags(rng: Rng, sharing: number): number {
  let flags = sharing;
  if (chance(rng, 85)) flags |= 0x10;
  else if (chance(rng, 50)) flags |= 0x100000;
  if (chance(rng, 30)) flags |= oneOf(rng, MAP_EXTRAS);
  if (chance(rng, 5)) flags |= oneOf(rng, MAP_EXTRAS);
  return flags;
}

const hex = (value: number): string => `0x${value.toString(16)}`;

function mmapAnon(state: WalkState): string {
  const { rng } = state;
  const { at, length } = range(state);
  const sharing = oneOf(rng, [2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 3, 0, 8]);
  const flags = mmapFlags(rng, sharing) | 0x20;
  const where = chance(rng, 8) ? '0' : at;
  // Without an address nothing is fixed there.
  return `mmap ${where} ${length} ${oneOf(rng, PROTS)} ${hex(where === '0' ? flags & ~0x100010 : flags)} -1 0`;
}

function mmapFile(state: WalkState): string {
  const { rng } = state;
  const { at, length } = range(state);
  const flags = mmapFlags(rng, oneOf(rng, [1, 1, 1, 2, 2, 3]));
  const offset = chance(rng, 2) ? '100' : `p${rng.below(18)}`;
  const where = chance(rng, 8) ? '0' : at;
  return `mmap ${where} ${length} ${oneOf(rng, PROTS)} ${hex(where === '0' ? flags & ~0x100010 : flags)} f${oneOf(rng, MAPPABLE_FILES)} ${offset}`;
}

function mremap(state: WalkState): string {
  const { rng, span } = state;
  const { at, length } = range(state);
  const newPages = chance(rng, 40) ? length : `p${lengthPages(rng)}`;
  const flags = oneOf(rng, [0, 1, 1, 1, 3, 3, 3, 3, 5, 7, 7, 2, 8]);
  const target = chance(rng, 95) ? `A${rng.below(span)}` : `A${rng.below(span)}+8`;
  if (chance(rng, 8)) return `mremap ${at} 0 ${newPages} ${oneOf(rng, [1, 3, 0])} ${target}`;
  return `mremap ${at} ${length} ${flags & 4 ? length : newPages} ${flags} ${target}`;
}

function ranged(name: string, tail: (rng: Rng) => string): (state: WalkState) => string {
  return (state) => {
    const { at, length } = range(state);
    const more = tail(state.rng);
    return `${name} ${at} ${length}${more === '' ? '' : ` ${more}`}`;
  };
}

function fileBytes(rng: Rng): string {
  return chance(rng, 70) ? `p${rng.below(22)}` : String(rng.below(90_000));
}

/** Where read and write put and take bytes: memory of the walk, or a buffer that is always there. */
function bytesAt(state: WalkState): { at: string; length: number } {
  const { rng, span } = state;
  const length = oneOf(rng, [1, 8, 100, 4096, 4096, 8192, 10000]);
  return { at: chance(rng, 70) ? `A${rng.below(span)}+${oneOf(rng, [0, 0, 8, 100, 4000])}` : 'b', length };
}

/** UFFD_FEATURE_*: always SIGBUS, so that nobody sleeps in a fault; some of WP of shmem and of holes, asynchronous WP, and more. */
function uffdFeatures(rng: Rng): number {
  let features = 0x80;
  for (const feature of [0x1000, 0x2000, 0x8000, 0x800, 0x1, 0x14420]) if (chance(rng, 40)) features |= feature;
  return features;
}

/** Flags (WP_MATCHING, CHECK_WPASYNC), a mask of categories, which of them are inverted, and the most pages. */
function scanArguments(rng: Rng): string {
  const mask = oneOf(rng, [0, 0, 1, 2, 2, 3, 4, 8, 0x20, 0x100, 0xa]);
  return `${oneOf(rng, [0, 0, 0, 1, 2, 3, 3, 4])} ${mask} ${chance(rng, 30) ? mask & rng.below(16) : 0} ${oneOf(rng, [0, 0, 0, 1, 3])}`;
}

const UFFD_CALLS: readonly CallKind[] = [
  { name: 'uffd', weight: 2, make: ({ rng }) => `uffd ${hex(uffdFeatures(rng))}` },
  {
    name: 'uffd',
    weight: 8,
    make: ranged('uffd-register', (rng) => String(oneOf(rng, [1, 1, 2, 2, 3, 4, 5, 6, 7, 0, 8]))),
  },
  { name: 'uffd', weight: 2, make: ranged('uffd-unregister', () => '') },
  {
    name: 'uffd',
    weight: 6,
    make: ranged(
      'uffd-copy',
      (rng) => `${oneOf(rng, [0, 0, 0, 2, 2, 1, 4])} ${chance(rng, 80) ? 'b' : `A${rng.below(12)}`}`,
    ),
  },
  { name: 'uffd', weight: 3, make: ranged('uffd-zero', (rng) => String(oneOf(rng, [0, 0, 0, 1, 2]))) },
  { name: 'uffd', weight: 6, make: ranged('uffd-protect', (rng) => String(oneOf(rng, [1, 1, 1, 0, 0, 2, 3]))) },
  { name: 'uffd', weight: 3, make: ranged('uffd-continue', (rng) => String(oneOf(rng, [0, 0, 0, 2, 1]))) },
  {
    name: 'uffd',
    weight: 3,
    make: (state) => {
      const { at, length } = range(state);
      return `uffd-move ${at} ${range(state).at} ${length} ${oneOf(state.rng, [0, 0, 2, 1])}`;
    },
  },
  { name: 'uffd', weight: 2, make: ranged('uffd-poison', (rng) => String(oneOf(rng, [0, 0, 1]))) },
  { name: 'uffd-close', weight: 1, make: () => 'uffd-close' },
];

export const CALLS: readonly CallKind[] = [
  { name: 'mmap', weight: 16, always: true, make: mmapAnon },
  { name: 'mmap', weight: 12, make: mmapFile },
  { name: 'munmap', weight: 6, make: ranged('munmap', () => '') },
  {
    name: 'mprotect',
    weight: 10,
    make: ranged('mprotect', (rng) =>
      chance(rng, 4) ? oneOf(rng, ['0x1000003', '0x1000001', '0x2000001', '0x10', '8']) : String(oneOf(rng, PROTS)),
    ),
  },
  { name: 'mremap', weight: 12, make: mremap },
  {
    name: 'brk',
    weight: 3,
    without: 'personality',
    make: ({ rng }) => `brk H${rng.below(12)}${chance(rng, 20) ? '+100' : ''}`,
  },
  { name: 'madvise', weight: 14, make: ranged('madvise', (rng) => String(oneOf(rng, ADVICE))) },
  { name: 'mlock', weight: 4, make: ranged('mlock', () => '') },
  { name: 'mlock2', weight: 4, make: ranged('mlock2', (rng) => String(oneOf(rng, [0, 1, 1, 2]))) },
  { name: 'munlock', weight: 3, make: ranged('munlock', () => '') },
  { name: 'mlockall', weight: 1, make: ({ rng }) => `mlockall ${oneOf(rng, [1, 2, 2, 3, 5, 6, 7, 4, 0, 8])}` },
  { name: 'munlockall', weight: 2, make: () => 'munlockall' },
  { name: 'msync', weight: 3, make: ranged('msync', (rng) => String(oneOf(rng, [0, 1, 2, 4, 4, 6, 5, 8]))) },
  { name: 'mincore', weight: 3, make: ranged('mincore', () => '') },
  { name: 'store', weight: 22, always: true, make: (state) => `store ${word(state)} ${state.stamp}` },
  { name: 'load', weight: 14, always: true, make: (state) => `load ${word(state)}` },
  { name: 'code', weight: 2, make: (state) => `code ${word(state)}` },
  { name: 'jump', weight: 2, make: jump },
  {
    name: 'race',
    weight: 2,
    make: (state) => `race ${range(state).at.replace(/\+.*/, '')} ${1 + state.rng.below(6)} ${state.stamp}`,
  },
  { name: 'fork', weight: 4, make: fork },
  { name: 'reap', weight: 2, make: reap },
  { name: 'look', weight: 3, make: () => 'look' },
  { name: 'hash', weight: 2, make: () => 'hash' },
  { name: 'touch', weight: 1, make: () => 'touch' },
  { name: 'pagemap', weight: 2, make: ({ span }) => `pagemap A0 ${span}` },

  { name: 'scan', weight: 3, make: ranged('scan', scanArguments) },
  { name: 'clear', weight: 2, make: ({ rng }) => `clear ${oneOf(rng, [1, 1, 2, 3])}` },
  { name: 'ftruncate', weight: 4, make: ({ rng }) => `ftruncate f${oneOf(rng, FILES)} ${fileBytes(rng)}` },
  {
    name: 'fallocate',
    weight: 4,
    make: ({ rng }) =>
      `fallocate f${oneOf(rng, FILES)} ${oneOf(rng, [0, 1, 3, 3, 3, 0x10, 8, 2])} ${fileBytes(rng)} ${fileBytes(rng)}`,
  },
  { name: 'fill', weight: 2, make: (state) => `fill ${state.stamp & 0xff}` },
  { name: 'pwrite64', weight: 4, make: (state) => transfer(state, 'pwrite64') },
  { name: 'pread64', weight: 4, make: (state) => transfer(state, 'pread64') },
  { name: 'file', weight: 3, make: ({ rng }) => `file f${oneOf(rng, [0, 1, 3, 7, 11])}` },
  {
    name: 'seal',
    weight: 1,
    make: ({ rng }) => `fcntl f3 ${oneOf(rng, [1033, 1033, 1034])} ${oneOf(rng, [2, 4, 8, 16, 1, 6, 32])}`,
  },
  { name: 'memread', weight: 2, make: (state) => `memread ${word(state)} ${oneOf(state.rng, [8, 4096, 9000])}` },
  {
    name: 'memwrite',
    weight: 2,
    make: (state) => `memwrite ${word(state)} ${oneOf(state.rng, [8, 4096, 9000])} ${state.stamp & 0xff}`,
  },
  { name: 'mseal', weight: 1, make: ranged('mseal', (rng) => (chance(rng, 90) ? '0' : '1')) },
  {
    name: 'remap_file_pages',
    weight: 2,
    make: ranged(
      'remap_file_pages',
      (rng) => `${chance(rng, 95) ? 0 : 1} ${rng.below(16)} ${oneOf(rng, [0, 0, 0x10000])}`,
    ),
  },
  {
    name: 'pkey_mprotect',
    weight: 1,
    make: ranged('pkey_mprotect', (rng) => `${oneOf(rng, PROTS)} ${oneOf(rng, [-1, -1, 0, 1])}`),
  },
  {
    name: 'shm',
    weight: 2,
    make: ({ rng }) =>
      `segment ${rng.below(3)} ${oneOf(rng, ['p1', 'p4', 'p9', '5000', '0'])} ${oneOf(rng, [0, 0x200, 0x1000])}`,
  },
  {
    name: 'shm',
    weight: 5,
    make: (state) =>
      `shmat ${state.rng.below(3)} ${chance(state.rng, 10) ? '0' : range(state).at} ${oneOf(state.rng, [0, 0, 0x4000, 0x1000, 0x5000, 0x8000, 0x2000])}`,
  },
  { name: 'shm', weight: 3, make: (state) => `shmdt ${range(state).at}` },
  { name: 'shm', weight: 2, make: ({ rng }) => `shmctl ${rng.below(3)} ${oneOf(rng, [0, 2, 2, 2, 11, 12])}` },
  {
    name: 'other',
    weight: 2,
    make: (state) => other(state, (slot, at) => `otherread ${slot} ${at} ${oneOf(state.rng, [8, 4096, 9000])}`),
  },
  {
    name: 'other',
    weight: 2,
    make: (state) =>
      other(state, (slot, at) => `otherwrite ${slot} ${at} ${oneOf(state.rng, [8, 4096, 9000])} ${state.stamp & 0xff}`),
  },
  {
    name: 'other',
    weight: 2,
    make: (state) =>
      other(
        state,
        (slot) =>
          `otheradvice ${slot} ${range(state).at} p${lengthPages(state.rng)} ${oneOf(state.rng, [3, 4, 20, 21, 22, 12])}`,
      ),
  },
  {
    name: 'other',
    weight: 1,
    make: (state) => other(state, (slot, at) => `othermemread ${slot} ${at} ${oneOf(state.rng, [8, 4096, 9000])}`),
  },
  {
    name: 'other',
    weight: 1,
    make: (state) =>
      other(state, (slot, at) => `othermemwrite ${slot} ${at} ${oneOf(state.rng, [8, 9000])} ${state.stamp & 0xff}`),
  },
  { name: 'ptrace', weight: 1, make: (state) => other(state, (slot, at) => `otherpeek ${slot} ${at}`) },
  { name: 'ptrace', weight: 2, make: (state) => other(state, (slot, at) => `otherpoke ${slot} ${at} ${state.stamp}`) },
  ...UFFD_CALLS,
  { name: 'frames', weight: 3, make: ({ span }) => `frames A0 ${span}` },
  { name: 'personality', weight: 1, make: ({ rng }) => `personality ${oneOf(rng, ['0x400000', '0x400000', '0'])}` },
  { name: 'append', weight: 1, make: ({ rng }) => `write f6 b ${oneOf(rng, [1, 100, 5000])}` },
  {
    name: 'lseek',
    weight: 2,
    make: ({ rng }) => `lseek f${oneOf(rng, [0, 1, 3, 7])} ${fileBytes(rng)} ${oneOf(rng, [3, 4, 3, 4, 2])}`,
  },
  { name: 'limit-as', weight: 1, make: ({ rng }) => `limit-as ${oneOf(rng, [0, 3, 10, 30, -1, -1])}` },
  { name: 'limit-data', weight: 1, make: ({ rng }) => `limit-data ${oneOf(rng, [0, 3, 10, 30, -1, -1])}` },
  { name: 'limit-stack', weight: 1, make: ({ rng }) => `limit-stack ${oneOf(rng, [0, 3, 10, 30, -1, -1])}` },
  { name: 'limit-memlock', weight: 1, make: ({ rng }) => `limit-memlock ${oneOf(rng, [0, 3, 10, 30, -1, -1])}` },
  { name: 'drop', weight: 1, make: () => 'drop' },
];

/** Only where a `code` step may have put a return: anywhere else a jump would run what is there. */
function jump(state: WalkState): string | null {
  return state.rng.below(2) === 0
    ? `code A${state.rng.below(state.span)}+64`
    : `jump A${state.rng.below(state.span)}+64`;
}

function transfer(state: WalkState, name: string): string {
  const { at, length } = bytesAt(state);
  return `${name} f${oneOf(state.rng, FILES)} ${at} ${length} ${fileBytes(state.rng)}`;
}

/** A process that lives, this one or another. */
function other(state: WalkState, text: (slot: number, at: string) => string): string {
  const alive = state.parents.flatMap((parent, slot) => (parent === null ? [] : [slot]));
  return text(oneOf(state.rng, alive), word(state));
}

function fork(state: WalkState): string | null {
  const free = state.parents.indexOf(null);
  if (free === -1) return null;
  state.parents[free] = state.slot;
  return `fork ${free}`;
}

function reap(state: WalkState): string | null {
  for (let slot = 1; slot < SLOTS; slot++) {
    if (state.parents[slot] !== state.slot || state.parents.includes(slot)) continue;
    state.parents[slot] = null;
    return `reap ${slot}`;
  }
  return null;
}
