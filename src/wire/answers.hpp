#pragma once

#include <string_view>

#include <connectid/error.hpp>
#include <connectid/secret.hpp>

namespace connectid::inline v0::wire {

/// What a body that is no success says.
struct Refusal {
  ServerWords words;
  bool oauth_error = false;  ///< it holds OAuth's `error` (RFC 6749 section 5.2)
};

/// Reads the body of a refusal: `exceptionType` and `errorMessage` (API), `error` and `error_description`
/// (OAuth), or the first 200 bytes of anything else. All of it made printable; `hide` is redacted, should a server echo
/// it.
[[nodiscard]] Refusal decode_refusal(std::string_view body, const Secret& hide);

}  // namespace connectid::inline v0::wire
