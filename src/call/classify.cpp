#include "call/classify.hpp"

namespace connectid::inline v0::detail {
namespace {

struct Row {
  int first = 0;
  int last = 0;
  Verdict verdict;
};

constexpr Verdict passed_on{Word::unknown, ErrorKind::unexpected_response, Again::where_it_does_no_harm};

/// The first row that holds the status counts. A 200 that says what it should is judged before, and so is a 403 that
/// the application did not write.
constexpr Row by_status[] = {
    {400, 400, {Word::rejected, ErrorKind::bad_request, Again::no}},
    {401, 401, {Word::rejected, ErrorKind::unauthorized, Again::with_another_token}},
    {403, 403, {Word::rejected, ErrorKind::forbidden, Again::no}},
    // Somebody stopped waiting while work may be under way: the server (408), nginx for a connection that it closed
    // (444), a load balancer for its client (460), a proxy for its client (499).
    {408, 408, passed_on},
    // A gateway that repeats requests by itself meets, with its second, an application that remembers the first.
    {409, 409, passed_on},
    {429, 429, {Word::rejected, ErrorKind::rate_limited, Again::when_the_server_says}},
    {444, 444, passed_on},
    {460, 460, passed_on},
    {499, 499, passed_on},
    {400, 499, {Word::rejected, ErrorKind::rejected, Again::no}},
    {500, 599, {Word::unknown, ErrorKind::server_error, Again::where_it_does_no_harm}},
};
constexpr Verdict any_other_status{Word::unknown, ErrorKind::unexpected_response, Again::no};

/// As if the whole request had left.
Verdict by_status_of(int status, RefusedBy by) noexcept {
  // A gateway that inspects responses says so instead of the application's own, after that has acted. It would again.
  if (status == 403 && by == RefusedBy::anybody) return any_other_status;
  for (const Row& row : by_status) {
    if (status >= row.first && status <= row.last) return row.verdict;
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

Verdict for_the_cut(const http::Failure& cut, bool deadline_passed) noexcept {
  return {Word::unknown, kind_of(cut.cause, deadline_passed),
          may_end_otherwise(cut.cause) ? Again::where_it_does_no_harm : Again::no, true};
}

/// Which stage it was says little: a load balancer without a back end resets a connection that stood.
Again again_after(const http::Failure& failure) noexcept {
  if (!may_end_otherwise(failure.cause)) return Again::no;
  return failure.body_left ? Again::where_it_does_no_harm : Again::after_a_pause;
}

constexpr std::chrono::seconds at_once{1};

}  // namespace

Verdict judge(const http::Answer& answer, const Reading& reading, RefusedBy by, bool deadline_passed) noexcept {
  const bool early = answer.left != http::Left::whole;
  if (answer.cut && answer.cut->cause == Cause::stray_answer) return for_the_cut(*answer.cut, deadline_passed);
  if (answer.status == 200) {
    const bool complete = reading.enough || (!answer.cut && (answer.framed || reading.whole_json));
    if (complete && !early && reading.objection.empty()) return {.word = Word::started};
    if (answer.cut) return for_the_cut(*answer.cut, deadline_passed);
  }
  Verdict verdict = by_status_of(answer.status, by);
  // No endpoint acts on a request whose body has not begun, so whoever may have acted otherwise cannot have here. A
  // success of what had not arrived is not believed at all: it is somebody else's.
  const bool success = answer.status >= 200 && answer.status <= 299;
  if (answer.left == http::Left::head && verdict.word == Word::unknown && !success) {
    verdict.word = Word::not_sent;
    verdict.again = Again::after_a_pause;
  }
  return verdict;
}

Verdict judge(const http::Failure& failure, bool deadline_passed) noexcept {
  return {failure.body_left ? Word::unknown : Word::not_sent, kind_of(failure.cause, deadline_passed),
          again_after(failure)};
}

Verdict judge_a_stray_after_a_refusal() noexcept { return {Word::unknown, ErrorKind::transport_error, Again::no}; }

Health health(const http::Answer& answer, Word word, std::chrono::steady_clock::duration lasted) noexcept {
  const bool by_a_gateway = answer.status >= 502 && answer.status <= 504;
  const bool by_an_application = word != Word::unknown || answer.status == 500 || answer.status == 501;
  if (by_an_application && !by_a_gateway) return Health::answers;
  if (answer.cut) return health(*answer.cut, lasted);
  return lasted < at_once ? Health::fails_at_once : Health::fails;
}

/// A time limit is our own impatience: it tells that nobody answered, but not that the next call would meet the same.
Health health(const http::Failure& failure, std::chrono::steady_clock::duration lasted) noexcept {
  if (!failure.body_left || failure.cause == Cause::cancelled) return Health::unclear;
  return lasted < at_once && failure.cause != Cause::timed_out ? Health::fails_at_once : Health::fails;
}

}  // namespace connectid::inline v0::detail
