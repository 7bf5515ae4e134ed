/* procnet.c - /proc/net: sockets there are; no network. */
#include "kern/fs/proc/procfs.h"
#include "kern/socket/socket.h"

/* The Unix sockets. */
static int
showunix(struct text *t, int pid)
{
	(void)pid;
	unixshow(t);
	return 0;
}

/* A table with a heading and no line. */
static int
showheading(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%s\n", (const char *)t->ent->arg);
	return 0;
}

#define HEADING(n, s) {.name = n, .mode = S_IFREG | 0444, .show = showheading, \
		.arg = s}
#define INET(first, more)                                                      \
	first "  sl  local_address rem_address   st tx_queue rx_queue tr "     \
	      "tm->when retrnsmt   uid  timeout inode" more

const struct procent procnetents[] = {
	HEADING("arp", "IP address       HW type     Flags       HW address     "
		"       Mask     Device"),
	HEADING("dev", "Inter-|   Receive                                       "
		"         |  Transmit\n face |bytes    packets errs drop fifo frame "
		"compressed multicast|bytes    packets errs drop fifo colls "
		"carrier compressed"),
	HEADING("raw", INET("", " ref pointer drops")),
	HEADING("route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric"
		"\tMask\t\tMTU\tWindow\tIRTT"),
	HEADING("tcp", INET("", "")),
	HEADING("udp", INET(" ", " ref pointer drops")),
	PROCFILE("unix", showunix),
	{0},
};
