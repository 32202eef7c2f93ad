#include "judge.hpp"

#include <gtest/gtest.h>

#include <string>

namespace connectid {

void PrintTo(ErrorKind kind, std::ostream* out) { *out << kind; }

namespace {

using detail::Again;
using detail::judge;
using detail::Reading;
using detail::Verdict;
using http::Answer;
using http::Failure;

constexpr auto any_kind = ErrorKind{};
const Reading fine{.whole_json = true, .objection = {}};
const Reading nothing{};
const Reading refused{.whole_json = true, .objection = "has another status than OK"};
const Reading no_json{.whole_json = false, .objection = "is not JSON"};

struct AnswerCase {
  std::string name;
  int status;
  bool framed;
  std::optional<Cause> cut;
  Reading reading;
  Word word;
  ErrorKind kind;
};
class JudgeAnswer : public testing::TestWithParam<AnswerCase> {};

TEST_P(JudgeAnswer, gives_the_word_and_the_kind) {
  const AnswerCase& c = GetParam();
  Answer answer{.status = c.status, .headers = {}, .body = {}, .framed = c.framed, .cut = std::nullopt};
  if (c.cut) answer.cut = Failure{.stage = Stage::receive, .cause = *c.cut, .body_left = true, .text = {}};
  const Verdict verdict = judge(answer, c.reading, false);
  EXPECT_EQ(verdict.word, c.word);
  if (c.word != Word::started) EXPECT_EQ(verdict.kind, c.kind) << verdict.kind;
}

const AnswerCase answers[] = {
    {"ok_framed", 200, true, {}, fine, Word::started, any_kind},
    {"ok_ended_by_the_close_and_whole_json", 200, false, {}, fine, Word::started, any_kind},
    {"empty_framed", 200, true, {}, nothing, Word::started, any_kind},
    {"empty_ended_by_the_close", 200, false, {}, nothing, Word::unknown, ErrorKind::unexpected_response},
    {"another_status_word", 200, true, {}, refused, Word::unknown, ErrorKind::unexpected_response},
    {"html", 200, true, {}, no_json, Word::unknown, ErrorKind::unexpected_response},
    {"half_json_ended_by_the_close", 200, false, {}, no_json, Word::unknown, ErrorKind::unexpected_response},
    {"cut_in_the_body", 200, false, Cause::closed, fine, Word::unknown, ErrorKind::transport_error},
    {"cut_though_framed", 200, true, Cause::reset, fine, Word::unknown, ErrorKind::transport_error},
    {"cancelled_in_the_body", 200, false, Cause::cancelled, nothing, Word::unknown, ErrorKind::cancelled},
    {"too_large", 200, false, Cause::too_large, nothing, Word::unknown, ErrorKind::transport_error},
    {"created", 201, true, {}, fine, Word::unknown, ErrorKind::unexpected_response},
    {"accepted", 202, true, {}, fine, Word::unknown, ErrorKind::unexpected_response},
    {"no_content", 204, true, {}, nothing, Word::unknown, ErrorKind::unexpected_response},
    {"continue_as_final", 100, true, {}, nothing, Word::unknown, ErrorKind::unexpected_response},
    {"switching_protocols", 101, true, {}, nothing, Word::unknown, ErrorKind::unexpected_response},
    {"redirect", 302, true, {}, nothing, Word::unknown, ErrorKind::unexpected_response},
    {"permanent_redirect", 308, true, {}, nothing, Word::unknown, ErrorKind::unexpected_response},
    {"bad_request", 400, true, {}, nothing, Word::rejected, ErrorKind::bad_request},
    {"bad_request_cut_in_the_body", 400, false, Cause::closed, nothing, Word::rejected, ErrorKind::bad_request},
    {"bad_request_that_claims_success", 400, true, {}, fine, Word::rejected, ErrorKind::bad_request},
    {"unauthorized", 401, true, {}, nothing, Word::rejected, ErrorKind::unauthorized},
    {"payment_required", 402, true, {}, nothing, Word::rejected, ErrorKind::rejected},
    {"forbidden", 403, true, {}, nothing, Word::rejected, ErrorKind::forbidden},
    {"not_found", 404, true, {}, nothing, Word::rejected, ErrorKind::rejected},
    {"proxy_authentication", 407, true, {}, nothing, Word::rejected, ErrorKind::rejected},
    {"request_timeout", 408, true, {}, nothing, Word::unknown, ErrorKind::unexpected_response},
    {"conflict", 409, true, {}, nothing, Word::rejected, ErrorKind::rejected},
    {"too_early", 425, true, {}, nothing, Word::rejected, ErrorKind::rejected},
    {"too_many_requests", 429, true, {}, nothing, Word::rejected, ErrorKind::rate_limited},
    {"client_closed_request", 499, true, {}, nothing, Word::unknown, ErrorKind::unexpected_response},
    {"internal_error", 500, true, {}, nothing, Word::unknown, ErrorKind::server_error},
    {"bad_gateway_cut", 502, false, Cause::closed, nothing, Word::unknown, ErrorKind::server_error},
    {"unavailable", 503, true, {}, nothing, Word::unknown, ErrorKind::server_error},
    {"five_ninety_nine", 599, true, {}, nothing, Word::unknown, ErrorKind::server_error},
    {"six_hundred", 600, true, {}, nothing, Word::unknown, ErrorKind::unexpected_response},
    {"nine_nine_nine", 999, true, {}, nothing, Word::unknown, ErrorKind::unexpected_response},
    {"zero", 0, true, {}, fine, Word::unknown, ErrorKind::unexpected_response},
    {"negative", -1, true, {}, fine, Word::unknown, ErrorKind::unexpected_response},
};
INSTANTIATE_TEST_SUITE_P(Table, JudgeAnswer, testing::ValuesIn(answers),
                         [](const auto& row) { return row.param.name; });

TEST(Judge, no_status_but_200_is_ever_started_and_only_4xx_is_rejected) {
  for (int status = -10; status <= 1000; ++status) {
    for (const bool framed : {false, true}) {
      const Answer answer{.status = status, .headers = {}, .body = {}, .framed = framed, .cut = std::nullopt};
      const Verdict verdict = judge(answer, fine, false);
      const bool refusal = status >= 400 && status <= 499 && status != 408 && status != 499;
      const Word expected = status == 200 ? Word::started : refusal ? Word::rejected : Word::unknown;
      ASSERT_EQ(verdict.word, expected) << status;
    }
  }
}

TEST(Judge, a_failure_is_not_sent_if_and_only_if_the_body_did_not_leave) {
  for (int cause = 0; cause <= static_cast<int>(Cause::other); ++cause) {
    for (int stage = 0; stage <= static_cast<int>(Stage::receive); ++stage) {
      for (const bool body_left : {false, true}) {
        for (const bool late : {false, true}) {
          const Failure failure{static_cast<Stage>(stage), static_cast<Cause>(cause), body_left, {}};
          ASSERT_EQ(judge(failure, late).word, body_left ? Word::unknown : Word::not_sent);
        }
      }
    }
  }
}

TEST(Judge, a_failure_whose_transport_said_nothing_is_unknown) {
  EXPECT_EQ(judge(Failure{}, false).word, Word::unknown);
}

TEST(Judge, the_kind_of_a_failure_follows_its_cause) {
  const auto kind = [](Cause cause, bool late) {
    return judge(Failure{.stage = Stage::wait, .cause = cause, .body_left = true, .text = {}}, late).kind;
  };
  EXPECT_EQ(kind(Cause::timed_out, true), ErrorKind::deadline_exceeded);
  EXPECT_EQ(kind(Cause::timed_out, false), ErrorKind::transport_error);
  EXPECT_EQ(kind(Cause::cancelled, true), ErrorKind::cancelled);
  EXPECT_EQ(kind(Cause::configuration, false), ErrorKind::configuration_error);
  for (const Cause cause :
       {Cause::unresolved, Cause::unreachable, Cause::certificate, Cause::tls, Cause::proxy_refused, Cause::closed,
        Cause::reset, Cause::stray_answer, Cause::malformed, Cause::too_large, Cause::other}) {
    EXPECT_EQ(kind(cause, false), ErrorKind::transport_error) << to_string(cause);
  }
}

TEST(Judge, only_what_never_had_a_connection_may_be_repeated_unasked) {
  for (int cause = 0; cause <= static_cast<int>(Cause::other); ++cause) {
    for (int stage = 0; stage <= static_cast<int>(Stage::receive); ++stage) {
      for (const bool body_left : {false, true}) {
        const Failure failure{static_cast<Stage>(stage), static_cast<Cause>(cause), body_left, {}};
        const bool connecting =
            failure.stage == Stage::resolve || failure.stage == Stage::connect || failure.stage == Stage::handshake;
        const Again again = judge(failure, false).again;
        if (again == Again::after_a_pause) ASSERT_TRUE(connecting && !body_left) << stage << " " << cause;
        if (body_left) ASSERT_TRUE(again == Again::no || again == Again::where_it_does_no_harm);
        if (failure.cause == Cause::certificate || failure.cause == Cause::cancelled) ASSERT_EQ(again, Again::no);
      }
    }
  }
}

TEST(Judge, of_all_statuses_only_401_and_429_may_be_repeated_unasked) {
  for (int status = -1; status < 1100; ++status) {
    const Again again =
        judge(Answer{.status = status, .headers = {}, .body = {}, .framed = true, .cut = {}}, nothing, false).again;
    const Again expected = status == 401   ? Again::with_another_token
                           : status == 429 ? Again::when_the_server_says
                           : status == 408 || status == 499 || (status >= 500 && status <= 599)
                               ? Again::where_it_does_no_harm
                               : Again::no;
    ASSERT_EQ(again, expected) << status;
  }
}

}  // namespace
}  // namespace connectid
