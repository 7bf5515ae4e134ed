/* init.h - the first process, from whose program all others come. */
#ifndef KERN_INIT_H
#define KERN_INIT_H

/* Make the first process: it fills the root, opens the console
 * and runs init. */
void userinit(void);

/* The end of init is the end of the machine. */
void initexit(int status) __attribute__((noreturn));

#endif
