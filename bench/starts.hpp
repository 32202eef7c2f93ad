#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "loopback_server.hpp"

namespace bench {

/// Makes one start; true: the response says that it was started.
using Start = std::function<bool()>;

/// What is compared. `bare`, the measure of all: one libcurl easy handle, everything made before and only sent and
/// read. `by_hand`: the same, with the headers and the JSON made and the response parsed in each call. `connectid`:
/// this library.
inline constexpr std::array<const char*, 3> ways = {"bare", "by_hand", "connectid"};

/// The same request in one of these ways, on a connection that is kept. Throws std::invalid_argument for other ways.
[[nodiscard]] Start make_start(std::string_view way, const LoopbackServer& server, std::string call_id = {});

}  // namespace bench
