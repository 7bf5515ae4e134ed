/* uname.c - the names of the system, for uname(2) and /proc. */
#include "kern/lib/uname.h"

struct utsname uts = {
	.sysname = "Linux", /* scripts look at it */
	.nodename = "quire",
	.release = "6.1.0-quire",
	.version = "Quire 1",
	.machine = "i686",
	.domainname = "(none)",
};
