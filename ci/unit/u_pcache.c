#include "unit.h"
const struct test pcachetests[] = {{0, 0}};
