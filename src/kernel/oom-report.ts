import { MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, MM_SWAPENTS } from '../mm/address-space.ts';
import type { Memcg } from '../mm/memcg/memcg.ts';
import { collectMemoryStat } from '../mm/memcg/memory-stat.ts';
import { NO_LIMIT, type PageCounter } from '../mm/memcg/page-counter.ts';
import {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  LRU_UNEVICTABLE,
} from '../mm/phys/lruvec.ts';
import { WMARK_HIGH, WMARK_LOW, WMARK_MIN } from '../mm/phys/zone.ts';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';

/** A page of user memory, as a fault asks for it (6.18: GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO). */
const FAULT_GFP = '0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO)';
/** Of kswapd (balance_pgdat), where min_ttl_ms cannot be kept. */
const KSWAPD_GFP = '0xcc0(GFP_KERNEL)';

/**
 * What the OOM killer writes in the kernel log before it kills (6.18: dump_header, __show_mem, dump_tasks, mm/oom_kill.c): who
 * asked, where the memory is, who has it, and whom it takes.
 */
export function reportOom(k: Kernel, invoker: Process, victim: Process, domain: Memcg): void {
  const { comm } = invoker.leader;
  k.log(
    `${comm} invoked oom-killer: gfp_mask=${invoker.leader.kind === 'kthread' ? KSWAPD_GFP : FAULT_GFP}, order=0, oom_score_adj=${invoker.oomScoreAdj}`,
  );
  if (domain.isRoot) showMem(k);
  else showMemcg(k, domain);
  if (k.oomDumpTasks !== 0) dumpTasks(k, domain);
  k.log(
    `oom-kill:constraint=${domain.isRoot ? 'CONSTRAINT_NONE' : 'CONSTRAINT_MEMCG'},nodemask=(null),cpuset=/,mems_allowed=0,` +
      `${domain.isRoot ? 'global_oom' : `oom_memcg=${pathOf(k, domain)}`},task_memcg=${pathOf(k, victim.leader.cgroup.memcg)},` +
      `task=${victim.leader.comm},pid=${victim.pid},uid=${victim.leader.cred.uid}`,
  );
}

/** PAGE_COUNTER_MAX in KiB: what a limit that is not set is shown as. */
const NO_LIMIT_KB = '9007199254740988';

const pathOf = (k: Kernel, memcg: Memcg): string => k.cgroups.cgroupOf(memcg).path;

/** mem_cgroup_print_oom_meminfo: the cgroup's counters and its memory.stat. */
function showMemcg(k: Kernel, memcg: Memcg): void {
  const counters = ({ usage, max, failCount }: PageCounter): string =>
    `usage ${usage * 4}kB, limit ${max === NO_LIMIT ? NO_LIMIT_KB : max * 4}kB, failcnt ${failCount}`;
  k.log(`memory: ${counters(memcg.memory)}`);
  k.log(`swap: ${counters(memcg.swap)}`);
  k.log(`Memory cgroup stats for ${pathOf(k, memcg)}:`);
  for (const [name, value] of collectMemoryStat(k.mm.memcgs, memcg)) k.log(`${name} ${value}`);
}

function showMem(k: Kernel): void {
  const { alloc, swap } = k.mm;
  const { stat, lru } = alloc;
  const pages = (list: number): number => lru.sizes[list];
  k.log('Mem-Info:');
  k.log(
    `active_anon:${pages(LRU_ACTIVE_ANON)} inactive_anon:${pages(LRU_INACTIVE_ANON)} isolated_anon:0\n` +
      ` active_file:${pages(LRU_ACTIVE_FILE)} inactive_file:${pages(LRU_INACTIVE_FILE)} isolated_file:0\n` +
      ` unevictable:${pages(LRU_UNEVICTABLE)} dirty:${stat.nr_dirty} writeback:${stat.nr_writeback}\n` +
      ` slab_reclaimable:${stat.nr_slab_reclaimable} slab_unreclaimable:${stat.nr_slab_unreclaimable}\n` +
      ` mapped:${stat.nr_mapped} shmem:${stat.nr_shmem} pagetables:${stat.nr_page_table_pages}\n` +
      ` sec_pagetables:0 bounce:0\n kernel_misc_reclaimable:0\n free:${alloc.freeCount} free_pcp:0 free_cma:0`,
  );
  for (const zone of alloc.zones) {
    const mark = (which: number): string => `${zone.watermarks[which] * 4}KB`;
    k.log(
      `Node 0 ${zone.name} free:${zone.freePages * 4}KB boost:0KB min:${mark(WMARK_MIN)} low:${mark(WMARK_LOW)} ` +
        `high:${mark(WMARK_HIGH)} present:${zone.presentPages * 4}KB managed:${zone.managedPages * 4}KB`,
    );
  }
  k.log(`${stat.nr_file_pages + stat.nr_swapcached} total pagecache pages`);
  k.log(`${stat.nr_swapcached} pages in swap cache`);
  k.log(`Free swap  = ${swap.freePages * 4}kB`);
  k.log(`Total swap = ${swap.totalPages * 4}kB`);
  k.log(`${k.mm.frames.frameCount} pages RAM`);
  k.log('0 pages HighMem/MovableOnly');
  k.log(`${k.mm.frames.frameCount - alloc.totalCount} pages reserved`);
}

/** dump_tasks: every process of the domain with memory of its own that could be killed. */
function dumpTasks(k: Kernel, domain: Memcg): void {
  k.log('Tasks state (memory values in pages):');
  k.log(
    '[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name',
  );
  for (const process of k.processes.values()) {
    const task = process.threads.find((thread) => thread.space !== null);
    const space = task?.space ?? null;
    if (task === undefined || space === null || task.kind !== 'user') continue;
    if (!task.cgroup.memcg.isWithin(domain)) continue;
    const { rss } = space;
    const number = (value: number, width: number): string => String(value).padStart(width);
    k.log(
      `[${number(task.tid, 7)}] ${number(task.cred.uid, 5)} ${number(task.tgid, 5)} ${number(space.totalVm, 8)} ` +
        `${number(space.rssPages, 8)} ${number(rss[MM_ANONPAGES], 8)} ${number(rss[MM_FILEPAGES], 8)} ` +
        `${number(rss[MM_SHMEMPAGES], 9)} ${number(space.pgtablesBytes, 8)} ${number(rss[MM_SWAPENTS], 8)}         ` +
        `${number(process.oomScoreAdj, 5)} ${task.comm}`,
    );
  }
}
