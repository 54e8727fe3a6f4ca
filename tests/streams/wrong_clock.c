/* The wall clock of a process jumps: preloaded, it stands before the C library, whoever asks.

   WRONG_CLOCK_AFTER_S and WRONG_CLOCK_JUMP_S: so long after its start, so far, ahead or back. The monotonic clock stays
   right. The kernel's is not moved, so whoever waits until a moment of the wall clock is told the kernel's for it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static double jumps_at_s, jump_s;
static int (*wait_posix)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
static int (*wait_c11)(cnd_t *, mtx_t *, const struct timespec *);

static double monotonic_s(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static time_t ahead_s(void) { return monotonic_s() >= jumps_at_s ? (time_t)jump_s : 0; }

__attribute__((constructor)) static void begin(void) {
    const char *after = getenv("WRONG_CLOCK_AFTER_S"), *jump = getenv("WRONG_CLOCK_JUMP_S");
    jumps_at_s = monotonic_s() + (after ? atof(after) : 0);
    jump_s = jump ? atof(jump) : 0;
    /* Where there is an older form of it, dlsym may give that one. */
    wait_posix = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!wait_posix)
        wait_posix = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    wait_c11 = dlsym(RTLD_NEXT, "cnd_timedwait");
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (syscall(SYS_clock_gettime, clock, now) != 0)
        return -1;
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        now->tv_sec += ahead_s();
    return 0;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec found;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &found) != 0)
        return -1;
    now->tv_sec = found.tv_sec;
    now->tv_usec = found.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec found;
    if (clock_gettime(CLOCK_REALTIME, &found) != 0)
        return -1;
    if (now)
        *now = found.tv_sec;
    return found.tv_sec;
}

int timespec_get(struct timespec *now, int base) {
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

/* A moment of the monotonic clock counts from the start of the machine: no such time is as large as one of the wall. */
static struct timespec of_the_kernel(const struct timespec *until) {
    struct timespec found = *until;
    if (found.tv_sec > 1000000000)
        found.tv_sec -= ahead_s();
    return found;
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
    struct timespec kernels = of_the_kernel(until);
    return wait_posix(condition, mutex, &kernels);
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
    struct timespec kernels = of_the_kernel(until);
    return wait_c11(condition, mutex, &kernels);
}
