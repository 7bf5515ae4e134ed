/* blk.h - ioctls of block devices (linux/fs.h, linux/hdreg.h). */
#ifndef KERN_ABI_BLK_H
#define KERN_ABI_BLK_H

#define BLKROSET     0x125D
#define BLKROGET     0x125E
#define BLKRRPART    0x125F
#define BLKGETSIZE   0x1260 /* sectors */
#define BLKFLSBUF    0x1261
#define BLKRASET     0x1262
#define BLKRAGET     0x1263 /* sectors */
#define BLKSECTGET   0x1267 /* of a request, 16 bits */
#define BLKSSZGET    0x1268
#define BLKBSZGET    0x80041270
#define BLKBSZSET    0x40041271
#define BLKGETSIZE64 0x80041272 /* bytes, 64 bits */
#define BLKIOMIN     0x1278
#define BLKIOOPT     0x1279
#define BLKALIGNOFF  0x127A
#define BLKPBSZGET   0x127B
#define BLKDISCARDZEROES 0x127C
#define BLKROTATIONAL    0x127E /* 16 bits */
#define HDIO_GETGEO  0x0301

#endif
