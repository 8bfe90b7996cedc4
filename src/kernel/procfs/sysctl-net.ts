import { EINVAL } from '../../abi/errno.ts';
import type { Kernel } from '../kernel.ts';
import { currentNet } from '../net-namespace.ts';
import type { SysctlRow } from './sysctl-table.ts';
import { parseInteger } from './write-text.ts';

const INT_MAX = 0x7fff_ffff;

function tag(which: 'all' | 'default' | 'lo'): SysctlRow {
  return {
    path: `net/ipv4/conf/${which}/tag`,
    kind: 'number',
    read: (k: Kernel) => {
      const { tags } = currentNet(k);
      return tags[which] ?? tags.default;
    },
    write: (k: Kernel, text: string) => {
      const value = parseInteger(text);
      if (value === null || value > INT_MAX || value < -INT_MAX - 1) return -EINVAL;
      currentNet(k).tags[which] = value;
      return 0;
    },
  };
}

/** /proc/sys/net (6.18, net/ipv4/devinet.c), of the caller's namespace. */
export const NET_SYSCTLS: readonly SysctlRow[] = [tag('all'), tag('default'), tag('lo')];
