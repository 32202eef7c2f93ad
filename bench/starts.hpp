#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "loopback_server.hpp"

namespace bench {

/// Makes one start; true: the answer says that it was started.
using Start = std::function<bool()>;

/// What is compared, the measure of all first: a libcurl easy handle; the same, which asks for the body by a callback
/// as this library must; this library.
inline constexpr std::array<const char*, 3> ways = {"bare", "bare_callback", "connectid"};

/// The same request in one of these ways, on a connection that is kept. Throws std::invalid_argument for other ways.
[[nodiscard]] Start make_start(std::string_view way, const LoopbackServer& server, std::string call_id = {});

}  // namespace bench
