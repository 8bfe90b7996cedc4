import { ENXIO } from '../abi/errno.ts';
import type { File } from './file.ts';
import type { PathRef } from './path.ts';

/** A driver: what opening its device node gives. */
export interface DeviceDriver {
  /** DT is a character device's; `path` is the node that was opened. */
  open(path: PathRef, flags: number): File | number;
}

/** Character devices by device number (Linux: cdev_map). */
export class DeviceTable {
  private readonly drivers = new Map<number, DeviceDriver>();

  /** `rdev` as makeDev builds it. */
  register(rdev: number, driver: DeviceDriver): void {
    this.drivers.set(rdev, driver);
  }

  /** chrdev_open: -ENXIO where no driver has that number. */
  open(path: PathRef, flags: number): File | number {
    const driver = this.drivers.get(path.inode.rdev);
    return driver === undefined ? -ENXIO : driver.open(path, flags);
  }
}
