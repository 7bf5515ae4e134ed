/* uname.h - the names of the system, for uname(2) and /proc. */
#ifndef KERN_LIB_UNAME_H
#define KERN_LIB_UNAME_H

struct utsname { /* layout of uname(2) */
	char sysname[65], nodename[65], release[65];
	char version[65], machine[65], domainname[65];
};

extern struct utsname uts; /* root may change nodename and domainname, which no lock
                            * guards: a reader may see parts of both names */

#endif
