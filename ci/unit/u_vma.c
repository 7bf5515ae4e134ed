#include "unit.h"
const struct test vmatests[] = {{0, 0}};
