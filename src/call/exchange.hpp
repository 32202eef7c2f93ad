#pragma once

#include <any>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <connectid/auth/token_source.hpp>
#include <connectid/error.hpp>
#include <connectid/http/transport.hpp>
#include <connectid/journal/journal.hpp>
#include <connectid/options.hpp>

#include "call/classify.hpp"
#include "call/error_body.hpp"
#include "http/headers.hpp"
#include "rate_limit/circuit_breaker.hpp"
#include "rate_limit/schedule.hpp"

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
struct Admitted {     ///< the attempt has its slot in the rate limit now, and the circuit lets it through
  double random = 0;  ///< from 0 up to 1, for the pause after it
};
struct Reserved {  ///< its slot comes later: Reserve again then
  std::chrono::steady_clock::time_point at;
};
struct NoRepeatLeft {};  ///< in the client's budget
struct WrittenDown {};   ///< in the journal, if there is one
struct NotWrittenDown {
  std::string why;
};
struct Stopped {  ///< the caller's stop was requested, and the request is not with the transport
  Stage stage = Stage::prepare;
};
using Event = std::variant<Go, AccessToken, NoToken, Admitted, Reserved, CircuitIsOpen, NoRepeatLeft, WrittenDown,
                           NotWrittenDown, Stopped, http::Response, http::Failure>;

// What is to be done next.
struct GetToken {
  Secret refused;  ///< what the server just refused; empty: none
};
struct Reserve {};  ///< Admitted, Reserved or CircuitIsOpen answers it
struct Wait {
  std::chrono::steady_clock::time_point until;  ///< before the call's deadline
  bool costs_a_repeat = false;                  ///< of the client's budget; where none is left, it is not begun
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
  Secret refused = {};  ///< the last token that the API refused; its source may not have been told
};
using Action = std::variant<GetToken, Reserve, Wait, WriteDown, Send, Done>;

/// What the end of an attempt tells the other calls of the client.
struct Lesson {
  Health health = Health::unclear;
  std::string ended;                        ///< how, for people
  bool gives_back = false;                  ///< a part of a repeat to the budget: a server responded
  std::optional<Allowance> allowance = {};  ///< that the response tells of
};

struct Step {
  Action action;
  std::optional<Lesson> lesson = {};  ///< of the event, to be passed on before the action
};

/// Reads the body of a success status. What it decodes goes into the Reading, and nowhere else.
using Reader = std::function<Reading(std::string_view)>;

/// Whether a request that may have acted is sent again.
enum class Repeat {
  never,
  once,    ///< where a second time cannot make it worse, and all that is left to do
  freely,  ///< it does no harm however often it is sent: a read
};

/// What one call is made of.
struct Call {
  http::Request request;  ///< its X-Request-Id is the call's id; no authorization yet, where it takes a token
  Reader read;
  std::span<const int> success_statuses = ok_alone;
  Repeat repeat = Repeat::never;
  bool may_have_acted_before = false;  ///< in an earlier call: then Repeat::once has had its second time
  Timeouts timeouts;
  RetryPolicy retry;
  bool takes_token = true;            ///< it is let in by an access token
  bool responses_are_secret = false;  ///< a response may hold secrets that nobody knows yet: it is not quoted
  std::vector<Secret> secrets = {};   ///< redacted wherever a response repeats them, beside the access token
};

/// One call, as a state machine: an event goes in, the next action comes out. A value: it does no I/O, reads no clock,
/// takes no lock and refers to nothing. Every rule about one call lives here and in `classify`.
class Exchange {
 public:
  Exchange(Call call, Now began);

  [[nodiscard]] Step next(Event event, Now now);

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
  Action on(Admitted admitted, Now now);
  Action on(Reserved slot, Now now);
  Action on(const CircuitIsOpen& circuit, Now now);
  Action on(NoRepeatLeft none, Now now);
  Action on(WrittenDown written, Now now);
  Action on(const NotWrittenDown& refusal, Now now);
  Action on(Stopped stopped, Now now);
  void no_other_token(std::optional<TokenError> why);
  Action on(const http::Response& response, Now now);
  Action on(const http::Failure& failure, Now now);

  Action stray_after_a_refusal(const http::Failure& failure, Now now);
  Action no_success(const http::Response& response, Classification classification, const Reading& reading,
                    Refusal refusal, Now now);
  void note(const KnownHeaders& headers, Now now);
  bool is_success(int status) const noexcept;
  Refusal refusal_in(const http::Response& response) const;
  std::optional<Allowance> allowance_in(const http::Response& response, const KnownHeaders& headers, Now now) const;
  Action reserve(Now now);
  Action repeat_or_end(const Classification& classification, std::optional<std::chrono::milliseconds> named, Now now);
  bool may_send_again_what_may_have_acted() const noexcept;
  std::string reason_against(const Classification& classification, bool pause_is_named, Now now) const;
  std::string reason_against_connecting(Now now) const;
  Action wait_before_the_next(RetryCondition condition, std::optional<std::chrono::milliseconds> named, Now now);
  Action wait_for_a_connection(Now now);
  Action pause_is_too_long(std::chrono::milliseconds pause, Now now);
  Action end_before_an_attempt(ErrorDetail detail, const std::string& what, Now now);
  Action end_without_another(ErrorDetail detail, const std::string& why, Now now);
  Action out_of_time(Stage stage, Now now);
  Ending ending_of(const Classification& classification, const http::Failure& failure) const;
  void keep(Ending ending);
  Action end(const std::string& why_no_more, Now now);
  CallInfo take_call(Now now);
  std::string the_timeout() const;
  std::string without_secrets(std::string text) const;

  Call call_;
  Now began_;
  std::chrono::steady_clock::time_point deadline_;
  Secret token_;
  bool token_was_refused_ = false;  ///< once a call
  Secret refused_;
  double random_ = 0;  ///< of the attempt
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
  std::any value_;                ///< of the last Reading
  std::optional<Lesson> lesson_;  ///< of the event
  CallInfo info_;
};

}  // namespace connectid::inline v0::detail
