/** The extensions in Linux's order (riscv_isa_ext): single letters joined, longer names each behind an underscore. */
const ISA = 'rv64imafdc_zicsr_zifencei_zfh_zba_zbb_zbc_zbs';

/** /proc/cpuinfo of a machine with one hart (c_show, arch/riscv/kernel/cpu.c, 6.18): JEDEC numbers 0, no vendor. */
export function cpuinfo(mmu: string): string {
  return (
    `processor\t: 0\nhart\t\t: 0\nisa\t\t: ${ISA}\nmmu\t\t: ${mmu}\n` +
    `mvendorid\t: 0x0\nmarchid\t\t: 0x0\nmimpid\t\t: 0x0\nhart isa\t: ${ISA}\n\n`
  );
}
