#include "judge.hpp"

namespace connectid::inline v0::detail {
namespace {

struct Row {
  int first = 0;
  int last = 0;
  Verdict verdict;
};

/// The first row that holds the status counts. A 200 that says what it should is judged before.
constexpr Row by_status[] = {
    {400, 400, {Word::rejected, ErrorKind::bad_request, Again::no}},
    {401, 401, {Word::rejected, ErrorKind::unauthorized, Again::with_another_token}},
    {403, 403, {Word::rejected, ErrorKind::forbidden, Again::no}},
    // A time-out on the server's side (408) or a proxy's note that its client went away (499): work may be under way.
    {408, 408, {Word::unknown, ErrorKind::unexpected_response, Again::where_it_does_no_harm}},
    {429, 429, {Word::rejected, ErrorKind::rate_limited, Again::when_the_server_says}},
    {499, 499, {Word::unknown, ErrorKind::unexpected_response, Again::where_it_does_no_harm}},
    {400, 499, {Word::rejected, ErrorKind::rejected, Again::no}},
    {500, 599, {Word::unknown, ErrorKind::server_error, Again::where_it_does_no_harm}},
};
constexpr Verdict any_other_status{Word::unknown, ErrorKind::unexpected_response, Again::no};

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
    case Cause::too_large:
      return false;
    default:
      return true;
  }
}

Again again_after(const http::Failure& failure) noexcept {
  const bool connecting =
      failure.stage == Stage::resolve || failure.stage == Stage::connect || failure.stage == Stage::handshake;
  if (!may_end_otherwise(failure.cause)) return Again::no;
  if (failure.body_left) return Again::where_it_does_no_harm;
  return connecting ? Again::after_a_pause : Again::no;
}

}  // namespace

Verdict judge(const http::Answer& answer, const Reading& reading, bool deadline_passed) noexcept {
  if (answer.status == 200) {
    const bool complete = reading.enough || (!answer.cut && (answer.framed || reading.whole_json));
    if (complete && reading.objection.empty()) return {.word = Word::started};
    if (answer.cut) {
      const bool again = may_end_otherwise(answer.cut->cause);
      return {Word::unknown, kind_of(answer.cut->cause, deadline_passed),
              again ? Again::where_it_does_no_harm : Again::no, true};
    }
  }
  for (const Row& row : by_status) {
    if (answer.status >= row.first && answer.status <= row.last) return row.verdict;
  }
  return any_other_status;
}

Verdict judge(const http::Failure& failure, bool deadline_passed) noexcept {
  return {failure.body_left ? Word::unknown : Word::not_sent, kind_of(failure.cause, deadline_passed),
          again_after(failure)};
}

}  // namespace connectid::inline v0::detail
