/* ipc.h - numbers and structures of System V shared memory. */
#ifndef ABI_IPC_H
#define ABI_IPC_H

#include "kern/types.h"

#define IPC_PRIVATE 0
#define IPC_CREAT   01000
#define IPC_EXCL    02000

#define IPC_RMID 0
#define IPC_SET  1
#define IPC_STAT 2
#define IPC_INFO 3
#define IPC_64   0x100 /* with a command of ipc(2): the structures below */

#define SHM_LOCK     11
#define SHM_UNLOCK   12
#define SHM_STAT     13
#define SHM_INFO     14
#define SHM_STAT_ANY 15

#define SHM_HUGETLB 04000
#define SHM_RDONLY  010000
#define SHM_RND     020000
#define SHM_REMAP   040000
#define SHM_EXEC    0100000

#define SHM_DEST   01000 /* shm_perm.mode: goes with its last mapping */
#define SHM_LOCKED 02000

#define SHMMNI 4096
#define SHMMAX 0xfeffffffu /* bytes of one; and pages of all */

enum { /* calls of ipc(2) */
	IPC_SHMAT = 21,
	IPC_SHMDT,
	IPC_SHMGET,
	IPC_SHMCTL
};

struct ipcperm {
	int key;
	uint uid, gid, cuid, cgid;
	uint16_t mode, pad1;
	uint16_t seq, pad2;
	uint unused[2];
};

struct shmidds {
	struct ipcperm perm;
	uint segsz;
	uint64_t atime, dtime, ctime;
	uint cpid, lpid;
	uint nattch;
	uint unused[2];
} __attribute__((packed, aligned(4)));
_Static_assert(sizeof(struct shmidds) == 84, "Linux's shmid64_ds");

struct shminfo {
	uint shmmax, shmmin, shmmni, shmseg, shmall, unused[4];
};

struct shmusage {
	int ids;
	uint total, resident, swapped, attempts, successes;
};

#endif
