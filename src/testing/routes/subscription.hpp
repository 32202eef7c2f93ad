#pragma once

#include <functional>
#include <optional>
#include <string>

#include <connectid/testing/fake_server.hpp>

namespace connectid::inline v0::testing::detail {

/// How the API responds to a request, and what it starts.
struct Ruling {
  Script::HttpResponse response;
  std::optional<StartedSubscription> started = {};
};

/// An error of the API's own.
[[nodiscard]] Script::HttpResponse refusal(int status, const char* exception_type, const std::string& message);

/// The documented rules of *Start subscription*. `account_of` says whose an access token is that lets in. Pure.
[[nodiscard]] Ruling rule(const ReceivedRequest& request,
                          const std::function<std::optional<std::string>(const std::string&)>& account_of);

}  // namespace connectid::inline v0::testing::detail
