#include "millrace/ops/registry/dim.h"
