import { EINVAL, ESRCH } from '../../abi/errno.ts';
import { EV_SCORE_ADJ_UPDATE } from '../../base/event-kinds.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { RMAP_ITEM_BYTES } from '../../mm/ksm/ksm.ts';
import { VM_MERGEABLE } from '../../mm/vm-flags.ts';
import type { Kernel } from '../kernel.ts';
import { oomBadness, oomTotalPages } from '../oom.ts';
import type { Process } from '../process.ts';
import type { Task } from '../task.ts';
import { currentTask } from './current-task.ts';
import { parseInteger } from './write-text.ts';

/** The small files of /proc/PID: a line each (fs/proc/base.c, 6.18). */

export function showComm(_k: Kernel, t: Task): string {
  return `${t.comm}\n`;
}

/** comm_write: the first 15 bytes, without a newline at the end. */
export function writeComm(_k: Kernel, t: Task, text: string): number {
  t.comm = text
    .split('\0')[0]
    .replace(/\n[\s\S]*$/, '')
    .slice(0, 15);
  return 0;
}

export function showPersonality(_k: Kernel, t: Task): string {
  return `${(t.personality >>> 0).toString(16).padStart(8, '0')}\n`;
}

/** proc_pid_wchan: no symbol is known for where a task sleeps, and then Linux prints 0. */
export function showWchan(): string {
  return '0';
}

/** The unified hierarchy's root: there are no control groups below it. */
/** proc_cgroup_show: the one hierarchy. */
export function showCgroup(k: Kernel, t: Task): string {
  const { cgroup } = t;
  const path = (currentTask(k)?.cgroupNs ?? k.initialCgroup).pathOf(cgroup);
  return `0::${path}${cgroup.isAlive ? '' : ' (deleted)'}\n`;
}

/** No audit session: (unsigned int)-1, without a newline. */
export function showUnsetId(): string {
  return '4294967295';
}

/** proc_oom_score: 0 to 2000, two thirds of the badness in thousandths of memory above 1000. */
export function showOomScore(k: Kernel, t: Task): string {
  const points = oomBadness(k, t.process);
  if (points === Number.NEGATIVE_INFINITY) return '0\n';
  return `${Math.trunc(((1000 + Math.trunc((points * 1000) / oomTotalPages(k))) * 2) / 3)}\n`;
}

/** proc_coredump_filter_read: MMF_DUMP_* in hexadecimal; nothing for a kernel thread. */
export function showCoredumpFilter(_k: Kernel, t: Task): string {
  return t.space === null ? '' : `${t.process.coredumpFilter.toString(16).padStart(8, '0')}\n`;
}

/** kstrtouint of any base; bits that mean nothing are dropped. */
export function writeCoredumpFilter(_k: Kernel, t: Task, text: string): number {
  const value = Number(text.trim());
  if (text.trim() === '' || !Number.isInteger(value) || value < 0 || value > 0xffff_ffff) return -EINVAL;
  if (t.space === null) return -ESRCH;
  t.process.coredumpFilter = value & 0x1ff;
  return 0;
}

export function showOomScoreAdj(_k: Kernel, t: Task): string {
  return `${t.process.oomScoreAdj}\n`;
}

export function writeOomScoreAdj(k: Kernel, t: Task, text: string): number {
  const value = parseInteger(text);
  if (value === null || value < -1000 || value > 1000) return -EINVAL;
  return setOomScoreAdj(k, t.process, value);
}

/** __set_oom_adj. */
function setOomScoreAdj({ events }: Kernel, process: Process, value: number): 0 {
  process.oomScoreAdj = value;
  if (events.enabled[EV_SCORE_ADJ_UPDATE] !== 0) events.emit(EV_SCORE_ADJ_UPDATE, process.pid, value);
  return 0;
}

/** OOM_DISABLE -17, OOM_ADJUST_MAX 15: the old scale. */
export function showOomAdj(_k: Kernel, t: Task): string {
  const { oomScoreAdj } = t.process;
  return `${oomScoreAdj === 1000 ? 15 : Math.trunc((oomScoreAdj * 17) / 1000)}\n`;
}

export function writeOomAdj(k: Kernel, t: Task, text: string): number {
  const value = parseInteger(text);
  if (value === null || ((value < -16 || value > 15) && value !== -17)) return -EINVAL;
  return setOomScoreAdj(k, t.process, value === 15 ? 1000 : Math.trunc((value * 1000) / 17));
}

/** proc_pid_ksm_merging_pages. */
export function showKsmMergingPages(_k: Kernel, { space }: Task): string {
  return space === null ? '' : `${space.ksmMergingPages}\n`;
}

/** proc_pid_ksm_stat. */
export function showKsmStat(_k: Kernel, { space }: Task): string {
  if (space === null) return '';
  const merged = space.ksmMergingPages + space.ksmZeroPages;
  const profit = merged * PAGE_SIZE - space.ksmRmapItems * RMAP_ITEM_BYTES;
  let isMergeable = false;
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma))
    isMergeable ||= (vma.flags & VM_MERGEABLE) !== 0;
  return (
    `ksm_rmap_items ${space.ksmRmapItems}\nksm_zero_pages ${space.ksmZeroPages}\n` +
    `ksm_merging_pages ${space.ksmMergingPages}\nksm_process_profit ${profit}\n` +
    `ksm_merge_any: ${space.memoryMerge === 'any' ? 'yes' : 'no'}\nksm_mergeable: ${isMergeable ? 'yes' : 'no'}\n`
  );
}

/** proc_tgid_io_accounting; cancelled writes are not known apart, bytes come from the block counters. */
export function showIo(_k: Kernel, t: Task): string {
  const { rchar, wchar, syscr, syscw, inblock, oublock } = t.process;
  return (
    `rchar: ${rchar}\nwchar: ${wchar}\nsyscr: ${syscr}\nsyscw: ${syscw}\n` +
    `read_bytes: ${inblock * 512}\nwrite_bytes: ${oublock * 512}\ncancelled_write_bytes: 0\n`
  );
}

export function showTimerSlack(_k: Kernel, t: Task): string {
  return `${t.timerSlackNs}\n`;
}

export function writeTimerSlack(_k: Kernel, t: Task, text: string): number {
  const value = parseInteger(text);
  if (value === null || value < 0) return -EINVAL;
  t.timerSlackNs = value === 0 ? 50_000 : value;
  return 0;
}

/** /proc/PID/syscall (proc_pid_syscall): the call that a sleeping task is in, and where. */
export function showSyscall(k: Kernel, t: Task): string {
  if (t.state === 'R' || t.space === null) return t.space === null ? '' : 'running\n';
  const hex = (value: number): string =>
    value < 0 ? `0x${(BigInt(value) + 0x1_0000_0000_0000_0000n).toString(16)}` : `0x${value.toString(16)}`;
  const registers = k.registersOf(t);
  const where = `${hex(k.arch.sp(registers))} ${hex(k.arch.pc(registers))}`;
  return t.call === null ? `-1 ${where}\n` : `${t.call.nr} ${t.call.args.map(hex).join(' ')} ${where}\n`;
}

/** kstrtoint of decimal digits: CLEAR_REFS_ALL to CLEAR_REFS_MM_HIWATER_RSS, or null. */
export function parseClearRefs(text: string): number | null {
  const match = /^\s*\+?([0-9]+)\s*$/.exec(text);
  const value = match === null ? 0 : Number(match[1]);
  return value >= 1 && value <= 5 ? value : null;
}
