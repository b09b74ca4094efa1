#include "products_avx2.h"
#include "products.h"
#include "transformer.h"
#include "measure.h"
