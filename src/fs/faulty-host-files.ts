import { EIO } from '../abi/errno.ts';
import type { Timespec } from '../base/timespec.ts';
import type { HostFiles, HostStat } from '../machine/environment.ts';
import type { FaultInjector } from '../mm/phys/inject.ts';

/** Files of the host whose reads and writes fail where the injector says so, with -EIO and nothing moved. */
export class FaultyHostFiles implements HostFiles {
  private readonly host: HostFiles;
  private readonly injector: FaultInjector;

  constructor(host: HostFiles, injector: FaultInjector) {
    this.host = host;
    this.injector = injector;
  }

  read(path: string, position: number, into: Uint8Array): number {
    return this.injector.failsRead() ? -EIO : this.host.read(path, position, into);
  }
  write(path: string, position: number, from: Uint8Array): number {
    return this.injector.failsWrite() ? -EIO : this.host.write(path, position, from);
  }

  stat(path: string): HostStat | number {
    return this.host.stat(path);
  }
  readdir(path: string): string[] | number {
    return this.host.readdir(path);
  }
  readlink(path: string): string | number {
    return this.host.readlink(path);
  }
  truncate(path: string, size: number): number {
    return this.host.truncate(path, size);
  }
  create(path: string, mode: number): number {
    return this.host.create(path, mode);
  }
  mkdir(path: string, mode: number): number {
    return this.host.mkdir(path, mode);
  }
  symlink(target: string, path: string): number {
    return this.host.symlink(target, path);
  }
  link(existing: string, path: string): number {
    return this.host.link(existing, path);
  }
  unlink(path: string): number {
    return this.host.unlink(path);
  }
  rmdir(path: string): number {
    return this.host.rmdir(path);
  }
  rename(from: string, to: string): number {
    return this.host.rename(from, to);
  }
  chmod(path: string, mode: number): number {
    return this.host.chmod(path, mode);
  }
  utimes(path: string, atime: Timespec, mtime: Timespec): number {
    return this.host.utimes(path, atime, mtime);
  }
  fsync(path: string): number {
    return this.host.fsync(path);
  }
}
