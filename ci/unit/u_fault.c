#include "unit.h"
const struct test faulttests[] = {{0, 0}};
