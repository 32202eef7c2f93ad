#include "call/classify.hpp"

#include <gtest/gtest.h>

#include <string>

namespace connectid {

void PrintTo(ErrorKind kind, std::ostream* out) { *out << kind; }

namespace {

using namespace std::chrono_literals;
using detail::Classification;
using detail::classify;
using detail::Health;
using detail::health;
using detail::Reading;
using detail::RefusedBy;
using detail::RetryCondition;
using http::Failure;
using http::Left;
using http::Response;

constexpr auto by_the_application = RefusedBy::application;
constexpr auto any_kind = ErrorKind{};
const Reading fine{.whole_json = true, .reason = {}};
const Reading nothing{};
const Reading refused{.whole_json = true, .reason = "has another status than OK"};
const Reading no_json{.whole_json = false, .reason = "is not JSON"};

struct ResponseCase {
  std::string name;
  int status;
  bool framed;
  std::optional<Cause> truncated;
  Reading reading;
  Outcome outcome;
  ErrorKind kind;
};
class ClassifyResponse : public testing::TestWithParam<ResponseCase> {};

TEST_P(ClassifyResponse, gives_the_outcome_and_the_kind) {
  const ResponseCase& c = GetParam();
  Response response{.status = c.status, .headers = {}, .body = {}, .framed = c.framed, .truncated = std::nullopt};
  if (c.truncated)
    response.truncated = Failure{.stage = Stage::receive, .cause = *c.truncated, .body_left = true, .text = {}};
  const Classification classification = classify(response, c.reading, by_the_application, false);
  EXPECT_EQ(classification.outcome, c.outcome);
  if (c.outcome != Outcome::succeeded) EXPECT_EQ(classification.kind, c.kind) << classification.kind;
}

const ResponseCase responses[] = {
    {"ok_framed", 200, true, {}, fine, Outcome::succeeded, any_kind},
    {"ok_ended_by_the_close_and_whole_json", 200, false, {}, fine, Outcome::succeeded, any_kind},
    {"empty_framed", 200, true, {}, nothing, Outcome::succeeded, any_kind},
    {"empty_ended_by_the_close", 200, false, {}, nothing, Outcome::unknown, ErrorKind::unexpected_response},
    {"another_status_text", 200, true, {}, refused, Outcome::unknown, ErrorKind::unexpected_response},
    {"html", 200, true, {}, no_json, Outcome::unknown, ErrorKind::unexpected_response},
    {"half_json_ended_by_the_close", 200, false, {}, no_json, Outcome::unknown, ErrorKind::unexpected_response},
    {"truncated_in_the_body", 200, false, Cause::closed, fine, Outcome::unknown, ErrorKind::transport_error},
    {"truncated_though_framed", 200, true, Cause::reset, fine, Outcome::unknown, ErrorKind::transport_error},
    {"cancelled_in_the_body", 200, false, Cause::cancelled, nothing, Outcome::unknown, ErrorKind::cancelled},
    {"too_large", 200, false, Cause::too_large, nothing, Outcome::unknown, ErrorKind::transport_error},
    {"created", 201, true, {}, fine, Outcome::unknown, ErrorKind::unexpected_response},
    {"accepted", 202, true, {}, fine, Outcome::unknown, ErrorKind::unexpected_response},
    {"no_content", 204, true, {}, nothing, Outcome::unknown, ErrorKind::unexpected_response},
    {"continue_as_final", 100, true, {}, nothing, Outcome::unknown, ErrorKind::unexpected_response},
    {"switching_protocols", 101, true, {}, nothing, Outcome::unknown, ErrorKind::unexpected_response},
    {"redirect", 302, true, {}, nothing, Outcome::unknown, ErrorKind::unexpected_response},
    {"permanent_redirect", 308, true, {}, nothing, Outcome::unknown, ErrorKind::unexpected_response},
    {"bad_request", 400, true, {}, nothing, Outcome::rejected, ErrorKind::bad_request},
    {"bad_request_truncated_in_the_body", 400, false, Cause::closed, nothing, Outcome::rejected,
     ErrorKind::bad_request},
    {"bad_request_that_claims_success", 400, true, {}, fine, Outcome::rejected, ErrorKind::bad_request},
    {"ok_with_a_stray_response_behind_it", 200, true, Cause::stray_response, fine, Outcome::unknown,
     ErrorKind::transport_error},
    {"bad_request_with_a_stray_response_behind_it", 400, true, Cause::stray_response, nothing, Outcome::unknown,
     ErrorKind::transport_error},
    {"too_many_requests_with_a_stray_response_behind_it", 429, true, Cause::stray_response, nothing, Outcome::unknown,
     ErrorKind::transport_error},
    {"unauthorized", 401, true, {}, nothing, Outcome::rejected, ErrorKind::unauthorized},
    {"payment_required", 402, true, {}, nothing, Outcome::rejected, ErrorKind::rejected},
    {"forbidden", 403, true, {}, nothing, Outcome::rejected, ErrorKind::forbidden},
    {"not_found", 404, true, {}, nothing, Outcome::rejected, ErrorKind::rejected},
    {"proxy_authentication", 407, true, {}, nothing, Outcome::rejected, ErrorKind::rejected},
    {"request_timeout", 408, true, {}, nothing, Outcome::unknown, ErrorKind::unexpected_response},
    {"conflict", 409, true, {}, nothing, Outcome::unknown, ErrorKind::unexpected_response},
    {"too_early", 425, true, {}, nothing, Outcome::rejected, ErrorKind::rejected},
    {"too_many_requests", 429, true, {}, nothing, Outcome::rejected, ErrorKind::rate_limited},
    {"no_response", 444, true, {}, nothing, Outcome::unknown, ErrorKind::unexpected_response},
    {"load_balancers_client_went_away", 460, true, {}, nothing, Outcome::unknown, ErrorKind::unexpected_response},
    {"client_closed_request", 499, true, {}, nothing, Outcome::unknown, ErrorKind::unexpected_response},
    {"internal_error", 500, true, {}, nothing, Outcome::unknown, ErrorKind::server_error},
    {"bad_gateway_truncated", 502, false, Cause::closed, nothing, Outcome::unknown, ErrorKind::server_error},
    {"unavailable", 503, true, {}, nothing, Outcome::unknown, ErrorKind::server_error},
    {"five_ninety_nine", 599, true, {}, nothing, Outcome::unknown, ErrorKind::server_error},
    {"six_hundred", 600, true, {}, nothing, Outcome::unknown, ErrorKind::unexpected_response},
    {"nine_nine_nine", 999, true, {}, nothing, Outcome::unknown, ErrorKind::unexpected_response},
    {"zero", 0, true, {}, fine, Outcome::unknown, ErrorKind::unexpected_response},
    {"negative", -1, true, {}, fine, Outcome::unknown, ErrorKind::unexpected_response},
};
INSTANTIATE_TEST_SUITE_P(Table, ClassifyResponse, testing::ValuesIn(responses),
                         [](const auto& row) { return row.param.name; });

bool passed_on_by_a_gateway(int status) {
  return status == 408 || status == 409 || status == 444 || status == 460 || status == 499;
}

TEST(Classify, no_status_but_200_is_ever_started_and_only_4xx_is_rejected) {
  for (int status = -10; status <= 1000; ++status) {
    for (const bool framed : {false, true}) {
      const Response response{.status = status, .headers = {}, .body = {}, .framed = framed, .truncated = std::nullopt};
      const Classification classification = classify(response, fine, by_the_application, false);
      const bool refusal = status >= 400 && status <= 499 && !passed_on_by_a_gateway(status);
      const Outcome expected = status == 200 ? Outcome::succeeded : refusal ? Outcome::rejected : Outcome::unknown;
      ASSERT_EQ(classification.outcome, expected) << status;
    }
  }
}

TEST(Classify, a_status_that_an_endpoint_documents_as_success_is_one) {
  constexpr int created[] = {201, 204};
  for (int status = 200; status <= 299; ++status) {
    const Response response{.status = status, .headers = {}, .body = {}, .framed = true, .truncated = std::nullopt};
    const bool documented = status == 201 || status == 204;
    ASSERT_EQ(classify(response, fine, by_the_application, false, created).outcome,
              documented ? Outcome::succeeded : Outcome::unknown);
  }
}

TEST(Classify, a_failure_is_not_sent_if_and_only_if_the_body_did_not_leave) {
  for (int cause = 0; cause <= static_cast<int>(Cause::other); ++cause) {
    for (int stage = 0; stage <= static_cast<int>(Stage::receive); ++stage) {
      for (const bool body_left : {false, true}) {
        for (const bool late : {false, true}) {
          const Failure failure{static_cast<Stage>(stage), static_cast<Cause>(cause), body_left, {}};
          ASSERT_EQ(classify(failure, late).outcome, body_left ? Outcome::unknown : Outcome::not_sent);
        }
      }
    }
  }
}

TEST(Classify, a_failure_whose_transport_said_nothing_is_unknown) {
  EXPECT_EQ(classify(Failure{}, false).outcome, Outcome::unknown);
}

TEST(Classify, the_kind_of_a_failure_follows_its_cause) {
  const auto kind = [](Cause cause, bool late) {
    return classify(Failure{.stage = Stage::wait, .cause = cause, .body_left = true, .text = {}}, late).kind;
  };
  EXPECT_EQ(kind(Cause::timed_out, true), ErrorKind::deadline_exceeded);
  EXPECT_EQ(kind(Cause::timed_out, false), ErrorKind::transport_error);
  EXPECT_EQ(kind(Cause::cancelled, true), ErrorKind::cancelled);
  EXPECT_EQ(kind(Cause::configuration, false), ErrorKind::configuration_error);
  for (const Cause cause : {Cause::unresolved, Cause::unreachable, Cause::certificate, Cause::tls, Cause::proxy_refused,
                            Cause::proxy_denied, Cause::closed, Cause::reset, Cause::stray_response, Cause::malformed,
                            Cause::too_large, Cause::other}) {
    EXPECT_EQ(kind(cause, false), ErrorKind::transport_error) << to_string(cause);
  }
}

TEST(Classify, a_403_that_the_application_did_not_write_is_unknown_and_would_come_again) {
  const Response response{.status = 403, .framed = true};
  EXPECT_EQ(classify(response, nothing, RefusedBy::application, false),
            (Classification{Outcome::rejected, ErrorKind::forbidden, RetryCondition::no}));
  EXPECT_EQ(classify(response, nothing, RefusedBy::anybody, false),
            (Classification{Outcome::unknown, ErrorKind::unexpected_response, RetryCondition::no}));
}

TEST(Classify, of_no_other_response_it_matters_who_wrote_it) {
  for (int status = -1; status < 1100; ++status) {
    for (const Left left : {Left::head, Left::part, Left::whole}) {
      if (status == 403) continue;
      const Response response{.status = status, .framed = true, .left = left};
      ASSERT_EQ(classify(response, fine, RefusedBy::application, false),
                classify(response, fine, RefusedBy::anybody, false));
    }
  }
}

TEST(Classify, an_early_success_is_unknown) {
  for (int status = 200; status <= 299; ++status) {
    for (const Left left : {Left::head, Left::part}) {
      const Response response{.status = status, .framed = true, .left = left};
      ASSERT_EQ(classify(response, {.whole_json = true, .reason = {}, .enough = true}, by_the_application, false),
                (Classification{Outcome::unknown, ErrorKind::unexpected_response, RetryCondition::no}))
          << status;
    }
  }
}

TEST(Classify, an_early_response_that_the_caller_ended_still_says_so) {
  const Response response{
      .status = 200, .truncated = Failure{Stage::receive, Cause::cancelled, true, {}}, .left = Left::part};
  EXPECT_EQ(classify(response, nothing, by_the_application, false).kind, ErrorKind::cancelled);
}

TEST(Classify, without_a_byte_of_the_body_nobody_can_have_acted) {
  for (int status = -1; status < 1100; ++status) {
    if (status >= 200 && status <= 299) continue;
    for (const RefusedBy by : {RefusedBy::application, RefusedBy::anybody}) {
      const Classification whole = classify(Response{.status = status, .framed = true}, nothing, by, false);
      const Classification part =
          classify(Response{.status = status, .framed = true, .left = Left::part}, nothing, by, false);
      const Classification head =
          classify(Response{.status = status, .framed = true, .left = Left::head}, nothing, by, false);
      ASSERT_EQ(part, whole) << status;
      if (whole.outcome == Outcome::unknown) {
        ASSERT_EQ(head, (Classification{Outcome::not_sent, whole.kind, RetryCondition::after_a_pause})) << status;
      } else {
        ASSERT_EQ(head, whole) << status;
      }
    }
  }
}

TEST(Classify, of_failures_only_what_left_nothing_may_be_repeated_unasked) {
  for (int cause = 0; cause <= static_cast<int>(Cause::other); ++cause) {
    for (int stage = 0; stage <= static_cast<int>(Stage::receive); ++stage) {
      for (const bool body_left : {false, true}) {
        const Failure failure{static_cast<Stage>(stage), static_cast<Cause>(cause), body_left, {}};
        const bool final = failure.cause == Cause::cancelled || failure.cause == Cause::configuration ||
                           failure.cause == Cause::certificate || failure.cause == Cause::proxy_denied ||
                           failure.cause == Cause::too_large;
        const RetryCondition expected = final       ? RetryCondition::no
                                        : body_left ? RetryCondition::where_it_does_no_harm
                                                    : RetryCondition::after_a_pause;
        ASSERT_EQ(classify(failure, false).condition, expected) << stage << " " << cause;
      }
    }
  }
}

TEST(Classify, of_all_statuses_only_401_and_429_may_be_repeated_unasked) {
  for (int status = -1; status < 1100; ++status) {
    const Response response{.status = status, .framed = true};
    const RetryCondition condition = classify(response, nothing, by_the_application, false).condition;
    const RetryCondition expected = status == 401   ? RetryCondition::with_another_token
                                    : status == 429 ? RetryCondition::when_the_server_says
                                    : passed_on_by_a_gateway(status) || (status >= 500 && status <= 599)
                                        ? RetryCondition::where_it_does_no_harm
                                        : RetryCondition::no;
    ASSERT_EQ(condition, expected) << status;
  }
}

TEST(Classify, a_stray_response_after_a_refusal_is_unknown_and_final) {
  EXPECT_EQ(detail::classify_stray_after_refusal(),
            (Classification{Outcome::unknown, ErrorKind::transport_error, RetryCondition::no}));
}

TEST(Classify, a_response_is_healthy_unless_it_may_have_acted_or_a_gateway_gave_it) {
  for (int status = -1; status < 1100; ++status) {
    const Response response{.status = status, .framed = true};
    for (const Outcome outcome : {Outcome::succeeded, Outcome::not_sent, Outcome::rejected, Outcome::unknown}) {
      const bool of_an_application = status == 500 || status == 501 || outcome != Outcome::unknown;
      const bool fails = (status >= 502 && status <= 504) || !of_an_application;
      ASSERT_EQ(health(response, outcome, 1s), fails ? Health::fails : Health::responds) << status;
      ASSERT_EQ(health(response, outcome, 999ms), fails ? Health::fails_at_once : Health::responds) << status;
    }
  }
}

TEST(Classify, a_truncated_response_is_as_unhealthy_as_what_truncated_it) {
  const auto truncated_by = [](Cause cause) {
    return Response{.status = 200, .truncated = Failure{Stage::receive, cause, true, {}}};
  };
  EXPECT_EQ(health(truncated_by(Cause::reset), Outcome::unknown, 1ms), Health::fails_at_once);
  EXPECT_EQ(health(truncated_by(Cause::timed_out), Outcome::unknown, 1ms), Health::fails);
  EXPECT_EQ(health(truncated_by(Cause::cancelled), Outcome::unknown, 1ms), Health::unclear);
}

TEST(Classify, a_failure_is_unhealthy_where_the_peer_ended_what_had_left) {
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
