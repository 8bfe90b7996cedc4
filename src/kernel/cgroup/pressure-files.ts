import { EBUSY, EINVAL, ENODEV, ERANGE } from '../../abi/errno.ts';
import { POLLERR, POLLPRI } from '../../abi/poll.ts';
import { Credentials } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import { currentTask } from '../procfs/current-task.ts';
import { PSI_RESOURCES, type PsiResource } from '../psi/psi-group.ts';
import type { PsiTrigger, TriggerWatcher } from '../psi/psi-trigger.ts';
import { createTrigger, destroyTrigger, destroyTriggersOf } from '../psi/psi-watch.ts';
import type { Cgroup } from './cgroup.ts';
import { type CgroupFileRow, type ChangingFile, type OpenCgroupFile, parseInteger } from './file-row.ts';

/**
 * An open io.pressure, memory.pressure or cpu.pressure (6.18, kernel/cgroup/cgroup.c pressure_write): one trigger each. It is dead once
 * cgroup.pressure was off, as kernfs lets go of what is open then.
 */
export class OpenPressureFile implements OpenCgroupFile, TriggerWatcher {
  private readonly k: Kernel;
  private readonly cgroup: Cgroup;
  private readonly resource: PsiResource;
  private readonly file: ChangingFile;
  private readonly opener: Credentials;
  private readonly timesHidden: number;
  private trigger: PsiTrigger | null = null;

  constructor(k: Kernel, cgroup: Cgroup, resource: PsiResource, file: ChangingFile) {
    this.k = k;
    this.cgroup = cgroup;
    this.resource = resource;
    this.file = file;
    this.opener = (currentTask(k)?.cred ?? new Credentials(k.initialUser)).clone();
    this.timesHidden = cgroup.psi.timesDisabled;
  }

  private get isDead(): boolean {
    return this.timesHidden !== this.cgroup.psi.timesDisabled;
  }

  read(): string | number {
    return this.isDead ? -ENODEV : showPressure(this.k, this.cgroup, this.resource);
  }

  write(text: string): number {
    const { k, cgroup, resource, opener } = this;
    if (this.isDead) return -ENODEV;
    if (this.trigger !== null) return -EBUSY;
    const trigger = createTrigger(k, cgroup.psi, resource, text, opener, this);
    if (typeof trigger === 'number') return trigger;
    this.trigger = trigger;
    return 0;
  }

  poll(): number {
    if (this.isDead || this.trigger === null) return POLLERR | POLLPRI;
    return this.trigger.takeEvent() ? POLLPRI : 0;
  }

  release(): void {
    if (this.trigger !== null) destroyTrigger(this.trigger);
    this.trigger = null;
  }

  triggerFired(): void {
    this.file.changed();
  }
}

function showPressure(k: Kernel, cgroup: Cgroup, resource: PsiResource): string {
  return cgroup.psi.show(resource, cgroup.isRoot ? 'machine' : 'cgroup', k.clock.nowNs);
}

/** The three files; the root's are the machine's. There are none while cgroup.pressure is 0. */
export const PRESSURE_FILES: readonly CgroupFileRow[] = PSI_RESOURCES.map((resource) => ({
  name: `${resource}.pressure`,
  where: 'everywhere',
  mode: 0o644,
  isHidden: ({ psi }) => !psi.isEnabled,
  open: (k, cgroup, file) => new OpenPressureFile(k, cgroup, resource, file),
}));

/** cgroup_pressure_show, cgroup_pressure_write. */
export const PRESSURE_SWITCH: CgroupFileRow = {
  name: 'cgroup.pressure',
  where: 'everywhere',
  mode: 0o644,
  read: (_k, { psi }) => `${psi.isEnabled ? 1 : 0}\n`,
  write: (k, { psi }, text) => {
    const value = parseInteger(text);
    if (value === null) return -EINVAL;
    if (value < 0 || value > 1) return -ERANGE;
    if (psi.isEnabled === (value === 1)) return 0;
    psi.setEnabled(value === 1 ? 'on' : 'off', k.clock.nowNs);
    if (value === 0) destroyTriggersOf(k, psi);
    return 0;
  },
};
