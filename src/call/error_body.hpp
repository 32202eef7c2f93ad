#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <connectid/error.hpp>

namespace connectid::inline v0::detail {

/// What a body that is no success says.
struct Refusal {
  ServerMessage message;
  bool oauth_error = false;         ///< it holds OAuth's `error` (RFC 6749 section 5.2)
  bool of_the_application = false;  ///< it holds that, or the API's `exceptionType` or `errorMessage`
};

/// Reads the body of a refusal: `exceptionType` and `errorMessage` (API), `error` and `error_description`
/// (OAuth), or the first 200 bytes of anything else. All of it goes through `without_secrets`, for a server may echo
/// one, and is made printable.
[[nodiscard]] Refusal decode_refusal(std::string_view body,
                                     const std::function<std::string(std::string)>& without_secrets);

}  // namespace connectid::inline v0::detail
