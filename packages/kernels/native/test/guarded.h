// Memory that faults at the first byte behind it.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct {
  uint8_t *mapped;
  size_t mapped_bytes;
  uint8_t *end; // the first byte of a page that cannot be read
} guarded;

static void fail(const char *what) {
  fprintf(stderr, "failed: %s\n", what);
  exit(1);
}

// Zeroed memory for at least `bytes` bytes.
static guarded guarded_map(size_t bytes) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
  guarded g = {mmap(0, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), whole + page, 0};
  if (g.mapped == MAP_FAILED) fail("mmap");
  g.end = g.mapped + whole;
  if (mprotect(g.end, page, PROT_NONE) != 0) fail("mprotect");
  return g;
}

// The last `bytes` bytes of it: a read of one more faults.
static void *last_bytes(const guarded *g, size_t bytes) { return g->end - bytes; }

static void guarded_free(guarded *g) {
  if (g->mapped) munmap(g->mapped, g->mapped_bytes);
  g->mapped = 0;
}
