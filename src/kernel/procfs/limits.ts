import { RLIM_INFINITY } from '../../abi/resource.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';

/** lnames (fs/proc/base.c), by RLIMIT_*. */
const NAMES: readonly (readonly [name: string, unit: string | null])[] = [
  ['Max cpu time', 'seconds'],
  ['Max file size', 'bytes'],
  ['Max data size', 'bytes'],
  ['Max stack size', 'bytes'],
  ['Max core file size', 'bytes'],
  ['Max resident set', 'bytes'],
  ['Max processes', 'processes'],
  ['Max open files', 'files'],
  ['Max locked memory', 'bytes'],
  ['Max address space', 'bytes'],
  ['Max file locks', 'locks'],
  ['Max pending signals', 'signals'],
  ['Max msgqueue size', 'bytes'],
  ['Max nice priority', null],
  ['Max realtime priority', null],
  ['Max realtime timeout', 'us'],
];

/** /proc/PID/limits (proc_pid_limits). */
export function showLimits(_k: Kernel, t: Task): string {
  const row = (name: string, soft: string, hard: string, unit: string): string =>
    `${name.padEnd(25)} ${soft.padEnd(20)} ${hard.padEnd(20)} ${unit}\n`;
  const value = (limit: number): string => (limit === RLIM_INFINITY ? 'unlimited' : String(limit));
  return (
    row('Limit', 'Soft Limit', 'Hard Limit', 'Units'.padEnd(10)) +
    NAMES.map(([name, unit], i) => {
      const { soft, hard } = t.process.rlimits[i];
      return row(name, value(soft), value(hard), unit?.padEnd(10) ?? '');
    }).join('')
  );
}
