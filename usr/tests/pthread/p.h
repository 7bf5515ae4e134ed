/*
 * p.h - what the pthread programs share.
 *
 * Each topic is a function that says what it found: counts and errors, never an
 * order that could vary, so that two runs on two kernels print the same.
 */
#ifndef P_H
#define P_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void mutexes(void);
void conditions(void);
void barriers(void);
void rwlocks(void);
void semaphores(void);
void cancellation(void);
void tlsdata(void);
void threads(void);
void endings(void);
void mainfirst(void); /* endings, in a process of its own */
void forks(void);
void robust(void);
void pshared(void);
void signals(void);

extern char *program; /* argv[0] */

/* One line of output: "topic: text". */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

const char *err(int e); /* "EBUSY"; "0" */

/* Start a thread, or end the topic. */
pthread_t start(void *(*fn)(void *), void *arg);
void *join(pthread_t t);

/* Run fn in so many threads, each with its number; wait for all of them. */
void crowd(int n, void *(*fn)(void *));

/* Run fn in a child process: its wait status. */
int process(void (*fn)(void));

void *sharedmem(size_t n); /* zero, and the same after fork */

long long nowms(void);
/* ms from now by this clock. */
struct timespec *after(struct timespec *t, clockid_t clock, int ms);
void nap(int ms);

#define NUM(a) ((int)(sizeof(a) / sizeof(a)[0]))
#define N_(arg) ((int)(intptr_t)(arg))

#endif
