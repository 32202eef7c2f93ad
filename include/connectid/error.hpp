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

#include <connectid/call.hpp>
#include <connectid/export.hpp>
#include <connectid/stage.hpp>

namespace connectid::inline v0 {

/// What became of a call that did not succeed. (One that did holds a value: it was started.)
enum class Outcome {
  not_sent,  ///< no byte of the request's body was handed to a connection: may be sent again
  rejected,  ///< the server answered that it refuses: it started nothing
  unknown,   ///< the server may have acted: look before sending again
};

/// The documented way to branch on an error. New kinds may be added: keep a default.
enum class ErrorKind {
  validation_error,
  configuration_error,
  token_error,
  bad_request,
  unauthorized,
  forbidden,
  rate_limited,
  rejected,
  server_error,
  unexpected_response,
  transport_error,
  deadline_exceeded,
  cancelled,
};

[[nodiscard]] CONNECTID_API std::string_view to_string(Outcome outcome) noexcept;
[[nodiscard]] CONNECTID_API std::string_view to_string(ErrorKind kind) noexcept;
CONNECTID_API std::ostream& operator<<(std::ostream& out, Outcome outcome);
CONNECTID_API std::ostream& operator<<(std::ostream& out, ErrorKind kind);

/// One rule that a request breaks.
struct Violation {
  std::string field = {};    ///< the field's name in the API's JSON: `startTime`
  std::string rule = {};     ///< `required`, `max_length`, `range`, `order` or `encoding`
  std::string message = {};  ///< a sentence with the limit and the value
  friend bool operator==(const Violation&, const Violation&) = default;
};

// The details, one type a kind: `error.get_if<connectid::BadRequest>()`.

struct ValidationError {
  std::vector<Violation> violations = {};
};
struct ConfigurationError {};
struct TokenError {};

/// What the server's own words were. API errors come as `exceptionType` and `errorMessage`, OAuth's as `error` and
/// `error_description`; both land here. A body that is neither gives its first bytes, made printable.
struct ServerWords {
  std::string exception_type = {};
  std::string error_message = {};
  std::string body_excerpt = {};
};
struct BadRequest : ServerWords {};    ///< 400
struct Unauthorized : ServerWords {};  ///< 401
struct Forbidden : ServerWords {};     ///< 403
struct RateLimited : ServerWords {     ///< 429
  /// The pause that the server named with `Retry-After` or `X-RateLimit-Reset`.
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
};
struct Rejected : ServerWords {};            ///< any other 4xx (408 and 499 aside)
struct ServerError : ServerWords {};         ///< 5xx
struct UnexpectedResponse : ServerWords {};  ///< any other answer

struct TransportError {
  Stage stage = Stage::prepare;
  Cause cause = Cause::other;
};
struct DeadlineExceeded {
  Stage stage = Stage::prepare;
};
struct Cancelled {
  Stage stage = Stage::prepare;
};

/// In the order of ErrorKind.
using ErrorDetail =
    std::variant<ValidationError, ConfigurationError, TokenError, BadRequest, Unauthorized, Forbidden, RateLimited,
                 Rejected, ServerError, UnexpectedResponse, TransportError, DeadlineExceeded, Cancelled>;

/// Why a call did not succeed, and what became of it. Immutable, cheap to copy, safe to read from many threads.
class CONNECTID_API Error {
 public:
  /// For those who write a token source or a test: `message` is one line without secrets.
  Error(Outcome outcome, ErrorDetail detail, std::string message, CallInfo call = {}, int unknown_attempts = 0);

  [[nodiscard]] Outcome outcome() const noexcept;
  [[nodiscard]] ErrorKind kind() const noexcept;
  /// One line: what happened, to what, what the limit was, what to do. Holds no secret and no control character.
  [[nodiscard]] const std::string& message() const noexcept;
  /// The status of the last answer; 0 where there was none.
  [[nodiscard]] int http_status() const noexcept;
  /// The pause the server named (429); absent where it named none.
  [[nodiscard]] std::optional<std::chrono::milliseconds> retry_after() const noexcept;
  [[nodiscard]] const CallInfo& call() const noexcept;
  /// How many attempts of this call ended `unknown`.
  [[nodiscard]] int unknown_attempts() const noexcept;
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
  explicit Exception(Error error) noexcept : error_(std::move(error)) {}
  [[nodiscard]] const Error& error() const noexcept { return error_; }
  [[nodiscard]] const char* what() const noexcept override { return error_.message().c_str(); }

 private:
  Error error_;
};

}  // namespace connectid::inline v0
