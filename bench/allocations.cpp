#include "allocations.hpp"

#include <cstddef>

// A definition in the executable comes before the C library's, for shared libraries too: libcurl's calls land here.
// Memory still comes from the C library, so that its free() fits.
extern "C" {
void* __libc_malloc(std::size_t size);                           // NOLINT(*-reserved-identifier,*-naming)
void* __libc_calloc(std::size_t count, std::size_t size);        // NOLINT(*-reserved-identifier,*-naming)
void* __libc_realloc(void* block, std::size_t size);             // NOLINT(*-reserved-identifier,*-naming)
void* __libc_memalign(std::size_t alignment, std::size_t size);  // NOLINT(*-reserved-identifier,*-naming)
}

namespace {
constinit thread_local std::size_t count_of_this_thread = 0;
}

std::size_t bench::allocations() noexcept { return count_of_this_thread; }

extern "C" {

void* malloc(std::size_t size) {
  ++count_of_this_thread;
  return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
  ++count_of_this_thread;
  return __libc_calloc(count, size);
}

void* realloc(void* block, std::size_t size) {
  ++count_of_this_thread;
  return __libc_realloc(block, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++count_of_this_thread;
  return __libc_memalign(alignment, size);
}

}  // extern "C"
