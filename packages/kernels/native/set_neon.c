#include "products_neon.h"
#include "products.h"
#include "transformer.h"
#include "measure.h"
