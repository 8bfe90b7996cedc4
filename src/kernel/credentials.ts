/** struct cred: kept as data; the machine's processes start as root and may change. Copied at fork, shared by nobody. */
export class Credentials {
  uid = 0;
  euid = 0;
  suid = 0;
  fsuid = 0;
  gid = 0;
  egid = 0;
  sgid = 0;
  fsgid = 0;
  groups: number[] = [0];
  /** Capability sets as two words, low first; a full set is all of CAP_LAST_CAP (40). */
  capInheritable = [0, 0];
  capPermitted = [0xffff_ffff, 0x1ff];
  capEffective = [0xffff_ffff, 0x1ff];
  capBounding = [0xffff_ffff, 0x1ff];
  capAmbient = [0, 0];

  clone(): Credentials {
    const copy = Object.assign(new Credentials(), this);
    copy.groups = [...this.groups];
    copy.capInheritable = [...this.capInheritable];
    copy.capPermitted = [...this.capPermitted];
    copy.capEffective = [...this.capEffective];
    copy.capBounding = [...this.capBounding];
    copy.capAmbient = [...this.capAmbient];
    return copy;
  }
}
