#include "call/classify.hpp"

#include <gtest/gtest.h>

#include <string>

namespace connectid {

void PrintTo(ErrorKind kind, std::ostream* out) { *out << kind; }

namespace {

using namespace std::chrono_literals;
using detail::Again;
using detail::Health;
using detail::health;
using detail::judge;
using detail::Reading;
using detail::RefusedBy;
using detail::Verdict;
using http::Answer;
using http::Failure;
using http::Left;

constexpr auto by_the_application = RefusedBy::application;
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
  const Verdict verdict = judge(answer, c.reading, by_the_application, false);
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
    {"ok_with_a_stray_answer_behind_it", 200, true, Cause::stray_answer, fine, Word::unknown,
     ErrorKind::transport_error},
    {"bad_request_with_a_stray_answer_behind_it", 400, true, Cause::stray_answer, nothing, Word::unknown,
     ErrorKind::transport_error},
    {"too_many_requests_with_a_stray_answer_behind_it", 429, true, Cause::stray_answer, nothing, Word::unknown,
     ErrorKind::transport_error},
    {"unauthorized", 401, true, {}, nothing, Word::rejected, ErrorKind::unauthorized},
    {"payment_required", 402, true, {}, nothing, Word::rejected, ErrorKind::rejected},
    {"forbidden", 403, true, {}, nothing, Word::rejected, ErrorKind::forbidden},
    {"not_found", 404, true, {}, nothing, Word::rejected, ErrorKind::rejected},
    {"proxy_authentication", 407, true, {}, nothing, Word::rejected, ErrorKind::rejected},
    {"request_timeout", 408, true, {}, nothing, Word::unknown, ErrorKind::unexpected_response},
    {"conflict", 409, true, {}, nothing, Word::unknown, ErrorKind::unexpected_response},
    {"too_early", 425, true, {}, nothing, Word::rejected, ErrorKind::rejected},
    {"too_many_requests", 429, true, {}, nothing, Word::rejected, ErrorKind::rate_limited},
    {"no_response", 444, true, {}, nothing, Word::unknown, ErrorKind::unexpected_response},
    {"load_balancers_client_went_away", 460, true, {}, nothing, Word::unknown, ErrorKind::unexpected_response},
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

bool passed_on_by_a_gateway(int status) {
  return status == 408 || status == 409 || status == 444 || status == 460 || status == 499;
}

TEST(Judge, no_status_but_200_is_ever_started_and_only_4xx_is_rejected) {
  for (int status = -10; status <= 1000; ++status) {
    for (const bool framed : {false, true}) {
      const Answer answer{.status = status, .headers = {}, .body = {}, .framed = framed, .cut = std::nullopt};
      const Verdict verdict = judge(answer, fine, by_the_application, false);
      const bool refusal = status >= 400 && status <= 499 && !passed_on_by_a_gateway(status);
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
  for (const Cause cause : {Cause::unresolved, Cause::unreachable, Cause::certificate, Cause::tls, Cause::proxy_refused,
                            Cause::proxy_denied, Cause::closed, Cause::reset, Cause::stray_answer, Cause::malformed,
                            Cause::too_large, Cause::other}) {
    EXPECT_EQ(kind(cause, false), ErrorKind::transport_error) << to_string(cause);
  }
}

TEST(Judge, a_403_that_the_application_did_not_write_is_unknown_and_would_come_again) {
  const Answer answer{.status = 403, .framed = true};
  EXPECT_EQ(judge(answer, nothing, RefusedBy::application, false),
            (Verdict{Word::rejected, ErrorKind::forbidden, Again::no}));
  EXPECT_EQ(judge(answer, nothing, RefusedBy::anybody, false),
            (Verdict{Word::unknown, ErrorKind::unexpected_response, Again::no}));
}

TEST(Judge, of_no_other_answer_it_matters_who_wrote_it) {
  for (int status = -1; status < 1100; ++status) {
    for (const Left left : {Left::head, Left::part, Left::whole}) {
      if (status == 403) continue;
      const Answer answer{.status = status, .framed = true, .left = left};
      ASSERT_EQ(judge(answer, fine, RefusedBy::application, false), judge(answer, fine, RefusedBy::anybody, false));
    }
  }
}

TEST(Judge, an_early_success_is_unknown) {
  for (int status = 200; status <= 299; ++status) {
    for (const Left left : {Left::head, Left::part}) {
      const Answer answer{.status = status, .framed = true, .left = left};
      ASSERT_EQ(judge(answer, {.whole_json = true, .objection = {}, .enough = true}, by_the_application, false),
                (Verdict{Word::unknown, ErrorKind::unexpected_response, Again::no}))
          << status;
    }
  }
}

TEST(Judge, an_early_answer_that_was_cut_by_the_caller_still_says_so) {
  const Answer answer{.status = 200, .cut = Failure{Stage::receive, Cause::cancelled, true, {}}, .left = Left::part};
  EXPECT_EQ(judge(answer, nothing, by_the_application, false).kind, ErrorKind::cancelled);
}

TEST(Judge, without_a_byte_of_the_body_nobody_can_have_acted) {
  for (int status = -1; status < 1100; ++status) {
    if (status >= 200 && status <= 299) continue;
    for (const RefusedBy by : {RefusedBy::application, RefusedBy::anybody}) {
      const Verdict whole = judge(Answer{.status = status, .framed = true}, nothing, by, false);
      const Verdict part = judge(Answer{.status = status, .framed = true, .left = Left::part}, nothing, by, false);
      const Verdict head = judge(Answer{.status = status, .framed = true, .left = Left::head}, nothing, by, false);
      ASSERT_EQ(part, whole) << status;
      if (whole.word == Word::unknown) {
        ASSERT_EQ(head, (Verdict{Word::not_sent, whole.kind, Again::after_a_pause})) << status;
      } else {
        ASSERT_EQ(head, whole) << status;
      }
    }
  }
}

TEST(Judge, of_failures_only_what_left_nothing_may_be_repeated_unasked) {
  for (int cause = 0; cause <= static_cast<int>(Cause::other); ++cause) {
    for (int stage = 0; stage <= static_cast<int>(Stage::receive); ++stage) {
      for (const bool body_left : {false, true}) {
        const Failure failure{static_cast<Stage>(stage), static_cast<Cause>(cause), body_left, {}};
        const bool final = failure.cause == Cause::cancelled || failure.cause == Cause::configuration ||
                           failure.cause == Cause::certificate || failure.cause == Cause::proxy_denied ||
                           failure.cause == Cause::too_large;
        const Again expected = final ? Again::no : body_left ? Again::where_it_does_no_harm : Again::after_a_pause;
        ASSERT_EQ(judge(failure, false).again, expected) << stage << " " << cause;
      }
    }
  }
}

TEST(Judge, of_all_statuses_only_401_and_429_may_be_repeated_unasked) {
  for (int status = -1; status < 1100; ++status) {
    const Answer answer{.status = status, .framed = true};
    const Again again = judge(answer, nothing, by_the_application, false).again;
    const Again expected = status == 401   ? Again::with_another_token
                           : status == 429 ? Again::when_the_server_says
                           : passed_on_by_a_gateway(status) || (status >= 500 && status <= 599)
                               ? Again::where_it_does_no_harm
                               : Again::no;
    ASSERT_EQ(again, expected) << status;
  }
}

TEST(Judge, a_stray_answer_after_a_refusal_is_unknown_and_final) {
  EXPECT_EQ(detail::judge_a_stray_after_a_refusal(), (Verdict{Word::unknown, ErrorKind::transport_error, Again::no}));
}

TEST(Judge, an_answer_is_healthy_unless_it_may_have_acted_or_a_gateway_gave_it) {
  for (int status = -1; status < 1100; ++status) {
    const Answer answer{.status = status, .framed = true};
    for (const Word word : {Word::started, Word::not_sent, Word::rejected, Word::unknown}) {
      const bool of_an_application = status == 500 || status == 501 || word != Word::unknown;
      const bool fails = (status >= 502 && status <= 504) || !of_an_application;
      ASSERT_EQ(health(answer, word, 1s), fails ? Health::fails : Health::answers) << status;
      ASSERT_EQ(health(answer, word, 999ms), fails ? Health::fails_at_once : Health::answers) << status;
    }
  }
}

TEST(Judge, an_answer_that_was_cut_is_as_unhealthy_as_what_cut_it) {
  const auto cut_by = [](Cause cause) {
    return Answer{.status = 200, .cut = Failure{Stage::receive, cause, true, {}}};
  };
  EXPECT_EQ(health(cut_by(Cause::reset), Word::unknown, 1ms), Health::fails_at_once);
  EXPECT_EQ(health(cut_by(Cause::timed_out), Word::unknown, 1ms), Health::fails);
  EXPECT_EQ(health(cut_by(Cause::cancelled), Word::unknown, 1ms), Health::unclear);
}

TEST(Judge, a_failure_is_unhealthy_where_the_peer_ended_what_had_left) {
  for (int cause = 0; cause <= static_cast<int>(Cause::other); ++cause) {
    const Failure nothing_left{Stage::connect, static_cast<Cause>(cause), false, {}};
    ASSERT_EQ(health(nothing_left, 1ms), Health::unclear);
    const Failure left{Stage::wait, static_cast<Cause>(cause), true, {}};
    const bool ours = left.cause == Cause::cancelled;
    ASSERT_EQ(health(left, 1s), ours ? Health::unclear : Health::fails);
    const Health at_once = ours                             ? Health::unclear
                           : left.cause == Cause::timed_out ? Health::fails
                                                            : Health::fails_at_once;
    ASSERT_EQ(health(left, 999ms), at_once);
  }
}

}  // namespace
}  // namespace connectid
