#pragma once

#include <string_view>

#include <connectid/error.hpp>
#include <connectid/secret.hpp>

namespace connectid::inline v0::wire {

/// What a body that is no success says: `exceptionType` and `errorMessage` (API), `error` and `error_description`
/// (OAuth), or the first 200 bytes of anything else. All of it made printable; `hide` is redacted, should a server echo
/// it.
[[nodiscard]] ServerWords decode_server_words(std::string_view body, const Secret& hide);

}  // namespace connectid::inline v0::wire
