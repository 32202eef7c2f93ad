#pragma once

#include <chrono>
#include <exception>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <connectid/call_info.hpp>
#include <connectid/export.hpp>
#include <connectid/stage.hpp>

namespace connectid::inline v0 {

/// What became of a call. Which response and which fault ends in which: docs/faults.md.
enum class Outcome {
  succeeded,  ///< the server said so; for a start: started
  /// No byte of the request was taken by a connection (where the response came early: no byte of its body). It may be
  /// sent again.
  not_sent,
  rejected,  ///< the server refused: it did nothing
  unknown,   ///< the server may have acted: verify before retrying
};

/// The documented way to branch on an error. New kinds may be added: keep a default.
enum class ErrorKind {
  validation_error,     ///< the request breaks a rule of `validate`: not sent
  configuration_error,  ///< the options cannot be used: a URL, a file, a header, an old libcurl
  token_error,          ///< the token source gave no token, or one that no header can hold: not sent
  bad_request,          ///< 400
  unauthorized,         ///< 401
  forbidden,            ///< 403
  rate_limited,         ///< 429
  rejected,             ///< any other 4xx, except 408, 409, 444, 460 and 499
  server_error,         ///< 5xx
  /// Any other response: a 200 that is no success, another 2xx, 3xx, 408, 409, 444, 460, 499, 600 and more, a 403 that
  /// the application did not write.
  unexpected_response,
  transport_error,    ///< no whole response came, for a reason of the network or the peer
  deadline_exceeded,  ///< the call's `timeout` passed (an attempt's alone is a transport_error)
  cancelled,          ///< the call's `stop_token` was requested
  journal_refused,    ///< the journal could not write down what was to be sent: so it was not
  circuit_open,       ///< too many calls in a row had failed at once: this one was not sent
};

/// The enumerator's name, `not_sent`; stable, and what the program prints.
[[nodiscard]] CONNECTID_API std::string_view to_string(Outcome outcome) noexcept;
/// The enumerator's name, `bad_request`; stable, and what the program prints.
[[nodiscard]] CONNECTID_API std::string_view to_string(ErrorKind kind) noexcept;
/// The reverse of `to_string`, for Outcome and ErrorKind: `from_string<Outcome>("not_sent")`; none where no enumerator
/// has that name.
/// @{
template <class Enum>
std::optional<Enum> from_string(std::string_view name) noexcept = delete;
template <>
[[nodiscard]] CONNECTID_API std::optional<Outcome> from_string(std::string_view name) noexcept;
template <>
[[nodiscard]] CONNECTID_API std::optional<ErrorKind> from_string(std::string_view name) noexcept;
/// @}
/// Prints `to_string`.
CONNECTID_API std::ostream& operator<<(std::ostream& out, Outcome outcome);
/// Prints `to_string`.
CONNECTID_API std::ostream& operator<<(std::ostream& out, ErrorKind kind);

/// One rule that a request breaks.
struct Violation {
  std::string field = {};    ///< the field's name in the API's JSON: `startTime`
  std::string rule = {};     ///< `required`, `max_length`, `range`, `order` or `encoding`
  std::string message = {};  ///< a sentence with the limit and the value
  /// All three are equal.
  friend bool operator==(const Violation&, const Violation&) = default;
};

// The details, one type a kind: `error.get_if<connectid::BadRequest>()`.

/// What is wrong with the request.
struct ValidationError {
  std::vector<Violation> violations = {};  ///< at least one, in the order of the fields
};
struct ConfigurationError {};  ///< the message says which option
/// Why there is no access token. Where the authorization server said so, with its own words, printable and without
/// secrets.
struct TokenError {
  std::string error = {};              ///< its `error`: `invalid_grant` (RFC 6749 section 5.2); empty: it said none
  std::string error_description = {};  ///< its `error_description`; at most 1000 bytes
  int http_status = 0;                 ///< of its response; 0: there was none
  bool log_in_again = false;           ///< no renewal can help: somebody has to log in anew
  bool temporary = false;  ///< it may pass by itself: the authorization server was not reached, was busy or was down
};

/// What the server's own words were. API errors come as `exceptionType` and `errorMessage`, OAuth's as `error` and
/// `error_description`; both land here (how surely these names are known: docs/api-facts.md). All is printable UTF-8,
/// with the access token redacted.
struct ServerMessage {
  std::string exception_type = {};  ///< `exceptionType`, else `error`; at most 1000 bytes; empty: not said
  std::string error_message = {};   ///< `errorMessage`, else `error_description`; at most 1000 bytes
  std::string body_excerpt = {};    ///< the first 200 bytes of a body that says neither
};
struct BadRequest : ServerMessage {};  ///< 400
/// 401
struct Unauthorized : ServerMessage {
  std::optional<TokenError> token_error =
      std::nullopt;  ///< why no other token was tried; none: one was, or there is none
};
struct Forbidden : ServerMessage {};  ///< 403 with such words
/// 429
struct RateLimited : ServerMessage {
  /// The pause that the server named with `Retry-After` (seconds or a date) or `X-RateLimit-Reset`. Of the second the
  /// reference leaves open what it counts: up to 86400 it is taken for seconds from now, beyond for seconds since 1970.
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
};
struct Rejected : ServerMessage {};            ///< any other 4xx (408, 409, 444, 460 and 499 aside)
struct ServerError : ServerMessage {};         ///< 5xx
struct UnexpectedResponse : ServerMessage {};  ///< any other response

/// Why no whole response came.
struct TransportError {
  Stage stage = Stage::prepare;  ///< how far the attempt had come
  Cause cause = Cause::other;    ///< why it ended there
};
/// The call's own time was up.
struct DeadlineExceeded {
  Stage stage = Stage::prepare;  ///< how far the call had come
};
/// The caller asked it to stop.
struct Cancelled {
  Stage stage = Stage::prepare;  ///< how far the call had come
};
struct JournalRefused {};  ///< the message says why
/// The client's circuit breaker kept the call back (`RetryPolicy::break_circuit_after`).
struct CircuitOpen {
  Timestamp since = {};                   ///< when it opened
  std::chrono::milliseconds retry_in{0};  ///< when a call is let through again, to find out: so long from now
};

/// In the order of ErrorKind.
using ErrorDetail = std::variant<ValidationError, ConfigurationError, TokenError, BadRequest, Unauthorized, Forbidden,
                                 RateLimited, Rejected, ServerError, UnexpectedResponse, TransportError,
                                 DeadlineExceeded, Cancelled, JournalRefused, CircuitOpen>;

/// Why a call did not succeed, and what became of it. Immutable, cheap to copy, safe to read from many threads.
class CONNECTID_API Error {
 public:
  /// For those who write a token source or a test: `message` is one line without secrets.
  Error(Outcome outcome, ErrorDetail detail, std::string message, CallInfo call = {}, int unknown_attempts = 0);

  /// What became of the call: what to do next hangs on this.
  [[nodiscard]] Outcome outcome() const noexcept;
  /// Why: what to tell whom hangs on this.
  [[nodiscard]] ErrorKind kind() const noexcept;
  /// One line: what happened, to what, what the limit was, what to do. Holds no secret and no control character.
  [[nodiscard]] const std::string& message() const noexcept;
  /// The status of the response that the outcome rests on; 0 where it rests on none.
  [[nodiscard]] int http_status() const noexcept;
  /// When to try again, from the end of the call: the pause the server named (429; absent where it named none), or
  /// until the circuit breaker lets a call through (`circuit_open`). Absent for every other kind.
  [[nodiscard]] std::optional<std::chrono::milliseconds> retry_after() const noexcept;
  /// What the server said, for each of the seven kinds that a response ends in; null for every other kind. Lives as
  /// long as this Error or a copy of it.
  [[nodiscard]] const ServerMessage* server_message() const noexcept;
  /// Why there is no access token, or none that the API takes: of kind `token_error`, and of an `unauthorized` whose
  /// token could not be renewed. Null for all else. Lives as long as this Error or a copy of it.
  [[nodiscard]] const TokenError* token_error() const noexcept;
  /// What is known of the call: its id, times, rate-limit figures. Lives as long as this Error or a copy of it.
  [[nodiscard]] const CallInfo& call() const noexcept;
  /// How many attempts of this call ended `unknown`: more than one only where unknown starts are repeated.
  [[nodiscard]] int unknown_attempts() const noexcept;
  /// The detail of this kind. Lives as long as this Error or a copy of it.
  [[nodiscard]] const ErrorDetail& detail() const noexcept;

  /// The detail if it is a T; null otherwise. It lives as long as this Error or a copy of it.
  template <class T>
  [[nodiscard]] const T* get_if() const noexcept {
    return std::get_if<T>(std::addressof(detail()));  // not &, which costs every includer a look at the variant
  }

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// Prints `kind: message`.
CONNECTID_API std::ostream& operator<<(std::ostream& out, const Error& error);

/// What `Result::value()` throws; nothing else in the library throws.
class CONNECTID_API Exception : public std::exception {
 public:
  /// Takes the error that it is thrown for.
  explicit Exception(Error error) noexcept : error_(std::move(error)) {}
  /// The whole error.
  [[nodiscard]] const Error& error() const noexcept { return error_; }
  /// `error().message()`
  [[nodiscard]] const char* what() const noexcept override { return error_.message().c_str(); }

 private:
  Error error_;
};

}  // namespace connectid::inline v0
