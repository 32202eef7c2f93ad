#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <connectid/testing/fake_server.hpp>

namespace connectid::inline v0::testing::detail {

/// How the API responds to a request, and what it starts.
struct Ruling {
  Script::HttpResponse response;
  std::optional<StartedSubscription> started = {};
};

/// An error of the API's own.
[[nodiscard]] Script::HttpResponse refusal(int status, const char* exception_type, const std::string& message);

/// Whose an access token is that lets in; none: it does not.
using AccountOf = std::function<std::optional<std::string>(const std::string& access_token)>;

/// What the server has started so far.
using Started = std::function<std::vector<StartedSubscription>()>;

/// The documented rules of every endpoint, out of its declaration: who is let in, which fields are refused. Pure.
[[nodiscard]] Ruling rule(const ReceivedRequest& request, const AccountOf& account_of, const Started& started);

}  // namespace connectid::inline v0::testing::detail
