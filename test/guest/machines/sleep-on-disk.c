/* A major fault puts its process to sleep in state D; others run, and a second one that wants the page waits for the same request. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static long find(const char *path, const char *key) {
    static char text[65536];
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n < 0) return -1;
    text[n] = 0;
    char *at = strstr(text, key);
    return at ? atol(at + strlen(key)) : -1;
}

static char state_of(pid_t pid, long *blkio) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    char *at = strrchr(text, ')');
    char state = at ? at[2] : '?';
    int field = 3;
    for (at += 2; field < 42 && *at; at++)
        if (*at == ' ') field++;
    *blkio = atol(at);
    return state;
}

/* Touches one byte of the file; exits with the major faults that it took. */
static pid_t toucher(volatile const char *map, long at) {
    pid_t pid = fork();
    if (pid == 0) {
        struct rusage before, after;
        getrusage(RUSAGE_SELF, &before);
        char c = map[at];
        getrusage(RUSAGE_SELF, &after);
        _exit(c != 'x' ? 99 : (int)(after.ru_majflt - before.ru_majflt));
    }
    return pid;
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    int fd = open(argv[1], O_RDONLY);
    if (fd < 0) return perror(argv[1]), 1;
    const long middle = 512 * 4096;
    const char *map = mmap(NULL, 1024 * 4096, PROT_READ, MAP_SHARED, fd, 0);
    long before = find("/proc/vmstat", "pgpgin ");
    uint64_t start = now_us();
    pid_t one = toucher(map, middle), two = toucher(map, middle + 5 * 4096);
    int saw_one = 0, saw_two = 0, blocked = 0;
    long blkio = 0, spins = 0, status;
    int done = 0;
    while (done < 2) {
        spins++;
        saw_one |= state_of(one, &blkio) == 'D';
        saw_two |= state_of(two, &blkio) == 'D';
        long now = find("/proc/stat", "procs_blocked ");
        if (now > blocked) blocked = now;
        int code;
        usleep(100);
        while (waitpid(-1, &code, WNOHANG) > 0) {
            status = WEXITSTATUS(code);
            printf("major faults of a child: %ld\n", status);
            done++;
        }
    }
    printf("asleep in D: %d %d, blocked at a time: %d\n", saw_one, saw_two, blocked);
    printf("the parent ran meanwhile: %d\n", spins > 5);
    printf("read once: %d\n", find("/proc/vmstat", "pgpgin ") - before <= 64 * 4);
    printf("at least a seek: %d\n", now_us() - start > 4000);
    printf("stalled for io: %d, for memory: %d\n", find("/proc/pressure/io", "total=") > 4000,
           find("/proc/pressure/memory", "total=") > 0);
    /* read(2) sleeps as well: a child reads a cold part. */
    pid_t reader = fork();
    if (reader == 0) {
        char buffer[4096];
        ssize_t n = pread(fd, buffer, sizeof buffer, 900 * 4096);
        long ticks;
        state_of(getpid(), &ticks);
        _exit(n == 4096 && buffer[0] == 'x' && ticks >= 0 ? 7 : 1);
    }
    int saw = 0, code;
    while (waitpid(reader, &code, WNOHANG) == 0) {
        saw |= state_of(reader, &blkio) == 'D';
        usleep(100);
    }
    printf("read: status %d, asleep in D: %d\n", WEXITSTATUS(code), saw);
    return 0;
}
