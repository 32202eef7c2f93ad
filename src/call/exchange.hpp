#pragma once

#include <any>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <connectid/auth/token_source.hpp>
#include <connectid/error.hpp>
#include <connectid/http/transport.hpp>
#include <connectid/journal/journal.hpp>
#include <connectid/options.hpp>
#include <connectid/retry_policy.hpp>

#include "call/classify.hpp"
#include "call/error_body.hpp"
#include "call/retry.hpp"
#include "rate_limit/circuit_breaker.hpp"
#include "rate_limit/limiter.hpp"

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
using Event =
    std::variant<Go, AccessToken, NoToken, WrittenDown, NotWrittenDown, Stopped, http::Response, http::Failure>;

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
  std::shared_ptr<http::KeptConnection> connection = {};  ///< that brought the refusal which this repeats; null: none
};
struct Done {
  std::optional<Error> error;  ///< none: it succeeded
  CallInfo call;
  std::any value = {};  ///< of the last Reading, also where that was no success
};
using Action = std::variant<GetToken, Wait, WriteDown, Send, Done>;

/// Reads the body of a 200. What it decodes goes into the Reading, and nowhere else.
using Reader = Reading (*)(std::string_view body);

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
  bool takes_token = true;            ///< it is let in by an access token
  bool responses_are_secret = false;  ///< a response may hold secrets that nobody knows yet: it is not quoted
  std::vector<Secret> secrets = {};   ///< redacted wherever a response repeats them, beside the access token
};

/// What the calls of one client share. Thread-safe.
struct Shared {
  Limiter& limiter;
  RetryBudget& budget;
  CircuitBreaker& breaker;
  double (*random)();  ///< from 0 up to 1
};

/// One call, as a state machine without I/O and without a clock: an event goes in, the next action comes out. Every
/// rule about one call lives here and in `classify`.
class Exchange {
 public:
  Exchange(Call call, const Shared& shared, Now began);

  [[nodiscard]] Action next(Event event, Now now);

  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const noexcept { return deadline_; }
  [[nodiscard]] JournalCall journal_call() const noexcept;

 private:
  /// How an attempt, or the way to one, ended.
  struct Ending {
    Outcome outcome;
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
  Action on(const http::Response& response, Now now);
  Action on(const http::Failure& failure, Now now);

  Action stray_after_a_refusal(const http::Failure& failure, Now now);
  void learn_from(const http::Response& response, Now now);
  Refusal refusal_in(const http::Response& response) const;
  void left_nothing(Now now) noexcept;
  void left_something() noexcept;
  std::optional<std::chrono::milliseconds> hold_after_429(const http::Response& response, Now now) const;
  Action reserve(Now now);
  Action repeat_or_end(const Classification& classification, std::optional<std::chrono::milliseconds> named, Now now);
  std::string reason_against(const Classification& classification, bool pause_is_named, Now now) const;
  void believe_the_refusal(int status) noexcept;
  std::string reason_against_connecting(Now now) const;
  Action wait_before_the_next(RetryCondition again, std::optional<std::chrono::milliseconds> named, Now now);
  Action wait_for_a_connection(Now now);
  Action pause_is_too_long(std::chrono::milliseconds pause, Now now);
  bool may_send_again_what_may_have_acted() const noexcept;
  Action end_before_an_attempt(ErrorDetail detail, const std::string& what, Now now);
  Action out_of_time(Stage stage, Now now);
  Action circuit_is_open(const CircuitIsOpen& circuit, Now now);
  Action slot_comes_too_late(std::chrono::steady_clock::time_point at, Now now);
  Ending ending_of(const Classification& classification, const http::Failure& failure) const;
  void keep(Ending ending);
  Action end(const std::string& why_no_more, Now now);
  CallInfo take_call(Now now);
  std::string without_secrets(std::string text) const;

  Call call_;
  Shared shared_;
  Now began_;
  std::chrono::steady_clock::time_point deadline_;
  Passage passage_;
  Reservation reservation_;
  Secret token_;
  bool token_was_refused_ = false;  ///< once a call
  std::optional<Timestamp> sent_at_;
  std::chrono::steady_clock::time_point attempt_began_;
  int attempts_that_left_ = 0;
  int failed_connects_ = 0;                                 ///< in a row
  std::chrono::steady_clock::time_point connecting_since_;  ///< when the first of them failed
  std::shared_ptr<http::KeptConnection> connection_;        ///< for the next attempt
  std::optional<Timestamp> refused_at_;                     ///< when the attempt began whose refusal is repeated for
  int refused_with_ = 0;                                    ///< the status of that
  std::optional<Ending> ending_;                            ///< of the call, were it to end now
  int unknown_attempts_ = 0;
  std::any value_;  ///< of the last Reading
  CallInfo info_;
};

}  // namespace connectid::inline v0::detail
