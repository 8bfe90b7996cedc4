/** Numbers of <elf.h> that loading needs (include/uapi/linux/elf.h). */
export const EI_CLASS = 4;
export const EI_DATA = 5;
export const ELFCLASS32 = 1;
export const ELFCLASS64 = 2;
export const ELFDATA2LSB = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;
export const ET_CORE = 4;
export const EM_386 = 3;
export const EM_RISCV = 243;
export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_NOTE = 4;
export const PT_PHDR = 6;
export const PT_TLS = 7;
export const PT_GNU_STACK = 0x6474e551;
export const PT_GNU_PROPERTY = 0x6474e553;
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;
/** ELF_MIN_ALIGN pages apart; e_phentsize must be this. */
export const ELF64_PHDR_BYTES = 56;
export const ELF32_PHDR_BYTES = 32;
export const ELF64_EHDR_BYTES = 64;
export const ELF32_EHDR_BYTES = 52;
