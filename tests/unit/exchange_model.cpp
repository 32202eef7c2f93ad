// The model check: every sequence of events that a call can meet, walked to its end, against rules that are stated here
// once more and in other words than in the Exchange. It does not know how the Exchange decides.

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <vector>

#include "simulated_call.hpp"

namespace connectid::detail {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// What a reply says of the server, as somebody would see it who stands beside it.
enum class Truth { started, refused, nothing_arrived, may_have_acted };

struct Choice {
  const char* name;
  Event event;
  milliseconds takes{10};
  Truth truth = Truth::nothing_arrived;
  milliseconds named_pause{0};
};

const auto past_every_deadline = 1h;

const std::vector<Choice>& replies() {
  const auto pause = [](const char* seconds) { return http::Headers{{"Retry-After", seconds}}; };
  http::Answer half = ok();
  half.framed = false;
  half.cut = failure(Stage::receive, Cause::closed, true);
  http::Answer stopped = half;
  stopped.cut = failure(Stage::receive, Cause::cancelled, true);
  using enum Truth;
  static const std::vector<Choice> all{
      {"200", ok(), 10ms, started},
      {"200 with another status", answer(200, {}, R"({"status":"ERROR"})"), 10ms, may_have_acted},
      {"200 cut", half, 10ms, may_have_acted},
      {"200 stopped", stopped, 10ms, may_have_acted},
      {"204", answer(204), 10ms, may_have_acted},
      {"302", answer(302), 10ms, may_have_acted},
      {"400", answer(400), 10ms, refused},
      {"401 with a challenge", answer(401, {{"WWW-Authenticate", "Bearer"}}), 10ms, refused},
      {"401", answer(401), 10ms, refused},
      {"408", answer(408), 10ms, may_have_acted},
      {"429", answer(429), 10ms, refused},
      {"429, 2 s", answer(429, pause("2")), 10ms, refused, 2s},
      {"429, 1 h", answer(429, pause("3600")), 10ms, refused, 60s},
      {"500", answer(500), 10ms, may_have_acted},
      {"503, 2 s", answer(503, pause("2")), 10ms, may_have_acted, 2s},
      {"no connection", failure(Stage::connect, Cause::unreachable, false)},
      {"no connection, too slow", failure(Stage::connect, Cause::timed_out, false), past_every_deadline},
      {"a wrong certificate", failure(Stage::handshake, Cause::certificate, false)},
      {"cut before the body left", failure(Stage::send, Cause::closed, false)},
      {"stopped before the body left", failure(Stage::connect, Cause::cancelled, false)},
      {"the body left, whatever the stage says", failure(Stage::connect, Cause::unreachable, true), 10ms,
       may_have_acted},
      {"cut", failure(Stage::wait, Cause::closed, true), 10ms, may_have_acted},
      {"stopped", failure(Stage::wait, Cause::cancelled, true), 10ms, may_have_acted},
      {"no answer in time", failure(Stage::wait, Cause::timed_out, true), 30s, may_have_acted},
      {"no answer until the deadline", failure(Stage::wait, Cause::timed_out, true), past_every_deadline,
       may_have_acted},
  };
  return all;
}

const std::vector<Choice>& tokens() {
  const auto none = [](ErrorDetail detail) { return NoToken{Error(Outcome::not_sent, std::move(detail), "none")}; };
  static const std::vector<Choice> all{
      {"token a", AccessToken{"token-a"}},
      {"token b", AccessToken{"token-b"}},
      {"an empty token", AccessToken{""}},
      {"a late token", AccessToken{"token-c"}, past_every_deadline},
      {"no token", none(TokenError{})},
      {"no token in time", none(DeadlineExceeded{Stage::token}), past_every_deadline},
      {"stopped at the token", Stopped{Stage::token}},
  };
  return all;
}

const std::vector<Choice>& after_a_wait() {
  static const std::vector<Choice> all{{"on time", Go{}, 0ms},
                                       {"far too late", Go{}, past_every_deadline},
                                       {"stopped in a wait", Stopped{Stage::pause}}};
  return all;
}

const std::vector<Choice>& journals() {
  static const std::vector<Choice> all{{"written down", WrittenDown{}},
                                       {"written down too late", WrittenDown{}, past_every_deadline},
                                       {"not written down", NotWrittenDown{"disk full"}},
                                       {"stopped at the journal", Stopped{Stage::prepare}}};
  return all;
}

/// What may come of an action; null: it is the end.
const std::vector<Choice>* choices(const Action& action) {
  if (std::holds_alternative<GetToken>(action)) return &tokens();
  if (std::holds_alternative<Wait>(action)) return &after_a_wait();
  if (std::holds_alternative<WriteDown>(action)) return &journals();
  if (std::holds_alternative<Send>(action)) return &replies();
  return nullptr;
}

struct World {
  const char* name;
  Timeouts timeouts = {};
  RetryPolicy retry = {};
  Repeat repeat = Repeat::never;
  int budget = 1000;
  Rates rates = {.per_second = 0, .per_minute = 0};  ///< none: no limit
};

/// One call on its way through one sequence of events, and what must be true of it.
class Walk {
 public:
  explicit Walk(const World& world)
      : world_(world),
        calls_(world.budget, world.rates.per_second > 0 ? RateLimit::per_client(world.rates) : RateLimit::off()),
        exchange_(calls_.make(world.timeouts, world.retry, world.repeat)),
        deadline_(calls_.now().steady + world.timeouts.timeout),
        action_(exchange_.next(Go{}, calls_.now())) {
    check();
  }

  void step(const Choice& choice) {
    path_.append(path_.empty() ? "" : ", ").append(choice.name);
    const auto* wait = std::get_if<Wait>(&action_);
    if (wait) calls_.elapsed += std::chrono::ceil<milliseconds>(wait->until - calls_.now().steady);
    calls_.elapsed += choice.takes;
    if (std::holds_alternative<Send>(action_)) note_reply(choice);
    if (const auto* token = std::get_if<AccessToken>(&choice.event)) token_ = token->value.reveal();
    written_down_ = std::holds_alternative<WrittenDown>(choice.event);
    ++steps_;
    action_ = exchange_.next(choice.event, calls_.now());
    check();
    if (calls_.now().steady >= deadline_ || stops(choice)) {
      EXPECT_TRUE(std::holds_alternative<Done>(action_)) << world_.name << ": " << path_ << ": it goes on";
    }
  }

  [[nodiscard]] const Action& action() const { return action_; }

 private:
  /// What the caller, the journal or the token source ended.
  static bool stops(const Choice& choice) {
    if (const auto* failure = std::get_if<http::Failure>(&choice.event)) return failure->cause == Cause::cancelled;
    if (const auto* answer = std::get_if<http::Answer>(&choice.event)) {
      return answer->cut && answer->cut->cause == Cause::cancelled;
    }
    return std::holds_alternative<Stopped>(choice.event) || std::holds_alternative<NotWrittenDown>(choice.event) ||
           std::holds_alternative<NoToken>(choice.event);
  }

  void note_reply(const Choice& choice) {
    truths_.push_back(choice.truth);
    earliest_ = calls_.now().steady + choice.named_pause;
    last_reply_ = choice.name;
  }

  [[nodiscard]] bool may_have_acted() const { return std::ranges::count(truths_, Truth::may_have_acted) != 0; }

  void check() {
    SCOPED_TRACE(std::string(world_.name) + ": " + path_);
    ASSERT_LE(steps_, 8 * std::max(world_.retry.max_attempts, 1) + 4) << "it does not end";
    const auto now = calls_.now().steady;
    if (const auto* wait = std::get_if<Wait>(&action_)) {
      EXPECT_GE(wait->until, now);
      EXPECT_LT(wait->until, deadline_) << "a wait past the deadline";
    } else if (const auto* write = std::get_if<WriteDown>(&action_)) {
      EXPECT_EQ(write->attempt, static_cast<int>(truths_.size()) + 1);
    } else if (const auto* send = std::get_if<Send>(&action_)) {
      check_send(*send, now);
    } else if (const auto* get = std::get_if<GetToken>(&action_)) {
      if (!get->refused.empty()) {
        EXPECT_EQ(++refused_tokens_, 1) << "a token is refused once a call";
        EXPECT_EQ(last_reply_, "401 with a challenge");
        refused_ = get->refused.reveal();
      }
    } else {
      check_end(std::get<Done>(action_));
    }
  }

  void check_send(const Send& send, std::chrono::steady_clock::time_point now) {
    EXPECT_TRUE(written_down_) << "sent before it was written down";
    EXPECT_LT(now, deadline_) << "sent after the deadline";
    EXPECT_GE(now, earliest_) << "sent before the pause was over that the server named";
    EXPECT_LE(send.deadline, deadline_);
    EXPECT_LE(send.deadline, now + world_.timeouts.attempt_timeout);
    EXPECT_LT(static_cast<int>(truths_.size()), std::max(world_.retry.max_attempts, 1)) << "an attempt too many";
    EXPECT_EQ(send.request->authorization.reveal(), "Bearer " + token_);
    EXPECT_NE(token_, refused_) << "sent with the token that was refused";
    if (world_.repeat == Repeat::never && !world_.retry.repeat_unknown_starts) {
      EXPECT_FALSE(may_have_acted()) << "SENT AGAIN AFTER WHAT MAY HAVE ACTED";
    }
    if (world_.repeat == Repeat::once) {
      EXPECT_LE(std::ranges::count(truths_, Truth::may_have_acted), 1) << "SENT AGAIN MORE THAN ONCE";
    }
  }

  void check_end(const Done& done) {
    const bool started = !truths_.empty() && truths_.back() == Truth::started;
    EXPECT_EQ(!done.error, started);
    EXPECT_EQ(done.call.attempts, static_cast<int>(truths_.size()));
    if (!done.error) return;
    const Error& error = *done.error;
    EXPECT_EQ(error.unknown_attempts(), std::ranges::count(truths_, Truth::may_have_acted));
    EXPECT_EQ(error.call().sent_at.has_value(), error.outcome() != Outcome::not_sent);
    EXPECT_FALSE(error.message().empty());
    if (world_.repeat != Repeat::never) return;  // what may be done again ends as its last attempt did
    if (may_have_acted()) {
      EXPECT_EQ(error.outcome(), Outcome::unknown) << "unknown is sticky";
    } else if (std::ranges::count(truths_, Truth::refused) != 0) {
      EXPECT_EQ(error.outcome(), Outcome::rejected);
    } else {
      EXPECT_EQ(error.outcome(), Outcome::not_sent);
    }
  }

  const World& world_;
  SimulatedCalls calls_;
  Exchange exchange_;
  std::chrono::steady_clock::time_point deadline_;
  std::chrono::steady_clock::time_point earliest_ = std::chrono::steady_clock::time_point::min();
  std::vector<Truth> truths_;  ///< one an attempt
  std::string token_, refused_, last_reply_, path_;
  int refused_tokens_ = 0;
  int steps_ = 0;
  bool written_down_ = false;
  Action action_;
};

/// Depth first; each state is reached again from the beginning, for an Exchange cannot be copied.
class Walker {
 public:
  explicit Walker(const World& world) : world_(world) {}

  void walk() {
    ++states_;
    Walk here(world_);
    for (const Choice* choice : sequence_) here.step(*choice);
    longest_ = std::max(longest_, sequence_.size());
    const auto* all = choices(here.action());
    if (!all) ++ends_;
    if (!all || testing::Test::HasFailure()) return;
    for (const Choice& choice : *all) {
      sequence_.push_back(&choice);
      walk();
      sequence_.pop_back();
    }
  }

  void print() const {
    std::cout << "model check, " << world_.name << ": " << states_ << " states, " << ends_
              << " ends, the longest after " << longest_ << " events\n";
  }
  [[nodiscard]] std::size_t ends() const { return ends_; }

 private:
  const World& world_;
  std::vector<const Choice*> sequence_;
  std::size_t states_ = 0;
  std::size_t ends_ = 0;
  std::size_t longest_ = 0;
};

class ExchangeModel : public testing::TestWithParam<World> {};

TEST_P(ExchangeModel, keeps_every_rule_in_every_sequence_of_events) {
  Walker walker(GetParam());
  walker.walk();
  walker.print();
  EXPECT_GT(walker.ends(), replies().size());
}

const World worlds[] = {
    {"a_start", {}, {.max_attempts = 5}},
    {"a_start_with_little_time", {.timeout = 3s}, {.max_attempts = 4}},
    {"a_start_in_one_attempt", {}, {.max_attempts = 1}},
    {"a_start_without_a_budget", {}, {.max_attempts = 3}, Repeat::never, 0},
    {"a_start_behind_a_rate_limit",
     {.timeout = 5s},
     {.max_attempts = 4},
     Repeat::never,
     1000,
     {.per_second = 1, .per_minute = 60}},
    {"a_start_behind_a_rate_limit_past_its_deadline",
     {.timeout = 800ms},
     {.first_pause = 0ms},
     Repeat::never,
     1000,
     {.per_second = 1, .per_minute = 60}},
    {"a_start_that_may_be_repeated", {}, {.max_attempts = 4, .repeat_unknown_starts = true}},
    {"a_read", {}, {.max_attempts = 4}, Repeat::freely},
    {"a_refresh_of_a_token", {}, {.max_attempts = 4}, Repeat::once},
};

INSTANTIATE_TEST_SUITE_P(Worlds, ExchangeModel, testing::ValuesIn(worlds),
                         [](const auto& world) { return world.param.name; });

}  // namespace
}  // namespace connectid::detail
