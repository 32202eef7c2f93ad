#include <connectid/error.hpp>
#include <connectid/result.hpp>

#include <cstdio>
#include <exception>
#include <ostream>
#include <utility>

namespace connectid::inline v0 {

static_assert(std::variant_size_v<ErrorDetail> == static_cast<std::size_t>(ErrorKind::circuit_open) + 1,
              "ErrorDetail has one alternative a kind, in the order of ErrorKind");

std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::succeeded:
      return "succeeded";
    case Outcome::not_sent:
      return "not_sent";
    case Outcome::rejected:
      return "rejected";
    case Outcome::unknown:
      return "unknown";
  }
  return "?";
}

std::string_view to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::validation_error:
      return "validation_error";
    case ErrorKind::configuration_error:
      return "configuration_error";
    case ErrorKind::token_error:
      return "token_error";
    case ErrorKind::bad_request:
      return "bad_request";
    case ErrorKind::unauthorized:
      return "unauthorized";
    case ErrorKind::forbidden:
      return "forbidden";
    case ErrorKind::rate_limited:
      return "rate_limited";
    case ErrorKind::rejected:
      return "rejected";
    case ErrorKind::server_error:
      return "server_error";
    case ErrorKind::unexpected_response:
      return "unexpected_response";
    case ErrorKind::transport_error:
      return "transport_error";
    case ErrorKind::deadline_exceeded:
      return "deadline_exceeded";
    case ErrorKind::cancelled:
      return "cancelled";
    case ErrorKind::journal_refused:
      return "journal_refused";
    case ErrorKind::circuit_open:
      return "circuit_open";
  }
  return "?";
}

std::ostream& operator<<(std::ostream& out, Outcome outcome) { return out << to_string(outcome); }
std::ostream& operator<<(std::ostream& out, ErrorKind kind) { return out << to_string(kind); }

struct Error::State {
  Outcome outcome;
  ErrorDetail detail;
  std::string message;
  CallInfo call;
  int unknown_attempts;
};

Error::Error(Outcome outcome, ErrorDetail detail, std::string message, CallInfo call, int unknown_attempts)
    : state_(std::make_shared<const State>(
          State{outcome, std::move(detail), std::move(message), std::move(call), unknown_attempts})) {}

Outcome Error::outcome() const noexcept { return state_->outcome; }
ErrorKind Error::kind() const noexcept { return static_cast<ErrorKind>(state_->detail.index()); }
const std::string& Error::message() const noexcept { return state_->message; }
int Error::http_status() const noexcept { return state_->call.http_status; }
const CallInfo& Error::call() const noexcept { return state_->call; }
int Error::unknown_attempts() const noexcept { return state_->unknown_attempts; }
const ErrorDetail& Error::detail() const noexcept { return state_->detail; }

std::optional<std::chrono::milliseconds> Error::retry_after() const noexcept {
  if (const auto* circuit = get_if<CircuitOpen>()) return circuit->retry_in;
  const auto* limited = get_if<RateLimited>();
  return limited ? limited->retry_after : std::nullopt;
}

std::ostream& operator<<(std::ostream& out, const Error& error) {
  return out << error.kind() << ": " << error.message();
}

namespace detail {

void no_value(const Error& error) noexcept {
  std::fprintf(stderr, "connectid: a Result without a value was read. Its error is %s: %s\n",
               to_string(error.kind()).data(), error.message().c_str());
  std::terminate();
}

void no_error() noexcept {
  std::fputs("connectid: error() was asked of a Result that holds a value\n", stderr);
  std::terminate();
}

}  // namespace detail
}  // namespace connectid::inline v0
