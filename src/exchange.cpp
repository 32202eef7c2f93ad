#include "exchange.hpp"

#include <algorithm>
#include <utility>

#include "http/headers.hpp"
#include "text.hpp"
#include "time.hpp"
#include "wire/answers.hpp"

namespace connectid::inline v0::detail {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

steady_clock::time_point after(steady_clock::time_point start, milliseconds pause) {
  const auto room = std::chrono::duration_cast<milliseconds>(steady_clock::time_point::max() - start);
  return pause < room ? start + std::max(pause, milliseconds{0}) : steady_clock::time_point::max();
}

std::string in_milliseconds(milliseconds time) { return std::to_string(time.count()) + " ms"; }

/// Where the attempt stood, as the end of a sentence.
std::string_view phrase(Stage stage) {
  switch (stage) {
    case Stage::prepare:
      return "before anything was sent";
    case Stage::token:
      return "while getting an access token";
    case Stage::resolve:
      return "while looking the host's name up";
    case Stage::connect:
      return "while connecting";
    case Stage::handshake:
      return "in the TLS handshake";
    case Stage::send:
      return "while sending the request";
    case Stage::wait:
      return "while waiting for the answer";
    case Stage::receive:
      return "while the answer was coming in";
  }
  return "";
}

ErrorDetail detail_of(const http::Failure& failure, ErrorKind kind) {
  switch (kind) {
    case ErrorKind::cancelled:
      return Cancelled{failure.stage};
    case ErrorKind::deadline_exceeded:
      return DeadlineExceeded{failure.stage};
    case ErrorKind::configuration_error:
      return ConfigurationError{};
    default:
      return TransportError{failure.stage, failure.cause};
  }
}

ErrorDetail detail_of(ServerWords words, ErrorKind kind, std::optional<milliseconds> retry_after) {
  switch (kind) {
    case ErrorKind::bad_request:
      return BadRequest{std::move(words)};
    case ErrorKind::unauthorized:
      return Unauthorized{std::move(words)};
    case ErrorKind::forbidden:
      return Forbidden{std::move(words)};
    case ErrorKind::rate_limited:
      return RateLimited{std::move(words), retry_after};
    case ErrorKind::rejected:
      return Rejected{std::move(words)};
    case ErrorKind::server_error:
      return ServerError{std::move(words)};
    default:
      return UnexpectedResponse{std::move(words)};
  }
}

/// "HTTP 400: ValidationException: no such product"
std::string sentence(int status, const std::string& objection, const ServerWords& words,
                     std::optional<milliseconds> retry_after) {
  std::string text = "HTTP " + std::to_string(status);
  if (!objection.empty()) text += ", and the body " + objection;
  for (const std::string* part : {&words.exception_type, &words.error_message}) {
    if (!part->empty()) text += ": " + *part;
  }
  if (!words.body_excerpt.empty()) text += ": the body begins " + words.body_excerpt;
  if (retry_after) text += "; the server asks for a pause of " + in_milliseconds(*retry_after);
  return text;
}

}  // namespace

Exchange::Exchange(http::Request request, Reader read, const Timeouts& timeouts, std::string call_id, Now began)
    : request_(std::move(request)),
      read_(std::move(read)),
      timeouts_(timeouts),
      began_(began),
      deadline_(after(began.steady, timeouts.timeout)) {
  call_.call_id = std::move(call_id);
}

Action Exchange::next(Event event, Now now) {
  return std::visit([&](auto& happened) { return on(std::move(happened), now); }, event);
}

Action Exchange::on(Go, Now now) {
  if (now.steady >= deadline_) return time_is_up(Stage::prepare, now);
  return GetToken{};
}

Action Exchange::on(AccessToken token, Now now) {
  if (!http::visible_ascii(token.value.reveal())) {
    return fail(Word::not_sent, TokenError{},
                token.value.empty()
                    ? "the access token is empty"
                    : "the access token holds a space, a line break or another character that cannot stand "
                      "in a header",
                now);
  }
  if (now.steady >= deadline_) return time_is_up(Stage::token, now);
  token_ = std::move(token.value);
  request_.authorization = Secret("Bearer " + token_.reveal());
  ++call_.attempts;
  call_.sent_at = now.wall;
  return Send{&request_, std::min(deadline_, after(now.steady, timeouts_.attempt_timeout))};
}

Action Exchange::on(const NoToken& refusal, Now now) {
  const Error& error = refusal.error;
  const bool ended = error.kind() == ErrorKind::cancelled || error.kind() == ErrorKind::deadline_exceeded;
  return fail(Word::not_sent, ended ? error.detail() : ErrorDetail(TokenError{}), "no access token: " + error.message(),
              now);
}

Action Exchange::on(const http::Failure& failure, Now now) {
  return fail(judge(failure, now.steady >= deadline_), failure, now);
}

Action Exchange::on(const http::Answer& answer, Now now) {
  const auto date = http::find(answer.headers, "Date");
  const auto request_id = http::find(answer.headers, "X-Request-Id");
  call_.http_status = answer.status;
  call_.rate_limit_remaining = http::number(answer.headers, "X-RateLimit-Remaining");
  call_.rate_limit_reset = http::number(answer.headers, "X-RateLimit-Reset");
  if (date) call_.server_date = parse_http_date(*date);
  if (request_id) call_.server_request_id = printable(redact(*request_id, token_.reveal()), 200);

  const Reading reading = answer.status == 200 ? read_(answer.body) : Reading{};
  const Verdict verdict = judge(answer, reading, now.steady >= deadline_);
  if (verdict.word == Word::started) return Done{std::nullopt, call_until(now)};
  if (verdict.for_the_cut) return fail(verdict, *answer.cut, now);

  ServerWords words = wire::decode_server_words(answer.body, token_);
  const auto pause = answer.status == 429 ? http::retry_after(answer.headers, now.wall) : std::nullopt;
  const bool open_end = answer.status == 200 && !answer.framed && !reading.whole_json;
  std::string what = sentence(answer.status, reading.objection, words, pause);
  if (open_end) what += "; the connection ended before the answer was known to be whole";
  return fail(verdict.word, detail_of(std::move(words), verdict.kind, pause), what, now);
}

Action Exchange::time_is_up(Stage stage, Now now) {
  return on(http::Failure{.stage = stage, .cause = Cause::timed_out, .body_left = false, .text = {}}, now);
}

Action Exchange::fail(const Verdict& verdict, const http::Failure& failure, Now now) {
  if (verdict.word == Word::not_sent) call_.sent_at.reset();
  std::string what = failure.text;
  if (verdict.kind == ErrorKind::cancelled) what = "cancelled " + std::string(phrase(failure.stage));
  if (verdict.kind == ErrorKind::deadline_exceeded) {
    what =
        "the call's timeout of " + in_milliseconds(timeouts_.timeout) + " passed " + std::string(phrase(failure.stage));
  }
  return fail(verdict.word, detail_of(failure, verdict.kind), what, now);
}

Action Exchange::fail(Word word, ErrorDetail detail, const std::string& what, Now now) {
  const auto ended = [&](Outcome outcome, const std::string& message) {
    CallInfo call = call_until(now);
    Error error(outcome, std::move(detail), printable(redact(message, token_.reveal()), 4000), call,
                outcome == Outcome::unknown ? 1 : 0);
    return Done{std::move(error), std::move(call)};
  };
  switch (word) {
    case Word::not_sent:
      return ended(Outcome::not_sent, "not sent: " + what);
    case Word::rejected:
      return ended(Outcome::rejected, "rejected: " + what);
    default:
      break;
  }
  return ended(Outcome::unknown, "outcome unknown: sent " + utc(call_.sent_at.value_or(now.wall)) + ", " + what +
                                     ". The server may have acted: look before sending it again");
}

CallInfo Exchange::call_until(Now now) const {
  CallInfo call = call_;
  call.duration = std::chrono::duration_cast<milliseconds>(now.steady - began_.steady);
  return call;
}

}  // namespace connectid::inline v0::detail
