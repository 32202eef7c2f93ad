#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>
#include <variant>

#include <connectid/call.hpp>
#include <connectid/error.hpp>
#include <connectid/http/transport.hpp>
#include <connectid/token_source.hpp>

#include "judge.hpp"

namespace connectid::inline v0::detail {

/// One reading of both clocks. Deadlines are steady; what people read is wall time.
struct Now {
  std::chrono::steady_clock::time_point steady;
  Timestamp wall;
};

// What happened.
struct Go {};  ///< begin
struct NoToken {
  Error error;
};
using Event = std::variant<Go, AccessToken, NoToken, http::Answer, http::Failure>;

// What is to be done next.
struct GetToken {};
struct Send {
  const http::Request* request = nullptr;  ///< the Exchange's own; lives until its next event
  std::chrono::steady_clock::time_point deadline;
};
struct Done {
  std::optional<Error> error;  ///< none: it succeeded
  CallInfo call;
};
using Action = std::variant<GetToken, Send, Done>;

/// Reads the body of a 200.
using Reader = std::function<Reading(std::string_view)>;

/// One call, as a state machine without I/O and without a clock: an event goes in, the next action comes out. Every
/// rule about one call lives here and in `judge`.
class Exchange {
 public:
  /// `request` has no authorization yet; its X-Request-Id is `call_id`.
  Exchange(http::Request request, Reader read, const Timeouts& timeouts, std::string call_id, Now began);

  [[nodiscard]] Action next(Event event, Now now);

  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const noexcept { return deadline_; }

 private:
  Action on(Go go, Now now);
  Action on(AccessToken token, Now now);
  Action on(const NoToken& refusal, Now now);
  Action on(const http::Answer& answer, Now now);
  Action on(const http::Failure& failure, Now now);

  Action fail(const Verdict& verdict, const http::Failure& failure, Now now);
  Action fail(Word word, ErrorDetail detail, const std::string& what, Now now);
  Action time_is_up(Stage stage, Now now);
  CallInfo call_until(Now now) const;

  http::Request request_;
  Secret token_;
  Reader read_;
  Timeouts timeouts_;
  Now began_;
  std::chrono::steady_clock::time_point deadline_;
  CallInfo call_;
};

}  // namespace connectid::inline v0::detail
