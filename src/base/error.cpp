#include <connectid/error.hpp>
#include <connectid/result.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <ostream>
#include <type_traits>
#include <utility>

namespace connectid::inline v0 {

static_assert(std::variant_size_v<ErrorDetail> == static_cast<std::size_t>(ErrorKind::circuit_open) + 1,
              "ErrorDetail has one alternative a kind, in the order of ErrorKind");

namespace {

using namespace std::string_view_literals;

/// In the order of Outcome.
constexpr std::array outcome_names{"succeeded"sv, "not_sent"sv, "rejected"sv, "unknown"sv};
/// In the order of ErrorKind.
constexpr std::array kind_names{
    "validation_error"sv, "configuration_error"sv, "token_error"sv, "bad_request"sv,     "unauthorized"sv,
    "forbidden"sv,        "rate_limited"sv,        "rejected"sv,    "server_error"sv,    "unexpected_response"sv,
    "transport_error"sv,  "deadline_exceeded"sv,   "cancelled"sv,   "journal_refused"sv, "circuit_open"sv};
static_assert(outcome_names.size() == static_cast<std::size_t>(Outcome::unknown) + 1);
static_assert(kind_names.size() == std::variant_size_v<ErrorDetail>);

std::string_view name_in(const auto& names, auto enumerator) noexcept {
  const auto at = static_cast<std::size_t>(enumerator);
  return at < names.size() ? names[at] : "?"sv;
}

template <class Enum>
std::optional<Enum> enumerator_in(const auto& names, std::string_view name) noexcept {
  const auto found = std::ranges::find(names, name);
  return found != names.end() ? std::optional(static_cast<Enum>(found - names.begin())) : std::nullopt;
}

}  // namespace

std::string_view to_string(Outcome outcome) noexcept { return name_in(outcome_names, outcome); }
std::string_view to_string(ErrorKind kind) noexcept { return name_in(kind_names, kind); }
template <>
std::optional<Outcome> from_string(std::string_view name) noexcept {
  return enumerator_in<Outcome>(outcome_names, name);
}
template <>
std::optional<ErrorKind> from_string(std::string_view name) noexcept {
  return enumerator_in<ErrorKind>(kind_names, name);
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

namespace {

const ServerMessage* message_of(const ServerMessage* detail) noexcept { return detail; }
const ServerMessage* message_of(const void* /*of another kind*/) noexcept { return nullptr; }

template <class... Details>
const ServerMessage* message_in(const std::variant<Details...>& detail) noexcept {
  const ServerMessage* found = nullptr;
  ((found = found ? found : message_of(std::get_if<Details>(&detail))), ...);
  return found;
}

}  // namespace

const ServerMessage* Error::server_message() const noexcept { return message_in(detail()); }

const TokenError* Error::token_error() const noexcept {
  if (const auto* unauthorized = get_if<Unauthorized>()) {
    return unauthorized->token_error ? &*unauthorized->token_error : nullptr;
  }
  return get_if<TokenError>();
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
