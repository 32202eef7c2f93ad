#pragma once

#include <connectid/version.hpp>

namespace connectid::inline v0::detail {

/// What every request says it was made by (RFC 9110 section 10.1.5).
inline constexpr auto product = "connectid-cpp/" CONNECTID_VERSION;

}  // namespace connectid::inline v0::detail
