/** The life of a page, step by step, in the notation of docs/page-fault.md. */
import { beforeAll, describe, expect, test } from 'vitest';
import { formatPage, type PageEvent, PageHistory, Replay } from '../../src/index.ts';
import { type EventRun, runForEvents } from '../events/event-run.ts';

const MiB = 2 ** 20;
const NR_EXIT_GROUP = 94;
let run: EventRun;

beforeAll(async () => {
  run = await runForEvents(
    'test/observe/programs/page-lives.c',
    { memoryBytes: 64 * MiB, swapBytes: 16 * MiB, hugepages: [{ sizeBytes: 2 * MiB, count: 2 }] },
    () => {},
  );
  expect(run.output).toBe('done\n');
  expect(run.system.shutdown().leakedFrames).toBe(0);
}, 120_000);

/** Of the program's page up to its exit; the page at that time must be that of the last step. */
function lifeOf(address: number): PageEvent[] {
  const replay = new Replay(run.machine, run.journal);
  const { system } = replay;
  const history = new PageHistory(system.kernel, address);
  let life: PageEvent[] = [];
  system.on(['raw_syscalls:sys_enter'], ({ values: [pid, id] }) => {
    if (id !== NR_EXIT_GROUP || pid !== replay.programPid) return;
    life = history.of(pid);
    expect(life.findLast(({ page }) => page !== null)?.page?.frame?.pfn).toBe(system.page(pid, address)?.frame?.pfn);
  });
  replay.forward({ at: 'end' });
  history.close();
  return life;
}

/** `what detail`, and the page behind it where it is not as before; frames by letter, without the places in the program. */
function told(life: readonly PageEvent[]): string[] {
  const letters = new Map<string, string>();
  const plain = (text: string): string =>
    text
      .replace(/frame (\d+)/g, (_, pfn: string) => {
        if (!letters.has(pfn)) letters.set(pfn, String.fromCharCode(65 + letters.size));
        return `frame ${letters.get(pfn)}`;
      })
      .replace(/( from)? \[[^\]]*\+0x\w+\]/g, '')
      .replace(/ from \d+ on/g, '')
      .replace(/slot \d+/g, 'slot N');
  let shown = '';
  return life.flatMap(({ what, detail, page }) => {
    const state = page === null ? shown : formatPage(page);
    const news = state === shown ? [] : [`  ${plain(state)}`];
    shown = state;
    return [plain(`${what} ${detail}`), ...news];
  });
}

/** The page that the program has at the n-th of its places. */
const lifeAt = (n: number, page = 0): string[] => told(lifeOf(0x2000_0000 + n * 0x100_0000 + page * 4096));

const FORKED = 'fork to process 7';
describe('the life of a page', () => {
  test('of a file, that its neighbour brings and a store copies', () => {
    expect(lifeAt(0)).toEqual([
      'mapped 20000000-20008000 rw-p /tmp/page-lives by mmap',
      '  VMA rw-p /tmp/page-lives -> file page 0 -> no frame -> PTE -',
      'around fileRead read at 0x20003000',
      '  VMA rw-p /tmp/page-lives -> file page 0 -> frame A (refcount 2, mapcount 1, pagecache, dirty) -> PTE R-- A-',
      'copied frame A -> frame B',
      'fault cowCopy write',
      '  VMA rw-p /tmp/page-lives -> file page 0 -> frame B (refcount 1, mapcount 1, anon, exclusive) -> PTE RW- AD',
      FORKED,
      '  VMA rw-p /tmp/page-lives -> file page 0 -> frame B (refcount 2, mapcount 2, anon) -> PTE R-- AD',
    ]);
  }, 60_000);

  test('of a file, stored to through a shared mapping', () => {
    expect(lifeAt(1)).toEqual([
      'mapped 21000000-21008000 rw-s /tmp/page-lives by mmap',
      '  VMA rw-s /tmp/page-lives -> file page 0 -> no frame -> PTE -',
      'fault fileShared write',
      '  VMA rw-s /tmp/page-lives -> file page 0 -> frame A (refcount 2, mapcount 1, pagecache, dirty) -> PTE RW- AD',
      FORKED,
    ]);
  }, 60_000);

  test('that goes to swap and comes back', () => {
    expect(lifeAt(2)).toEqual([
      'mapped 22000000-22001000 rw-p anonymous by mmap',
      '  VMA rw-p memory -> no frame -> PTE -',
      'fault anonZero write',
      '  VMA rw-p memory -> frame A (refcount 1, mapcount 1, anon, exclusive) -> PTE RW- AD',
      'swapped frame A -> slot N of swap area 0',
      'freed frame A',
      '  VMA rw-p memory -> slot N of swap area 0 -> PTE swap',
      'fault swapIn read, major',
      '  VMA rw-p memory -> frame A (refcount 1, mapcount 1, anon, exclusive) -> PTE RW- A-',
      FORKED,
      '  VMA rw-p memory -> frame A (refcount 2, mapcount 2, anon) -> PTE R-- A-',
    ]);
  }, 60_000);

  test('that ksmd merges and a store takes apart', () => {
    expect(lifeAt(3)).toEqual([
      'mapped 23000000-23002000 rw-p anonymous by mmap',
      '  VMA rw-p memory -> no frame -> PTE -',
      'fault anonZero write',
      '  VMA rw-p memory -> frame A (refcount 1, mapcount 1, anon, exclusive) -> PTE RW- AD',
      'merged frame A -> frame B',
      '  VMA rw-p memory -> frame B (refcount 2, mapcount 2, anon, ksm, dirty) -> PTE R-- A-',
      'copied frame B -> frame C',
      'fault cowCopy write',
      '  VMA rw-p memory -> frame C (refcount 1, mapcount 1, anon, exclusive) -> PTE RW- AD',
      FORKED,
      '  VMA rw-p memory -> frame C (refcount 2, mapcount 2, anon) -> PTE R-- AD',
    ]);
  }, 60_000);

  test('of a huge page: by a fault of another page of it, then split; collapsed; of a pool', () => {
    expect(lifeAt(4)).toEqual([
      'mapped 24000000-24200000 rw-p anonymous by mmap',
      '  VMA rw-p memory -> no frame -> PTE -',
      'around anonZero write at 0x24005000',
      '  VMA rw-p memory -> frame A (of the 512, refcount 1, mapcount 1, anon, exclusive) -> PMD RW- AD',
      'split its huge entry is a table of small ones',
      'changed 24000000-24007000 rw-p anonymous by mprotect',
      '  VMA rw-p memory -> frame A (of the 512, refcount 512, mapcount 1, anon, exclusive) -> PTE RW- AD',
      FORKED,
      '  VMA rw-p memory -> frame A (of the 512, refcount 1024, mapcount 2, anon) -> PTE R-- AD',
    ]);
    expect(lifeAt(5, 3)).toEqual([
      'mapped 25000000-25200000 rw-p anonymous by mmap',
      '  VMA rw-p memory -> no frame -> PTE -',
      'fault anonZero write',
      '  VMA rw-p memory -> frame A (refcount 1, mapcount 1, anon, exclusive) -> PTE RW- AD',
      'freed frame A',
      'collapsed frame B, of a huge page of 512',
      '  VMA rw-p memory -> frame B (of the 512, refcount 1, mapcount 1, anon, exclusive) -> PMD RW- AD',
      FORKED,
      '  VMA rw-p memory -> frame B (of the 512, refcount 2, mapcount 2, anon) -> PMD R-- AD',
    ]);
    expect(lifeAt(6, 1)).toEqual([
      'mapped 26000000-26200000 rw-p /anon_hugepage (deleted) by mmap',
      '  VMA rw-p /anon_hugepage (deleted) -> file page 1 -> no frame -> PTE -',
      'around anonZero write at 0x26003000',
      '  VMA rw-p /anon_hugepage (deleted) -> file page 1 -> frame A (of the 512, refcount 1, mapcount 1, anon, exclusive, hugetlb) -> PMD RW- AD',
      FORKED,
      '  VMA rw-p /anon_hugepage (deleted) -> file page 1 -> frame A (of the 512, refcount 2, mapcount 2, anon, hugetlb) -> PMD R-- AD',
    ]);
  }, 60_000);

  test('that no access may reach, and that has a guard', () => {
    expect(lifeAt(7)).toEqual([
      'mapped 27000000-27001000 rw-p anonymous by mmap',
      '  VMA rw-p memory -> no frame -> PTE -',
      'fault anonZero write',
      '  VMA rw-p memory -> frame A (refcount 1, mapcount 1, anon, exclusive) -> PTE RW- AD',
      'changed 27000000-27001000 ---p anonymous by mprotect',
      '  VMA ---p memory -> frame A (refcount 1, mapcount 1, anon, exclusive) -> PTE --- AD',
      FORKED,
      '  VMA ---p memory -> frame A (refcount 2, mapcount 2, anon) -> PTE --- AD',
    ]);
    expect(lifeAt(10)).toEqual([
      'mapped 2a000000-2a001000 rw-p anonymous by mmap',
      '  VMA rw-p memory -> no frame -> PTE -',
      'changed by madvise',
      '  VMA rw-p memory -> no frame -> PTE guard',
      FORKED,
    ]);
  }, 60_000);

  test('that is dropped, touched again, and moved', () => {
    expect(lifeAt(8)).toEqual([
      'mapped 28000000-28001000 rw-p anonymous by mmap',
      '  VMA rw-p memory -> no frame -> PTE -',
      'fault anonZero write',
      '  VMA rw-p memory -> frame A (refcount 1, mapcount 1, anon, exclusive) -> PTE RW- AD',
      'freed frame A',
      'dropped frame A by madvise',
      '  VMA rw-p memory -> no frame -> PTE -',
      'fault anonZero write',
      '  VMA rw-p memory -> frame A (refcount 1, mapcount 1, anon, exclusive) -> PTE RW- AD',
      'moved to 0x29000000',
      'unmapped 28000000-28001000 rw-p anonymous by mremap',
      '  no VMA',
    ]);
    expect(lifeAt(9)).toEqual([
      'moved from 0x28000000',
      'mapped 29000000-29001000 rw-p anonymous by mremap',
      '  VMA rw-p memory -> frame A (refcount 1, mapcount 1, anon, exclusive) -> PTE RW- AD',
      FORKED,
      '  VMA rw-p memory -> frame A (refcount 2, mapcount 2, anon) -> PTE R-- AD',
    ]);
  }, 60_000);

  test('shared with a child, in both senses', () => {
    expect(lifeAt(11)).toEqual([
      'mapped 2b000000-2b001000 rw-s /dev/zero (deleted) by mmap',
      '  VMA rw-s /dev/zero (deleted) -> file page 0 -> no frame -> PTE -',
      'fault fileShared write',
      '  VMA rw-s /dev/zero (deleted) -> file page 0 -> frame A (refcount 2, mapcount 1, pagecache, dirty) -> PTE RW- AD',
      FORKED,
    ]);
    expect(lifeAt(12)).toEqual([
      'mapped 2c000000-2c001000 rw-p anonymous by mmap',
      '  VMA rw-p memory -> no frame -> PTE -',
      'fault anonReadZero read',
      '  VMA rw-p memory -> frame A (refcount 1, mapcount 0, zero) -> PTE R-- A-',
      'copied the zero page (frame A) -> frame B',
      'fault cowCopy write',
      '  VMA rw-p memory -> frame B (refcount 1, mapcount 1, anon, exclusive) -> PTE RW- AD',
      FORKED,
      '  VMA rw-p memory -> frame B (refcount 2, mapcount 2, anon) -> PTE R-- AD',
      'fault cowReuse write',
      '  VMA rw-p memory -> frame B (refcount 1, mapcount 1, anon, exclusive) -> PTE RW- AD',
    ]);
  }, 60_000);
});
