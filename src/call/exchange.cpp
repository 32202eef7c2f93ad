#include "call/exchange.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "base/time.hpp"
#include "call/retry.hpp"

namespace connectid::inline v0::detail {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// A stray 429 is overtaken in this time by the response that the connection still owes.
constexpr milliseconds shortest_pause_after_429{1'000};
/// Connecting is tried again for a long time: a policy without pauses must not make that a busy loop, and one with long
/// ones not sleep through the end of the outage.
constexpr milliseconds shortest_pause_of_connecting{50};
constexpr milliseconds longest_pause_of_connecting{2'000};

steady_clock::time_point after(steady_clock::time_point start, milliseconds pause) {
  const auto room = std::chrono::duration_cast<milliseconds>(steady_clock::time_point::max() - start);
  return pause < room ? start + std::max(pause, milliseconds{0}) : steady_clock::time_point::max();
}

/// Where the attempt stood, as the end of a sentence.
std::string_view phrase(Stage stage) {
  switch (stage) {
    case Stage::prepare:
      return "before anything was sent";
    case Stage::token:
      return "while getting an access token";
    case Stage::pause:
      return "while waiting to be sent";
    case Stage::resolve:
      return "while looking the host's name up";
    case Stage::connect:
      return "while connecting";
    case Stage::handshake:
      return "in the TLS handshake";
    case Stage::send:
      return "while sending the request";
    case Stage::wait:
      return "while waiting for the response";
    case Stage::receive:
      return "while the response was coming in";
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

ErrorDetail detail_of(ServerMessage message, ErrorKind kind, std::optional<milliseconds> retry_after) {
  switch (kind) {
    case ErrorKind::bad_request:
      return BadRequest{std::move(message)};
    case ErrorKind::unauthorized:
      return Unauthorized{std::move(message)};
    case ErrorKind::forbidden:
      return Forbidden{std::move(message)};
    case ErrorKind::rate_limited:
      return RateLimited{std::move(message), retry_after};
    case ErrorKind::rejected:
      return Rejected{std::move(message)};
    case ErrorKind::server_error:
      return ServerError{std::move(message)};
    default:
      return UnexpectedResponse{std::move(message)};
  }
}

/// "HTTP 400: ValidationException: no such product"
std::string sentence(const http::Response& response, const std::string& reason, const ServerMessage& message,
                     std::optional<milliseconds> retry_after) {
  std::string text = "HTTP " + std::to_string(response.status);
  if (response.left == http::Left::head) text += ", which came before the request's body had left";
  if (response.left == http::Left::part) text += ", which came before the whole request had left";
  if (!reason.empty()) text += ", and the body " + reason;
  for (const std::string* part : {&message.exception_type, &message.error_message}) {
    if (!part->empty()) text += ": " + *part;
  }
  if (!message.body_excerpt.empty()) text += ": the body begins " + message.body_excerpt;
  if (retry_after) text += "; the server asks for a pause of " + in_milliseconds(*retry_after);
  return text;
}

/// What became of a request that is not to be repeated lightly.
std::string as_outcome(Outcome outcome, const std::string& what, Timestamp sent_at) {
  if (outcome == Outcome::rejected) return "rejected: " + what;
  if (outcome == Outcome::not_sent) return "not sent: " + what;
  return "outcome unknown: sent " + utc(sent_at) + ", " + what + ". The server may have acted: verify before retrying";
}

}  // namespace

Exchange::Exchange(Call call, Now began)
    : call_(std::move(call)), began_(began), deadline_(after(began.steady, call_.timeouts.timeout)) {
  info_.call_id = journal_call().call_id;
}

JournalCall Exchange::journal_call() const noexcept {
  const std::string* call_id = http::find(call_.request.headers, "X-Request-Id");
  return {.call_id = call_id ? std::string_view(*call_id) : std::string_view(),
          .method = call_.request.method,
          .url = call_.request.url,
          .body = call_.request.body};
}

Step Exchange::next(Event event, Now now) {
  Action action = std::visit([&](auto& happened) { return on(std::move(happened), now); }, event);
  return {std::move(action), std::exchange(lesson_, std::nullopt)};
}

// ---- the way to an attempt: token, reservation, journal, sending

Action Exchange::on(Go, Now now) {
  if (!call_.takes_token || !token_.empty()) return reserve(now);
  if (now.steady >= deadline_) return out_of_time(Stage::prepare, now);
  return GetToken{};
}

Action Exchange::on(AccessToken token, Now now) {
  const bool another = token.value.reveal() != token_.reveal();
  if (token_was_refused_ && !another) {
    no_other_token(std::nullopt);
    return end("the token source has no other token", now);
  }
  token_ = std::move(token.value);
  if (!visible_ascii(token_.reveal())) {
    return end_before_an_attempt(
        TokenError{},
        token_.empty() ? "the access token is empty"
                       : "the access token holds a space, a line break or another character that cannot stand "
                         "in a header",
        now);
  }
  if (now.steady >= deadline_) return out_of_time(Stage::token, now);
  call_.request.authorization = Secret("Bearer " + token_.reveal());
  return reserve(now);
}

Action Exchange::on(const NoToken& refusal, Now now) {
  const Error& error = refusal.error;
  if (const auto* detail = error.get_if<TokenError>()) no_other_token(*detail);
  const bool keeps_its_kind = error.kind() == ErrorKind::cancelled || error.kind() == ErrorKind::deadline_exceeded ||
                              error.kind() == ErrorKind::token_error;
  return end_before_an_attempt(keeps_its_kind ? error.detail() : ErrorDetail(TokenError{}),
                               "no access token: " + error.message(), now);
}

/// Where a token was refused, that is what the call ends with as long as there is no attempt with another one.
void Exchange::no_other_token(std::optional<TokenError> why) {
  auto* unauthorized = ending_ ? std::get_if<Unauthorized>(&ending_->detail) : nullptr;
  if (unauthorized) unauthorized->token_error = std::move(why);
}

Action Exchange::reserve(Now now) {
  if (now.steady >= deadline_) return out_of_time(Stage::pause, now);
  return Reserve{};
}

Action Exchange::on(const CircuitIsOpen& circuit, Now now) {
  const Timestamp since = now.wall - std::chrono::duration_cast<milliseconds>(now.steady - circuit.since);
  return end_without_another(
      CircuitOpen{since, circuit.retry_in},
      "the circuit breaker is open since " + utc(since) + ": " + std::to_string(circuit.failures) +
          " attempts in a row had ended at once, none with an application's response; the last one: " + circuit.last +
          (circuit.probing ? "; one call is finding out whether that is over"
                           : "; the next call is let through in " + in_milliseconds(circuit.retry_in)),
      now);
}

Action Exchange::on(Reserved slot, Now now) {
  if (slot.at < deadline_) return Wait{slot.at};
  return end_without_another(DeadlineExceeded{Stage::pause},
                             "its slot in the rate limit comes in " +
                                 in_milliseconds(std::chrono::ceil<milliseconds>(slot.at - now.steady)) + ", and " +
                                 the_timeout() + " passes before",
                             now);
}

Action Exchange::on(Admitted admitted, Now) {
  random_ = admitted.random;
  return WriteDown{info_.attempts + 1};
}

Action Exchange::on(WrittenDown, Now now) {
  if (now.steady >= deadline_) return out_of_time(Stage::prepare, now);
  ++info_.attempts;
  sent_at_ = now.wall;
  attempt_began_ = now.steady;
  return Send{&call_.request, std::min(deadline_, after(now.steady, call_.timeouts.attempt_timeout)),
              std::move(connection_)};
}

Action Exchange::on(const NotWrittenDown& refusal, Now now) {
  return end_before_an_attempt(JournalRefused{}, refusal.why, now);
}

Action Exchange::on(Stopped stopped, Now now) {
  return end_before_an_attempt(Cancelled{stopped.stage}, "cancelled " + std::string(phrase(stopped.stage)), now);
}

// ---- what came of it

Action Exchange::on(const http::Failure& failure, Now now) {
  lesson_ = Lesson{.health = health(failure, now.steady - attempt_began_),
                   .ended = std::string(to_string(failure.cause)) + " " + std::string(phrase(failure.stage))};
  if (failure.body_left) {
    failed_connects_ = 0;
    ++attempts_that_left_;
  } else if (failed_connects_++ == 0) {
    connecting_since_ = now.steady;
  }
  if (failure.cause == Cause::stray_response && refused_at_) return stray_after_a_refusal(failure, now);
  const Classification classification = classify(failure, now.steady >= deadline_);
  keep(ending_of(classification, failure));
  return repeat_or_end(classification, std::nullopt, now);
}

/// What became of the attempt that was refused is what nobody knows now: so it is the one that the error tells of.
Action Exchange::stray_after_a_refusal(const http::Failure& failure, Now now) {
  Ending ending = ending_of(classify_stray_after_refusal(), failure);
  ending.what +=
      ": so the refusal before it (HTTP " + std::to_string(refused_with_) + ") was perhaps not this request's";
  if (!failure.body_left) ending.sent_at = refused_at_;
  keep(std::move(ending));
  return end({}, now);
}

Action Exchange::on(const http::Response& response, Now now) {
  failed_connects_ = 0;
  ++attempts_that_left_;
  const KnownHeaders headers(response.headers);
  note(headers, now);
  Reading reading;
  Refusal refusal;
  if (is_success(response.status)) {
    reading = call_.read(response.body);
    value_ = std::move(reading.value);
  } else {
    refusal = refusal_in(response);
  }
  const RefusedBy by = refusal.of_the_application ? RefusedBy::application : RefusedBy::anybody;
  const Classification classification =
      classify(response, reading, by, now.steady >= deadline_, call_.success_statuses);
  lesson_ = Lesson{.health = health(response, classification.outcome, now.steady - attempt_began_),
                   .ended = "HTTP " + std::to_string(response.status),
                   .gives_back = response.status < 500,
                   .allowance = allowance_in(response, headers, now)};
  if (classification.outcome != Outcome::succeeded)
    return no_success(response, classification, reading, std::move(refusal), now);
  info_.http_status = response.status;
  info_.sent_at = sent_at_;
  return Done{std::nullopt, take_call(now), std::move(value_)};
}

Action Exchange::no_success(const http::Response& response, Classification classification, const Reading& reading,
                            Refusal refusal, Now now) {
  const auto pause = retry_after(response.headers, now.wall);
  if (classification.for_the_truncation) {
    Ending truncated = ending_of(classification, *response.truncated);
    truncated.http_status = response.status;
    keep(std::move(truncated));
    return repeat_or_end(classification, pause, now);
  }
  if (is_success(response.status)) refusal = refusal_in(response);
  // Without a challenge it says nothing of the token: another one would be refused as well.
  const bool challenged =
      call_.takes_token && (refusal.oauth_error || http::find(response.headers, "WWW-Authenticate"));
  if (classification.condition == RetryCondition::with_another_token && !challenged)
    classification.condition = RetryCondition::no;

  const auto shown_pause = response.status == 429 ? pause : std::nullopt;
  std::string what = sentence(response, reading.reason, refusal.message, shown_pause);
  const bool open_end = is_success(response.status) && !response.framed && !reading.whole_json;
  if (open_end) what += "; the connection ended before the response was known to be whole";
  keep({.outcome = classification.outcome,
        .detail = detail_of(std::move(refusal.message), classification.kind, shown_pause),
        .what = std::move(what),
        .http_status = response.status,
        .sent_at = sent_at_});
  if (classification.outcome == Outcome::rejected) connection_ = response.connection;
  return repeat_or_end(classification, pause, now);
}

bool Exchange::is_success(int status) const noexcept { return is_among(call_.success_statuses, status); }

Refusal Exchange::refusal_in(const http::Response& response) const {
  Refusal refusal =
      decode_refusal(response.body, [this](std::string text) { return without_secrets(std::move(text)); });
  if (call_.responses_are_secret) refusal.message.body_excerpt.clear();
  return refusal;
}

void Exchange::note(const KnownHeaders& headers, Now now) {
  info_.rate_limit_remaining = parse_count(headers.rate_limit_remaining);
  if (headers.date) info_.server_date = parse_http_date(*headers.date);
  if (headers.request_id) info_.server_request_id = printable(without_secrets(*headers.request_id), 200);
  const auto reset = rate_limit_reset(headers, now.wall);
  info_.rate_limit_reset = reset ? std::optional(now.wall + *reset) : std::nullopt;
}

/// After a 429 all calls of the client hold back. Where something is left, it was the limit of a second, and the reset
/// is the minute's.
std::optional<Allowance> Exchange::allowance_in(const http::Response& response, const KnownHeaders& headers,
                                                Now now) const {
  const auto remaining = info_.rate_limit_remaining;
  if (response.status == 429) {
    if (remaining.value_or(0) > 0 && !headers.retry_after) return Allowance{0, std::chrono::seconds{1}};
    const auto pause = retry_after(headers, now.wall);
    if (!pause) return std::nullopt;
    return Allowance{0, std::max(*pause, shortest_pause_after_429)};  // whatever this call's own policy says of it
  }
  const auto reset = info_.rate_limit_reset;
  return remaining && reset ? std::optional(Allowance{*remaining, *reset - now.wall}) : std::nullopt;
}

// ---- whether it is tried again

bool Exchange::may_send_again_what_may_have_acted() const noexcept {
  switch (call_.repeat) {
    case Repeat::never:
      return call_.retry.repeat_unknown_starts;
    case Repeat::once:
      return !call_.may_have_acted_before && unknown_attempts_ <= 1;  // the one that just ended
    case Repeat::freely:
      return true;
  }
  return false;
}

std::string Exchange::reason_against(const Classification& classification, bool pause_is_named, Now now) const {
  if (classification.condition == RetryCondition::when_the_server_says && !pause_is_named)
    return "the server named no pause";
  if (classification.condition == RetryCondition::with_another_token && token_was_refused_)
    return "another token was refused before";
  if (failed_connects_ > 0) return reason_against_connecting(now);
  if (attempts_that_left_ >= call_.retry.max_attempts) {
    return "this was attempt " + std::to_string(attempts_that_left_) + " of at most " +
           std::to_string(std::max(call_.retry.max_attempts, 1)) +
           (info_.attempts > attempts_that_left_ ? ", those without a connection not counted" : "");
  }
  return {};
}

std::string Exchange::reason_against_connecting(Now now) const {
  if (call_.retry.max_attempts <= 1) return "this was attempt 1 of at most 1";
  if (now.steady < after(connecting_since_, call_.retry.connect_for)) return {};
  return "no connection for " + in_milliseconds(std::max(call_.retry.connect_for, milliseconds{0}));
}

Action Exchange::repeat_or_end(const Classification& classification, std::optional<milliseconds> named, Now now) {
  const bool another_token = classification.condition == RetryCondition::with_another_token;
  if (another_token) refused_ = token_;
  const bool harmful =
      classification.condition == RetryCondition::where_it_does_no_harm && !may_send_again_what_may_have_acted();
  if (classification.condition == RetryCondition::no || harmful || now.steady >= deadline_) return end({}, now);
  if (std::string reason = reason_against(classification, named.has_value(), now); !reason.empty())
    return end(reason, now);
  if (another_token || classification.condition == RetryCondition::when_the_server_says) {
    refused_at_ = sent_at_;
    refused_with_ = another_token ? 401 : 429;
  }
  if (another_token) {
    token_was_refused_ = true;
    no_other_token(TokenError{.temporary = true});  // in whatever way the call ends before the next attempt
    return GetToken{refused_};
  }
  if (failed_connects_ > 0) return wait_for_a_connection(now);
  return wait_before_the_next(classification.condition, named, now);
}

Action Exchange::wait_before_the_next(RetryCondition condition, std::optional<milliseconds> named, Now now) {
  const bool as_the_server_says = condition == RetryCondition::when_the_server_says;
  const milliseconds least = as_the_server_says ? shortest_pause_after_429 : milliseconds{0};
  const milliseconds chosen = named ? after_named_pause(call_.retry, std::max(*named, least), random_)
                                    : back_off(call_.retry, attempts_that_left_, random_);
  const milliseconds pause = std::max(chosen, least);
  const auto at = after(now.steady, pause);
  if (at >= deadline_) return pause_is_too_long(pause, now);
  return Wait{.until = at, .costs_a_repeat = !as_the_server_says};
}

Action Exchange::on(NoRepeatLeft, Now now) {
  return end("this client's budget of repeats is spent, as in an outage", now);
}

/// The last try is made at the end of the time for connecting: a pause that would pass it is shortened.
Action Exchange::wait_for_a_connection(Now now) {
  const milliseconds pause = std::clamp(back_off(call_.retry, failed_connects_, random_), shortest_pause_of_connecting,
                                        longest_pause_of_connecting);
  const auto at = std::min(after(now.steady, pause), after(connecting_since_, call_.retry.connect_for));
  if (at >= deadline_) return pause_is_too_long(pause, now);
  return Wait{at};
}

Action Exchange::pause_is_too_long(milliseconds pause, Now now) {
  return end("a pause of " + in_milliseconds(pause) + " would end after " + the_timeout(), now);
}

// ---- the end

Exchange::Ending Exchange::ending_of(const Classification& classification, const http::Failure& failure) const {
  std::string what = failure.text;
  if (classification.kind == ErrorKind::cancelled) what = "cancelled " + std::string(phrase(failure.stage));
  if (classification.kind == ErrorKind::deadline_exceeded) {
    what = the_timeout() + " passed " + std::string(phrase(failure.stage));
  }
  return {.outcome = classification.outcome,
          .detail = detail_of(failure, classification.kind),
          .what = std::move(what),
          .sent_at = sent_at_};
}

/// The outcome belongs to the call: what one attempt may have done, a later one cannot take back. Where it may be done
/// again, what counts is how it ended.
void Exchange::keep(Ending ending) {
  if (ending.outcome == Outcome::unknown) ++unknown_attempts_;
  if (!ending_ || call_.repeat != Repeat::never || ending.outcome >= ending_->outcome) {
    ending_ = std::move(ending);
  } else if (!ending_->what.ends_with("; then " + ending.what)) {  // connecting may fail so many times
    ending_->what += "; then " + ending.what;
  }
}

Action Exchange::end_before_an_attempt(ErrorDetail detail, const std::string& what, Now now) {
  keep({.outcome = Outcome::not_sent, .detail = std::move(detail), .what = what});
  return end({}, now);
}

/// What ended an attempt before says more than why no other one is made.
Action Exchange::end_without_another(ErrorDetail detail, const std::string& why, Now now) {
  if (ending_) return end(why, now);
  return end_before_an_attempt(std::move(detail), why, now);
}

Action Exchange::out_of_time(Stage stage, Now now) {
  return end_without_another(DeadlineExceeded{stage},
                             the_timeout() + (ending_ ? " leaves no time" : " passed " + std::string(phrase(stage))),
                             now);
}

Action Exchange::end(const std::string& why_no_more, Now now) {
  connection_.reset();
  const Outcome outcome = ending_->outcome;
  info_.http_status = ending_->http_status;
  info_.sent_at = outcome == Outcome::not_sent ? std::nullopt : ending_->sent_at;
  std::string message = ending_->what;
  if (!why_no_more.empty()) message += "; not tried again: " + why_no_more;
  if (call_.repeat == Repeat::never) message = as_outcome(outcome, message, info_.sent_at.value_or(now.wall));

  CallInfo call = take_call(now);
  Error error(outcome, std::move(ending_->detail), printable(without_secrets(std::move(message)), 4000), call,
              unknown_attempts_);
  return Done{std::move(error), std::move(call), std::move(value_), std::move(refused_)};
}

std::string Exchange::the_timeout() const { return "the call's timeout of " + in_milliseconds(call_.timeouts.timeout); }

std::string Exchange::without_secrets(std::string text) const {
  for (const Secret& secret : call_.secrets) text = redact(std::move(text), secret.reveal(), 1);
  return redact(std::move(text), token_.reveal());
}

CallInfo Exchange::take_call(Now now) {
  info_.duration = std::chrono::duration_cast<milliseconds>(now.steady - began_.steady);
  return std::move(info_);
}

}  // namespace connectid::inline v0::detail
