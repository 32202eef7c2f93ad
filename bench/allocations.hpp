#pragma once

#include <cstddef>

namespace bench {

/// How many blocks the calling thread has asked the heap for (malloc, calloc, realloc, aligned_alloc and all that is
/// built on them, operator new among it), whoever asked: this program or a shared library.
[[nodiscard]] std::size_t allocations() noexcept;

}  // namespace bench
