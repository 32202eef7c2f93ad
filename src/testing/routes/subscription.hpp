#pragma once

#include <string>
#include <vector>

#include "endpoints/endpoint.hpp"
#include "testing/routes/api.hpp"

namespace connectid::inline v0::testing::detail {

/// Who asks, and under which id.
struct Caller {
  std::string call_id = {};
  std::string account = {};
};

/// What is done with a valid request. Where this server knows nothing of an endpoint but its declaration, the response
/// is the least that is a success.
[[nodiscard]] Ruling act(const connectid::detail::Endpoint& endpoint, const void* request, const Caller& caller,
                         const Started& started);

}  // namespace connectid::inline v0::testing::detail
