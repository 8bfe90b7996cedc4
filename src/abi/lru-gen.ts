// Bits of /sys/kernel/mm/lru_gen/enabled (6.18: include/linux/mmzone.h, Documentation/admin-guide/mm/multigen_lru.rst).

export const LRU_GEN_CORE = 1;
export const LRU_GEN_MM_WALK = 2;
export const LRU_GEN_NONLEAF_YOUNG = 4;
