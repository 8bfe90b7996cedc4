import type { File } from '../fs/file.ts';
import type { JobControl } from '../fs/fs-core.ts';
import { TtyFile } from '../fs/tty-file.ts';
import type { Kernel } from './kernel.ts';
import { isOrphanedGroup } from './notify-parent.ts';
import { findGroup } from './pid.ts';
import { sendKernelSignalToGroup } from './signals/send.ts';
import type { Task } from './task.ts';

/** What the terminal asks the kernel. */
export class KernelJobControl implements JobControl {
  private readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  sessionOfGroup(pgrp: number): number {
    return findGroup(this.kernel, pgrp)?.session ?? 0;
  }

  isOrphaned(pgrp: number): boolean {
    return isOrphanedGroup(this.kernel, pgrp);
  }
}

/** A session leader's terminal on its standard input is its controlling one; the terminal itself knows (TtyFile). */
export function adoptTerminal(_k: Kernel, t: Task, file: File): void {
  if (file instanceof TtyFile && file.tty.session === t.process.session) t.process.tty = file.tty;
}

/** Sends what the terminal's keys asked for (VINTR, VQUIT, VSUSP, window size). */
export function sendTerminalSignals(k: Kernel): void {
  const tty = k.vfs.core.console;
  if (tty === null || tty.pendingSignals.length === 0) return;
  for (const { pgrp, signal } of tty.pendingSignals.splice(0)) sendKernelSignalToGroup(k, pgrp, signal);
}
