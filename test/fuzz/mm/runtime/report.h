/* What a step prints: places, sizes, and the mappings of the places with their counters. Part of runtime.h. */
#ifndef FUZZ_REPORT_H
#define FUZZ_REPORT_H

/* ---- output: gathered, then written at once ---- */
static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *format, ...) {
  va_list list;
  va_start(list, format);
  out_length += vsnprintf(out + out_length, sizeof out - (size_t)out_length - 1, format, list);
  va_end(list);
  if (out_length > (int)sizeof out - 2) out_length = sizeof out - 2;
}
static void flush_out(void) {
  for (int done = 0; done < out_length;) {
    long n = write(1, out + done, (size_t)(out_length - done));
    if (n <= 0) _exit(97);
    done += (int)n;
  }
  out_length = 0;
}

static int is_inside(unsigned long address, long from, long to) { return (long)address >= from && (long)address <= to; }
static int is_in_a_place(unsigned long address) {
  return is_inside(address, A_BASE - A_BELOW * PG, A_BASE + A_PAGES * PG) || is_inside(address, t_base, t_base + T_PAGES * PG) ||
         is_inside(address, h_base - PG, h_base + H_PAGES * PG);
}
/* An address as place and page, with bytes where it is inside a page. */
static const char *place(unsigned long address) {
  static char texts[4][32];
  static int turn;
  char *to = texts[turn++ & 3];
  long a = (long)address;
  long base;
  char name;
  if (is_inside(address, A_BASE - A_BELOW * PG, A_BASE + A_PAGES * PG)) { name = 'A'; base = A_BASE; }
  else if (is_inside(address, t_base, t_base + T_PAGES * PG)) { name = 'T'; base = t_base; }
  else if (is_inside(address, h_base - PG, h_base + H_PAGES * PG)) { name = 'H'; base = h_base; }
  else return "far";
  long page = (a - base) >> 12, rest = (a - base) & 4095;
  if (rest) snprintf(to, 32, "%c%ld+%ld", name, page, rest);
  else snprintf(to, 32, "%c%ld", name, page);
  return to;
}

/* ---- what is to be seen of the address space ---- */
static char status_text[8192];
static long read_into(const char *path, char *to, long size) {
  int file = open(path, O_RDONLY);
  long n = 0, got;
  if (file < 0) _exit(96);
  while (n < size - 1 && (got = read(file, to + n, (size_t)(size - 1 - n))) > 0) n += got;
  close(file);
  to[n] = 0;
  return n;
}
static long read_text(const char *path) { return read_into(path, text, sizeof text); }
static void read_status(void) { read_into("/proc/self/status", status_text, sizeof status_text); }
static long status_kib(const char *name) {
  char *at = strstr(status_text, name);
  return at ? atol(at + strlen(name)) : -1;
}
/* A line of smaps is the first of a mapping, a counter, or VmFlags; read without sscanf, because most of a walk's time is here. */
static int is_range_line(const char *line) { return *line >= 'a' || (*line >= '0' && *line <= '9'); }
struct range_line {
  unsigned long from, to;
  const char *rights, *offset, *name;
  int inside;
};
static struct range_line read_range_line(char *line) {
  struct range_line range;
  char *at;
  range.from = strtoul(line, &at, 16);
  range.to = strtoul(at + 1, &at, 16);
  range.rights = at + 1;
  range.offset = at + 6;
  range.name = strrchr(line, '/');
  range.name = range.name ? range.name + 1 : strchr(line, '[');
  range.inside = is_in_a_place(range.from) && is_in_a_place(range.to);
  return range;
}
static void put_range(const struct range_line *range) {
  unsigned long offset = strtoul(range->offset, NULL, 16);
  put(" %s-%s %.4s @", place(range->from), place(range->to), range->rights);
  /* Of private /dev/zero that the kernel placed it is where it was first. */
  if (*place(offset) == 'T') put("%s", place(offset));
  else put("%lx", offset);
  put("%s%s", range->name ? " " : "", range->name ? range->name : "");
}
/* Counters are 28 bytes, the number right-aligned: so those that are 0, and those of the program itself, are passed in a few steps. */
static int is_counter(const char *line) { return line[27] == '\n' && line[24] == ' ' && line[0] != 'V'; }
static int is_zero_counter(const char *line) { return line[23] == '0' && line[22] == ' '; }
static void put_counter(char *line) {
  char *colon = strchr(line, ':');
  *colon = 0;
  if (strcmp(line, "VmFlags") == 0) { put(" [%s]", colon + 2); return; }
  long value = atol(colon + 1);
  if (value != 0 && strcmp(line, "Size") != 0 && !(strstr(line, "PageSize") && value == 4)) put(" %s=%ld", line, value);
}
/* What is locked of the program itself (mlockall) is left out of VmLck: programs differ in size. Takes smaps in `text`. */
static void observe_sizes(void) {
  struct range_line range = {0};
  long locked_outside = 0;
  for (char *line = text, *end; *line; line = end + 1) {
    while (is_counter(line)) line += 28;
    end = strchr(line, '\n');
    if (!end) break;
    *end = 0;
    if (is_range_line(line)) range = read_range_line(line);
    else if (!range.inside && line[0] == 'V' && strstr(line, " lo ")) locked_outside += (long)(range.to - range.from) / 1024;
    *end = '\n';
  }
  read_status();
  put(" size=%ld data=%ld stk=%ld lck=%ld\n", status_kib("VmSize:") - base_size, status_kib("VmData:") - base_data,
      status_kib("VmStk:") - base_stk, status_kib("VmLck:") - locked_outside);
}
/* Left out of smaps: Size is the range's, KernelPageSize and MMUPageSize are 4 kB where nothing else is said. */
static void observe(void) {
  read_text("/proc/self/smaps");
  observe_sizes();
  int inside = 0;
  for (char *line = text, *end; *line; line = end + 1) {
    while (is_counter(line) && (!inside || is_zero_counter(line))) line += 28;
    end = strchr(line, '\n');
    if (!end) break;
    *end = 0;
    if (is_range_line(line)) {
      struct range_line range = read_range_line(line);
      if (inside) put("\n");
      inside = range.inside;
      if (inside) put_range(&range);
    } else if (inside) put_counter(line);
  }
  if (inside) put("\n");
}
#endif
