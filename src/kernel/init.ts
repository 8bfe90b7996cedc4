import { panic } from '../base/assert.ts';
import type { Kernel } from './kernel.ts';
import { KSMD_NICE } from './ksmd.ts';
import { newTask } from './new-task.ts';
import type { Task } from './task.ts';

/**
 * The kernel's own tasks: pid 1 "init", plain data that adopts orphans and reaps them at once; pid 2 "kthreadd", the parent of
 * kernel threads; pid 3 the flusher, which writes dirty pages back (Linux: the kworker of wb_workfn); pid 4 ksmd, which merges
 * equal pages.
 */
export function bootKernelTasks(k: Kernel): void {
  const init = kernelTask(k, 'init', null);
  k.init = init.process;
  const kthreadd = kernelTask(k, 'kthreadd', null);
  kthreadd.process.pgrp = 0;
  kthreadd.process.session = 0;
  const flusher = kernelTask(k, 'kworker/u4:0', kthreadd);
  flusher.process.pgrp = 0;
  flusher.process.session = 0;
  k.flusherTid = flusher.tid;
  const ksmd = kernelTask(k, 'ksmd', kthreadd);
  ksmd.process.pgrp = 0;
  ksmd.process.session = 0;
  ksmd.nice = KSMD_NICE;
  k.ksmdTid = ksmd.tid;
}

function kernelTask(k: Kernel, comm: string, parent: Task | null): Task {
  const task = newTask(k, {
    kind: 'kthread',
    comm,
    cred: null,
    process: null,
    parent: parent?.process ?? null,
    sighand: null,
    sighandFrom: null,
  });
  if (typeof task === 'number') return panic('kernel/init.ts: memory for the kernel tasks at boot');
  task.state = 'S';
  return task;
}
