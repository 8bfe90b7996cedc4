import { panic } from '../base/assert.ts';
import { KernelMemcgKiller } from './cgroup/memcg-oom.ts';
import type { Kernel } from './kernel.ts';
import { KSMD_NICE } from './ksmd.ts';
import { newTask } from './new-task.ts';
import { KernelOomKiller } from './oom.ts';
import type { Task } from './task.ts';

/**
 * The kernel's own tasks: pid 1 "init", plain data that adopts orphans and reaps them at once; pid 2 "kthreadd", the parent of
  k.flusherTid = kernelThread(k, 'kworker/u4:0', kthreadd).tid;
  const ksmd = kernelThread(k, 'ksmd', kthreadd);
  ksmd.nice = KSMD_NICE;
  k.ksmdTid = ksmd.tid;
  k.kswapd.tid = kernelThread(k, 'kswapd0', kthreadd).tid;
  k.mm.alloc.setKswapd(k.kswapd);
}

function kernelThread(k: Kernel, comm: string, kthreadd: Task): Task {
  const thread = kernelTask(k, comm, kthreadd);
  thread.process.pgrp = 0;
  thread.process.session = 0;
  return thread;
 */
export function bootKernelTasks(k: Kernel): void {
  const init = kernelTask(k, 'init', null);
  k.init = init.process;
  const kthreadd = kernelTask(k, 'kthreadd', null);
  kthreadd.process.pgrp = 0;
  kthreadd.process.session = 0;
  k.flusherTid = kernelThread(k, 'kworker/u4:0', kthreadd).tid;
  const ksmd = kernelThread(k, 'ksmd', kthreadd);
  ksmd.nice = KSMD_NICE;
  k.ksmdTid = ksmd.tid;
  k.kswapd.tid = kernelThread(k, 'kswapd0', kthreadd).tid;
  k.mm.alloc.setKswapd(k.kswapd);
  k.mm.oomKiller = new KernelOomKiller(k);
  k.mm.memcgs.killer = new KernelMemcgKiller(k);
}

function kernelThread(k: Kernel, comm: string, kthreadd: Task): Task {
  const thread = kernelTask(k, comm, kthreadd);
  thread.process.pgrp = 0;
  thread.process.session = 0;
  return thread;
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
