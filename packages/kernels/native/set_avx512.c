#define TILES_OF_16
#include "products_avx512.h"
#include "products.h"
#include "transformer.h"
#include "choice.h"
#include "measure.h"
