/*
 * race.h - two sides that do something to the same pages at the same time.
 *
 * Each race is run 10,000 times; RACES=n in the environment is another number,
 * SEED=n makes other delays.  Both sides of a round begin together, each with
 * a random delay of its own, which is how different seeds interleave them
 * differently even where the machine is deterministic.
 *
 * One wrong value ends the test: it is not by chance that a race is won.
 */
#ifndef RACE_H
#define RACE_H

#include "t.h"

#include <pthread.h>
#include <sched.h>

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define OLD  0x01dc0de0u /* what was in a page before the race */

typedef volatile unsigned word;

/* Two that wait for each other; may lie in shared memory. */
struct meeting {
	volatile int here, round;
};

/* One kind of round: what both sides do, and what is done between rounds. */
struct race {
	void (*prepare)(int i);
	void (*one)(int i); /* in the thread that prepares and looks */
	void (*two)(int i); /* in the other */
	void (*look)(int i);
};

extern int rounds;
extern volatile int over; /* the round in which one() has done its work */
extern word *p;           /* what is raced for */
extern __thread unsigned state; /* of dice() */
extern __thread siginfo_t why;  /* of the last access that failed */

void begin(void); /* first of all in each test; `over` is -1 then */
void race(const struct race *);
void nothing(int i);
void newpage(int i); /* two new pages at p */

/* Store v at p, or load it from there: 0 if that is a SIGSEGV (or SIGBUS, if
 * the test has onsegv() handle it).  Any other SIGSEGV ends the test. */
int store(word *at, unsigned v);
int load(word *at, unsigned *v);
void onsegv(int sig, siginfo_t *, void *);

void meet(struct meeting *);
void rest(int *n); /* for who waits in a loop; *n begins with 0 */
void turn(void);   /* for who does something in a loop until another side is
                    * done: where CPUs take turns (-icount), that is its turn */
int isover(int i); /* over == i?  With a turn() */
void jitter(void); /* a random delay */
unsigned dice(void);
pthread_t thread(void *(*fn)(void *), void *arg);
void join(pthread_t);
word *place(int pages);       /* for mappings: no access on either side */
word *sharedpages(int pages); /* which children will share */

#endif
