#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <connectid/call.hpp>
#include <connectid/error.hpp>
#include <connectid/http/transport.hpp>
#include <connectid/journal.hpp>
#include <connectid/retry_policy.hpp>
#include <connectid/token_source.hpp>

#include "judge.hpp"
#include "rate_limit.hpp"
#include "retry.hpp"

namespace connectid::inline v0::detail {

/// One reading of both clocks. Deadlines are steady; what people read is wall time.
struct Now {
  std::chrono::steady_clock::time_point steady;
  Timestamp wall;
};

// What happened.
struct Go {};  ///< begin, or a wait is over
struct NoToken {
  Error error;
};
struct WrittenDown {};  ///< in the journal, if there is one
struct NotWrittenDown {
  std::string why;
};
struct Stopped {  ///< the caller's stop was requested, and the request is not with the transport
  Stage stage = Stage::prepare;
};
using Event = std::variant<Go, AccessToken, NoToken, WrittenDown, NotWrittenDown, Stopped, http::Answer, http::Failure>;

// What is to be done next.
struct GetToken {
  Secret refused;  ///< what the server just refused; empty: none
};
struct Wait {
  std::chrono::steady_clock::time_point until;  ///< before the call's deadline
};
struct WriteDown {
  int attempt = 1;
};
struct Send {
  const http::Request* request = nullptr;  ///< the Exchange's own; lives until its next event
  std::chrono::steady_clock::time_point deadline;
};
struct Done {
  std::optional<Error> error;  ///< none: it succeeded
  CallInfo call;
};
using Action = std::variant<GetToken, Wait, WriteDown, Send, Done>;

/// Reads the body of a 200.
using Reader = std::function<Reading(std::string_view)>;

/// Whether a request that may have acted is sent again.
enum class Repeat {
  never,
  once,    ///< where a second time cannot make it worse, and all that is left to do
  freely,  ///< it does no harm however often it is sent: a read
};

/// What one call is made of.
struct Call {
  http::Request request;  ///< its X-Request-Id is `call_id`; no authorization yet, where it takes a token
  Reader read;
  Repeat repeat = Repeat::never;
  bool may_have_acted_before = false;  ///< in an earlier call: then Repeat::once has had its second time
  Timeouts timeouts;
  RetryPolicy retry;
  std::string call_id;
  bool takes_token = true;           ///< it is let in by an access token
  bool answers_are_secret = false;   ///< an answer may hold secrets that nobody knows yet: it is not quoted
  std::vector<Secret> secrets = {};  ///< redacted wherever an answer repeats them, beside the access token
};

/// What the calls of one client share. Thread-safe.
struct Shared {
  Pacer& pacer;
  RetryBudget& budget;
  double (*random)();  ///< from 0 up to 1
};

/// One call, as a state machine without I/O and without a clock: an event goes in, the next action comes out. Every
/// rule about one call lives here and in `judge`.
class Exchange {
 public:
  Exchange(Call call, const Shared& shared, Now began);

  [[nodiscard]] Action next(Event event, Now now);

  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const noexcept { return deadline_; }
  [[nodiscard]] JournalCall journal_call() const noexcept;

 private:
  /// How an attempt, or the way to one, ended.
  struct Ending {
    Word word;
    ErrorDetail detail;
    std::string what;
    int http_status = 0;
    std::optional<Timestamp> sent_at = {};
  };

  Action on(Go go, Now now);
  Action on(AccessToken token, Now now);
  Action on(const NoToken& refusal, Now now);
  Action on(WrittenDown written, Now now);
  Action on(const NotWrittenDown& refusal, Now now);
  Action on(Stopped stopped, Now now);
  Action on(const http::Answer& answer, Now now);
  Action on(const http::Failure& failure, Now now);

  void learn_from(const http::Answer& answer, Now now);
  std::optional<std::chrono::milliseconds> hold_after_429(const http::Answer& answer, Now now) const;
  Action take_turn(Now now);
  Action repeat_or_end(const Verdict& verdict, std::optional<std::chrono::milliseconds> named, Now now);
  std::string objection_to(const Verdict& verdict, bool pause_is_named) const;
  Action wait_before_the_next(Again again, std::optional<std::chrono::milliseconds> named, Now now);
  bool may_send_again_what_may_have_acted() const noexcept;
  Action end_before_an_attempt(ErrorDetail detail, const std::string& what, Now now);
  Action out_of_time(Stage stage, Now now);
  Action turn_comes_too_late(std::chrono::steady_clock::time_point at, Now now);
  Ending ending_of(const Verdict& verdict, const http::Failure& failure) const;
  void keep(Ending ending);
  Action end(const std::string& why_no_more, Now now);
  CallInfo take_call(Now now);
  std::string without_secrets(std::string text) const;

  Call call_;
  Shared shared_;
  Now began_;
  std::chrono::steady_clock::time_point deadline_;
  Turn turn_;
  Secret token_;
  bool token_was_refused_ = false;  ///< once a call
  std::optional<Timestamp> sent_at_;
  std::optional<Ending> ending_;  ///< of the call, were it to end now
  int unknown_attempts_ = 0;
  CallInfo info_;
};

}  // namespace connectid::inline v0::detail
