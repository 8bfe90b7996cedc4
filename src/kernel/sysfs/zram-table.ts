import { EBUSY, EINVAL } from '../../abi/errno.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { ZramStore } from '../../mm/swap/zram/zram-store.ts';
import type { Kernel } from '../kernel.ts';
import type { SysfsRow } from './sysfs-table.ts';

const columns = (values: readonly number[]): string => values.map((value) => String(value).padStart(8)).join(' ');

/** zram_disk_attrs of one device (drivers/block/zram/zram_drv.c, 6.18): it is set up already, so size and algorithm are fixed. */
function deviceRows(name: string, store: ZramStore): SysfsRow[] {
  const { stats, pool } = store;
  const at = `block/${name}`;
  return [
    {
      path: `${at}/comp_algorithm`,
      read: () => '[lz4] ',
      write: (_k, text) => (text.trim() === 'lz4' ? -EBUSY : -EINVAL),
    },
    {
      path: `${at}/disksize`,
      read: () => store.sizeBytes,
      write: (_k, text) => (/^(0x0*[1-9a-f]|0*[1-9])/i.test(text) ? -EBUSY : -EINVAL),
    },
    { path: `${at}/initstate`, read: () => 1, write: null },
    {
      path: `${at}/io_stat`,
      read: () => columns([stats.failedReads, stats.failedWrites, 0, stats.notifyFree]),
      write: null,
    },
    {
      // orig_data_size compr_data_size mem_used_total mem_limit mem_used_max same_pages pages_compacted huge_pages huge_pages_since
      path: `${at}/mm_stat`,
      read: () =>
        columns([
          stats.pagesStored * PAGE_SIZE,
          stats.comprDataBytes,
          pool.frameCount * PAGE_SIZE,
          0,
          stats.maxUsedPages * PAGE_SIZE,
          stats.samePages,
          0,
          stats.hugePages,
          stats.hugePagesSince,
        ]),
      write: null,
    },
  ];
}

/** /sys/block/zramN of the devices of compressed pages, in the order in which they came; none goes. */
export function zramRows(k: Kernel): SysfsRow[] {
  return [...k.swapFiles.devices.values()].flatMap((store, number) =>
    store instanceof ZramStore ? deviceRows(`zram${number}`, store) : [],
  );
}
