import type { Kernel } from './kernel.ts';
import { currentUts } from './uts-namespace.ts';

/** What uname(2) and /proc/sys/kernel show (Linux: struct new_utsname). The behaviour is that of the named release. */
export interface SystemName {
  readonly sysname: string;
  readonly nodename: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  readonly domainname: string;
}

const LINUX_RELEASE = '6.18.0-faultline';
const LINUX_VERSION = '#1 SMP PREEMPT_DYNAMIC Thu Jan  1 00:00:00 UTC 2026';

/** As the caller sees it. */
export function systemName(k: Kernel): SystemName {
  const { nodename, domainname } = currentUts(k);
  return {
    sysname: 'Linux',
    nodename,
    release: LINUX_RELEASE,
    version: LINUX_VERSION,
    machine: k.arch.machine,
    domainname,
  };
}
