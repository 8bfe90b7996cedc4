import type { Kernel } from './kernel.ts';

/** What uname(2) and /proc/sys/kernel show (Linux: struct new_utsname). The behaviour is that of the named release. */
export interface SystemName {
  readonly sysname: string;
  nodename: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  domainname: string;
}

export const LINUX_RELEASE = '6.18.0-faultline';
export const LINUX_VERSION = '#1 SMP PREEMPT_DYNAMIC Thu Jan  1 00:00:00 UTC 2026';

/** The one of the machine; made at the first question. */
export function systemName(k: Kernel): SystemName {
  k.systemName ??= {
    sysname: 'Linux',
    nodename: 'faultline',
    release: LINUX_RELEASE,
    version: LINUX_VERSION,
    machine: k.arch.machine,
    domainname: '(none)',
  };
  return k.systemName;
}
