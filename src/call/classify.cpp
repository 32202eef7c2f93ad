#include "call/classify.hpp"

namespace connectid::inline v0::detail {
namespace {

struct Row {
  int first = 0;
  int last = 0;
  Classification classification;
};

constexpr Classification passed_on{Outcome::unknown, ErrorKind::unexpected_response,
                                   RetryCondition::where_it_does_no_harm};

/// The first row that holds the status counts. A success that says what it should comes before, and so is a 403 that
/// the application did not write.
constexpr Row by_status[] = {
    {400, 400, {Outcome::rejected, ErrorKind::bad_request, RetryCondition::no}},
    {401, 401, {Outcome::rejected, ErrorKind::unauthorized, RetryCondition::with_another_token}},
    {403, 403, {Outcome::rejected, ErrorKind::forbidden, RetryCondition::no}},
    // Somebody stopped waiting while work may be under way: the server (408), nginx for a connection that it closed
    // (444), a load balancer for its client (460), a proxy for its client (499).
    {408, 408, passed_on},
    // A gateway that repeats requests by itself meets, with its second, an application that remembers the first.
    {409, 409, passed_on},
    {429, 429, {Outcome::rejected, ErrorKind::rate_limited, RetryCondition::when_the_server_says}},
    {444, 444, passed_on},
    {460, 460, passed_on},
    {499, 499, passed_on},
    {400, 499, {Outcome::rejected, ErrorKind::rejected, RetryCondition::no}},
    {500, 599, {Outcome::unknown, ErrorKind::server_error, RetryCondition::where_it_does_no_harm}},
};
constexpr Classification any_other_status{Outcome::unknown, ErrorKind::unexpected_response, RetryCondition::no};

/// As if the whole request had left.
Classification by_status_of(int status, RefusedBy by) noexcept {
  // A gateway that inspects responses says so instead of the application's own, after that has acted. It would again.
  if (status == 403 && by == RefusedBy::anybody) return any_other_status;
  for (const Row& row : by_status) {
    if (status >= row.first && status <= row.last) return row.classification;
  }
  return any_other_status;
}

ErrorKind kind_of(Cause cause, bool deadline_passed) noexcept {
  switch (cause) {
    case Cause::cancelled:
      return ErrorKind::cancelled;
    case Cause::configuration:
      return ErrorKind::configuration_error;
    case Cause::timed_out:
      return deadline_passed ? ErrorKind::deadline_exceeded : ErrorKind::transport_error;
    default:
      return ErrorKind::transport_error;
  }
}

/// What would end the same way again is not repeated, nor what was ended on purpose.
bool may_end_otherwise(Cause cause) noexcept {
  switch (cause) {
    case Cause::cancelled:
    case Cause::configuration:
    case Cause::certificate:
    case Cause::proxy_denied:
    case Cause::too_large:
      return false;
    default:
      return true;
  }
}

Classification for_the_truncation(const http::Failure& truncated, bool deadline_passed) noexcept {
  return {Outcome::unknown, kind_of(truncated.cause, deadline_passed),
          may_end_otherwise(truncated.cause) ? RetryCondition::where_it_does_no_harm : RetryCondition::no, true};
}

/// Which stage it was says little: a load balancer without a back end resets a connection that stood.
RetryCondition retry_condition_after(const http::Failure& failure) noexcept {
  if (!may_end_otherwise(failure.cause)) return RetryCondition::no;
  return failure.body_left ? RetryCondition::where_it_does_no_harm : RetryCondition::after_a_pause;
}

constexpr std::chrono::seconds at_once{1};

}  // namespace

Classification classify(const http::Response& response, const Reading& reading, RefusedBy by, bool deadline_passed,
                        std::span<const int> success_statuses) noexcept {
  const bool early = response.left != http::Left::whole;
  if (response.truncated && response.truncated->cause == Cause::stray_response)
    return for_the_truncation(*response.truncated, deadline_passed);
  if (is_among(success_statuses, response.status)) {
    const bool complete = reading.enough || (!response.truncated && (response.framed || reading.whole_json));
    if (complete && !early && reading.reason.empty()) return {.outcome = Outcome::succeeded};
    if (response.truncated) return for_the_truncation(*response.truncated, deadline_passed);
  }
  Classification classification = by_status_of(response.status, by);
  // No endpoint acts on a request whose body has not begun, so whoever may have acted otherwise cannot have here. A
  // success of what had not arrived is not believed at all: it is somebody else's.
  const bool success = response.status >= 200 && response.status <= 299;
  if (response.left == http::Left::head && classification.outcome == Outcome::unknown && !success) {
    classification.outcome = Outcome::not_sent;
    classification.condition = RetryCondition::after_a_pause;
  }
  return classification;
}

Classification classify(const http::Failure& failure, bool deadline_passed) noexcept {
  return {failure.body_left ? Outcome::unknown : Outcome::not_sent, kind_of(failure.cause, deadline_passed),
          retry_condition_after(failure)};
}

Classification classify_stray_after_refusal() noexcept {
  return {Outcome::unknown, ErrorKind::transport_error, RetryCondition::no};
}

Health health(const http::Response& response, Outcome outcome, std::chrono::steady_clock::duration lasted) noexcept {
  const bool by_a_gateway = response.status >= 502 && response.status <= 504;
  const bool by_an_application = outcome != Outcome::unknown || response.status == 500 || response.status == 501;
  if (by_an_application && !by_a_gateway) return Health::responds;
  if (response.truncated) return health(*response.truncated, lasted);
  return lasted < at_once ? Health::fails_at_once : Health::fails;
}

/// A time limit is our own impatience: it tells that nobody responded, but not that the next call would meet the same.
Health health(const http::Failure& failure, std::chrono::steady_clock::duration lasted) noexcept {
  if (!failure.body_left || failure.cause == Cause::cancelled) return Health::unclear;
  return lasted < at_once && failure.cause != Cause::timed_out ? Health::fails_at_once : Health::fails;
}

}  // namespace connectid::inline v0::detail
