#pragma once

#include <string>

#include <connectid/timestamp.hpp>

namespace connectid::inline v0::detail {

/// A UUID of version 7 (RFC 9562 section 5.7): 48 bits of `now`, 74 random bits.
[[nodiscard]] std::string make_call_id(Timestamp now);

}  // namespace connectid::inline v0::detail
