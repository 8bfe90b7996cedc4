/* Contents and frames of the pages. Part of runtime.h. */
#ifndef FUZZ_PAGES_H
#define FUZZ_PAGES_H

/* ---- contents ---- */
static void hash_words(unsigned long *hash, unsigned long address) {
  const volatile unsigned long *words = (const volatile unsigned long *)address;
  for (long i = 0; i < PG / 8; i++) *hash = (*hash ^ words[i]) * 1099511628211UL;
}
/* Every page of the places that may be read ('a'), or that is in the page tables already ('p'): how many, how many SIGBUS, hash. */
static void hash_all(char which) {
  static unsigned long ranges[512][2];
  int count = 0;
  read_text("/proc/self/maps");
  for (char *line = text, *end; (end = strchr(line, '\n')) && count < 512; line = end + 1) {
    unsigned long from, to;
    char perms[8];
    if (sscanf(line, "%lx-%lx %7s", &from, &to, perms) != 3 || perms[0] != 'r') continue;
    if (strcmp(place(from), "far") == 0 || strcmp(place(to), "far") == 0) continue;
    ranges[count][0] = from;
    ranges[count++][1] = to;
  }
  int pagemap = open("/proc/self/pagemap", O_RDONLY);
  static volatile long pages, buses;
  static unsigned long hash;
  pages = buses = 0;
  hash = 14695981039346656037UL;
  for (volatile int i = 0; i < count; i++)
    for (volatile unsigned long at = ranges[i][0]; at < ranges[i][1]; at += PG) {
      unsigned long entry = 0;
      if (which == 'p' && (pread(pagemap, &entry, 8, (long)(at / PG * 8)) != 8 || !(entry >> 63))) continue;
      if (sigsetjmp(fault_env, 1) == 0) {
        for (const char *c = place(at); *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211UL;
        hash_words(&hash, at);
        pages++;
      } else {
        buses++;
      }
    }
  close(pagemap);
  put(" pages=%ld bus=%ld %lx", pages, buses, hash);
}
static void hash_file(int file) {
  unsigned long hash = 14695981039346656037UL;
  struct stat about;
  fstat(file, &about);
  long at = 0, got;
  while ((got = pread(file, io_buffer, sizeof io_buffer, at)) > 0) {
    for (long i = 0; i < got; i++) hash = (hash ^ (unsigned char)io_buffer[i]) * 1099511628211UL;
    at += got;
  }
  put(" size=%ld blocks=%ld read=%ld %lx", (long)about.st_size, (long)about.st_blocks, got < 0 ? -(long)errno : at, hash);
}

/* ---- frames: how often each page's is mapped, and its flags (the LRU's among them); the zero page is the machine's ---- */
#define PAGE_FLAGS (1UL << 2 | 1UL << 3 | 1UL << 4 | 1UL << 5 | 1UL << 6 | 1UL << 11 | 1UL << 12 | 1UL << 14 | 1UL << 18 | 1UL << 33)
static void call_frames(long address, long pages) {
  int pagemap = open("/proc/self/pagemap", O_RDONLY), counts = open("/proc/kpagecount", O_RDONLY), flags = open("/proc/kpageflags", O_RDONLY);
  put(" ");
  for (long i = 0; i < pages; i++) {
    unsigned long entry, count, flag;
    if (pread(pagemap, &entry, 8, (address / PG + i) * 8) != 8 || !(entry >> 63)) { put("."); continue; }
    long at = (long)(entry & ((1UL << 55) - 1)) * 8;
    if (pread(counts, &count, 8, at) != 8 || pread(flags, &flag, 8, at) != 8) { put("?"); continue; }
    if (flag >> 24 & 1) put("z,");
    else put("%ld:%lx,", (long)count, flag & PAGE_FLAGS);
  }
  close(pagemap);
  close(counts);
  close(flags);
}
#endif
