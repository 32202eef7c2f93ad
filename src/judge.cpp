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
    {400, 400, {Word::rejected, ErrorKind::bad_request}},
    {401, 401, {Word::rejected, ErrorKind::unauthorized}},
    {403, 403, {Word::rejected, ErrorKind::forbidden}},
    // A time-out on the server's side (408) or a proxy's note that its client went away (499): work may be under way.
    {408, 408, {Word::unknown, ErrorKind::unexpected_response}},
    {429, 429, {Word::rejected, ErrorKind::rate_limited}},
    {499, 499, {Word::unknown, ErrorKind::unexpected_response}},
    {400, 499, {Word::rejected, ErrorKind::rejected}},
    {500, 599, {Word::unknown, ErrorKind::server_error}},
};
constexpr Verdict any_other_status{Word::unknown, ErrorKind::unexpected_response};

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

}  // namespace

Verdict judge(const http::Answer& answer, const Reading& reading, bool deadline_passed) noexcept {
  if (answer.status == 200) {
    const bool complete = !answer.cut && (answer.framed || reading.whole_json);
    if (complete && reading.objection.empty()) return {Word::started, {}, false};
    if (answer.cut) return {Word::unknown, kind_of(answer.cut->cause, deadline_passed), true};
  }
  for (const Row& row : by_status) {
    if (answer.status >= row.first && answer.status <= row.last) return row.verdict;
  }
  return any_other_status;
}

Verdict judge(const http::Failure& failure, bool deadline_passed) noexcept {
  return {failure.body_left ? Word::unknown : Word::not_sent, kind_of(failure.cause, deadline_passed), false};
}

}  // namespace connectid::inline v0::detail
