// The model check: every sequence of events that a call can meet, walked to its end, against rules that are stated here
// once more and in other words than in the Exchange. It does not know how the Exchange decides.

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <vector>

#include "support/simulated_call.hpp"

namespace connectid::detail {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// What a response says of the server, as somebody would see it who stands beside it.
enum class Truth { started, refused, nothing_arrived, may_have_acted };

struct Choice {
  const char* name;
  Event event;
  milliseconds takes{10};
  Truth truth = Truth::nothing_arrived;
  milliseconds named_pause{0};
};

const auto past_every_deadline = 1h;

http::Response on_a_connection(http::Response response) {
  response.connection = std::make_shared<http::KeptConnection>();
  return response;
}

const std::vector<Choice>& results() {
  const auto pause = [](const char* seconds) { return http::Headers{{"Retry-After", seconds}}; };
  http::Response half = ok();
  half.framed = false;
  half.truncated = failure(Stage::receive, Cause::closed, true);
  http::Response stopped = half;
  stopped.truncated = failure(Stage::receive, Cause::cancelled, true);
  http::Response with_bytes_behind_it = on_a_connection(response(429, pause("2")));
  with_bytes_behind_it.truncated = failure(Stage::receive, Cause::stray_response, true);
  const auto early = [](http::Left left, http::Response given) {
    given.left = left;
    return given;
  };
  using http::Left;
  const http::Headers challenge{{"WWW-Authenticate", "Bearer"}};
  using enum Truth;
  static const std::vector<Choice> all{
      {"200", ok(), 10ms, started},
      {"200 with another status", response(200, {}, R"({"status":"ERROR"})"), 10ms, may_have_acted},
      {"200 cut", half, 10ms, may_have_acted},
      {"200 stopped", stopped, 10ms, may_have_acted},
      {"204", response(204), 10ms, may_have_acted},
      {"302", response(302), 10ms, may_have_acted},
      {"400", response(400), 10ms, refused},
      {"401 with a challenge", on_a_connection(response(401, challenge)), 10ms, refused},
      {"an early 401 with a challenge", early(Left::head, response(401, challenge)), 10ms, refused},
      {"an early 200", early(Left::part, ok()), 10ms, may_have_acted},
      {"an early 503, nothing of the body", early(Left::head, response(503)), 10ms, nothing_arrived},
      {"an early 503", early(Left::part, response(503)), 10ms, may_have_acted},
      {"a 403 of the application", response(403, {}, R"({"errorMessage":"m"})"), 10ms, refused},
      {"a 403 of a gateway", response(403, {}, "<html>"), 10ms, may_have_acted},
      {"409", response(409, {}, R"({"errorMessage":"m"})"), 10ms, may_have_acted},
      {"401", response(401), 10ms, refused},
      {"408", response(408), 10ms, may_have_acted},
      {"429", response(429), 10ms, refused},
      {"429, 0 s", on_a_connection(response(429, pause("0"))), 10ms, refused, 1s},
      {"429, 2 s, and bytes behind it", with_bytes_behind_it, 10ms, may_have_acted},
      {"429, 1 h", response(429, pause("3600")), 10ms, refused, 60s},
      {"500", response(500), 10ms, may_have_acted},
      {"503, 2 s", response(503, pause("2")), 10ms, may_have_acted, 2s},
      {"no connection", failure(Stage::connect, Cause::unreachable, false)},
      {"no connection, too slow", failure(Stage::connect, Cause::timed_out, false), past_every_deadline},
      {"a wrong certificate", failure(Stage::handshake, Cause::certificate, false)},
      {"a proxy that denies", failure(Stage::connect, Cause::proxy_denied, false)},
      {"a stray response before anything left", failure(Stage::send, Cause::stray_response, false)},
      {"a stray response in place of its own", failure(Stage::wait, Cause::stray_response, true), 10ms, may_have_acted},
      {"stopped before the body left", failure(Stage::connect, Cause::cancelled, false)},
      {"the body left, whatever the stage says", failure(Stage::connect, Cause::unreachable, true), 10ms,
       may_have_acted},
      {"cut", failure(Stage::wait, Cause::closed, true), 10ms, may_have_acted},
      {"stopped", failure(Stage::wait, Cause::cancelled, true), 10ms, may_have_acted},
      {"no response in time", failure(Stage::wait, Cause::timed_out, true), 30s, may_have_acted},
      {"no response until the deadline", failure(Stage::wait, Cause::timed_out, true), past_every_deadline,
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
  if (std::holds_alternative<Send>(action)) return &results();
  return nullptr;
}

struct World {
  const char* name;
  Timeouts timeouts = {};
  RetryPolicy retry = {};
  Repeat repeat = Repeat::never;
  int budget = 1000;
  Rates rates = {.per_second = 0, .per_minute = 0};  ///< none: no limit
  int break_circuit_after = 0;                       ///< 0: never
  int failures_before = 0;                           ///< of other calls, each at once
  milliseconds since_then{0};
};

/// A client's calls, and what was before this one.
class Calls : public SimulatedCalls {
 public:
  explicit Calls(const World& world)
      : SimulatedCalls(world.budget, world.rates.per_second > 0 ? RateLimit::per_client(world.rates) : RateLimit::off(),
                       world.break_circuit_after) {
    for (int i = 0; i < world.failures_before; ++i) {
      Passage before(breaker());
      EXPECT_FALSE(before.ask(now().steady));
      before.ended(Health::fails_at_once, "HTTP 503", now().steady);
    }
    elapsed += world.since_then;
  }
};

/// What a client that sees only how attempts end must make of its circuit: its calls are kept back until a time.
class Observer {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  Observer(const World& world, TimePoint now) : limit_(world.break_circuit_after), in_a_row_(world.failures_before) {
    if (limit_ > 0 && in_a_row_ >= limit_) keep_back(now - world.since_then);
  }

  void see(const Choice& result, TimePoint now) {
    const bool nobody = nobody_was_there(result);
    if (kept_back_) {
      if (nobody) keep_back(now);
      if (somebody_was_there(result)) {
        kept_back_ = false;
        in_a_row_ = 0;
        pause_ = 1s;
      }
    } else {
      const auto* failure = std::get_if<http::Failure>(&result.event);
      const bool own_impatience = failure && failure->cause == Cause::timed_out;
      if (nobody && !own_impatience && result.takes < 1s && limit_ > 0 && ++in_a_row_ >= limit_) keep_back(now);
      if (somebody_was_there(result)) in_a_row_ = 0;
    }
  }
  [[nodiscard]] bool keeps_back(TimePoint now) const { return kept_back_ && now < until_; }
  [[nodiscard]] bool in_doubt() const { return kept_back_; }

 private:
  static bool is_cancelled(const Choice& result) {
    if (const auto* failure = std::get_if<http::Failure>(&result.event)) return failure->cause == Cause::cancelled;
    const auto& truncated = std::get<http::Response>(result.event).truncated;
    return truncated && truncated->cause == Cause::cancelled;
  }
  /// It may have acted, and no application says what became of it; or a gateway speaks in its place.
  static bool nobody_was_there(const Choice& result) {
    if (is_cancelled(result)) return false;
    const auto* response = std::get_if<http::Response>(&result.event);
    if (response && response->status >= 500 && response->status <= 504) return response->status >= 502;
    return result.truth == Truth::may_have_acted;
  }
  static bool somebody_was_there(const Choice& result) {
    return std::holds_alternative<http::Response>(result.event) && !nobody_was_there(result) && !is_cancelled(result);
  }
  void keep_back(TimePoint now) {
    kept_back_ = true;
    until_ = now + pause_;
    pause_ = std::min(2 * pause_, milliseconds(30s));
  }

  int limit_;
  int in_a_row_;
  bool kept_back_ = false;
  TimePoint until_{};
  milliseconds pause_{1s};
};

/// One call on its way through one sequence of events, and what must be true of it.
class Walk {
 public:
  explicit Walk(const World& world)
      : world_(world),
        calls_(world),
        observer_(world, calls_.now().steady),
        exchange_(calls_.exchange(world.timeouts, world.retry, world.repeat)),
        admission_(calls_.shared()),
        deadline_(calls_.now().steady + world.timeouts.timeout) {
    advance(Go{});
    check();
  }

  void step(const Choice& choice) {
    path_.append(path_.empty() ? "" : ", ").append(choice.name);
    const auto* wait = std::get_if<Wait>(&action_);
    if (wait) calls_.elapsed += std::chrono::ceil<milliseconds>(wait->until - calls_.now().steady);
    calls_.elapsed += choice.takes;
    if (std::holds_alternative<Send>(action_)) note_result(choice);
    if (const auto* token = std::get_if<AccessToken>(&choice.event)) token_ = token->value.reveal();
    written_down_ = std::holds_alternative<WrittenDown>(choice.event);
    ++steps_;
    advance(choice.event);
    EXPECT_EQ(lessons_, truths_.size()) << world_.name << ": " << path_ << ": each attempt's end is told once";
    check();
    if (calls_.now().steady >= deadline_ || stops(choice)) {
      EXPECT_TRUE(std::holds_alternative<Done>(action_)) << world_.name << ": " << path_ << ": it goes on";
    }
  }

  [[nodiscard]] const Action& action() const { return action_; }

 private:
  /// To the next action that takes time: what the shared things answer at once is no step of its own.
  void advance(Event event) {
    const Now now = calls_.now();
    for (bool answered = true; answered;) {
      Step step = exchange_.next(std::move(event), now);
      if (step.lesson) {
        ++lessons_;
        admission_.learn(*step.lesson, now.steady);
      }
      action_ = std::move(step.action);
      const auto* wait = std::get_if<Wait>(&action_);
      const bool reserves = std::holds_alternative<Reserve>(action_);
      answered = reserves || (wait && !admission_.may_begin(*wait));
      event = reserves ? admission_.reserve(now.steady) : Event(NoRepeatLeft{});
      if (reserves) admitted_ = std::holds_alternative<Admitted>(event);
    }
    if (std::holds_alternative<Done>(action_)) admission_.give_back();
  }

  /// What the caller, the journal or the token source ended.
  static bool stops(const Choice& choice) {
    if (const auto* failure = std::get_if<http::Failure>(&choice.event)) {
      return failure->cause == Cause::cancelled || failure->cause == Cause::certificate ||
             failure->cause == Cause::proxy_denied;
    }
    if (const auto* response = std::get_if<http::Response>(&choice.event)) {
      return response->truncated && response->truncated->cause == Cause::cancelled;
    }
    return std::holds_alternative<Stopped>(choice.event) || std::holds_alternative<NotWrittenDown>(choice.event) ||
           std::holds_alternative<NoToken>(choice.event);
  }

  void note_result(const Choice& choice) {
    const auto now = calls_.now().steady;
    const auto* failure = std::get_if<http::Failure>(&choice.event);
    const auto* response = std::get_if<http::Response>(&choice.event);
    const bool refused_before = std::ranges::count(truths_, Truth::refused) != 0;
    doubted_ = failure && failure->cause == Cause::stray_response && refused_before;
    const bool left = !failure || failure->body_left;
    if (left) {
      ++left_;
      connecting_since_.reset();
    } else if (!connecting_since_) {
      connecting_since_ = now;
    }
    if (doubted_ && !left) ++doubted_refusals_;
    connection_ = response && choice.truth == Truth::refused ? response->connection : nullptr;
    observer_.see(choice, now);
    truths_.push_back(choice.truth);
    earliest_ = now + choice.named_pause;
    last_result_ = choice.name;
  }

  [[nodiscard]] bool may_have_acted() const {
    return doubted_ || std::ranges::count(truths_, Truth::may_have_acted) != 0;
  }

  void check() {
    SCOPED_TRACE(std::string(world_.name) + ": " + path_);
    ASSERT_LE(steps_, 20 * std::max(world_.retry.max_attempts, 1) + 4) << "it does not end";
    if (doubted_) EXPECT_TRUE(std::holds_alternative<Done>(action_)) << "it goes on with a refusal of somebody else";
    const auto now = calls_.now().steady;
    if (const auto* wait = std::get_if<Wait>(&action_)) {
      EXPECT_GE(wait->until, now);
      EXPECT_LT(wait->until, deadline_) << "a wait past the deadline";
      if (connecting_since_ && world_.rates.per_second == 0) {
        EXPECT_LE(wait->until, *connecting_since_ + world_.retry.connect_for) << "it waits too long for a connection";
      }
    } else if (const auto* write = std::get_if<WriteDown>(&action_)) {
      EXPECT_EQ(write->attempt, static_cast<int>(truths_.size()) + 1);
      EXPECT_TRUE(admitted_) << "written down before it was admitted";
    } else if (const auto* send = std::get_if<Send>(&action_)) {
      check_send(*send, now);
    } else if (const auto* get = std::get_if<GetToken>(&action_)) {
      if (!get->refused.empty()) {
        EXPECT_EQ(++refused_tokens_, 1) << "a token is refused once a call";
        EXPECT_TRUE(last_result_.ends_with("401 with a challenge")) << last_result_;
        refused_ = get->refused.reveal();
      }
    } else {
      check_end(std::get<Done>(action_));
    }
  }

  void check_send(const Send& send, std::chrono::steady_clock::time_point now) {
    EXPECT_TRUE(written_down_) << "sent before it was written down";
    EXPECT_TRUE(std::exchange(admitted_, false)) << "sent without a reservation of its own";
    EXPECT_LT(now, deadline_) << "sent after the deadline";
    EXPECT_GE(now, earliest_) << "sent before the pause was over that the server named";
    EXPECT_LE(send.deadline, deadline_);
    EXPECT_LE(send.deadline, now + world_.timeouts.attempt_timeout);
    EXPECT_LT(left_, std::max(world_.retry.max_attempts, 1)) << "an attempt too many";
    if (connecting_since_) {
      EXPECT_GT(world_.retry.max_attempts, 1) << "one attempt is one";
      EXPECT_GT(world_.retry.connect_for, 0ms) << "no time for connecting";
    }
    EXPECT_EQ(send.connection, connection_) << "a refusal's own connection, for its repeat alone";
    EXPECT_FALSE(observer_.keeps_back(now)) << "sent although the circuit is open";
    if (observer_.in_doubt()) EXPECT_FALSE(another_may_go(now)) << "a second probe";
    EXPECT_EQ(send.request->authorization.reveal(), "Bearer " + token_);
    EXPECT_NE(token_, refused_) << "sent with the token that was refused";
    if (world_.repeat == Repeat::never && !world_.retry.repeat_unknown_starts) {
      EXPECT_FALSE(may_have_acted()) << "SENT AGAIN AFTER WHAT MAY HAVE ACTED";
    }
    if (world_.repeat == Repeat::once) {
      EXPECT_LE(std::ranges::count(truths_, Truth::may_have_acted), 1) << "SENT AGAIN MORE THAN ONCE";
    }
  }

  [[nodiscard]] bool another_may_go(std::chrono::steady_clock::time_point now) {
    Passage other(calls_.breaker());
    return !other.ask(now);
  }

  void check_end(const Done& done) {
    const auto now = calls_.now().steady;
    EXPECT_EQ(another_may_go(now), !observer_.keeps_back(now)) << "the circuit is not as the attempts left it";
    const bool started = !truths_.empty() && truths_.back() == Truth::started;
    EXPECT_EQ(!done.error, started);
    EXPECT_EQ(done.call.attempts, static_cast<int>(truths_.size()));
    if (!done.error) return;
    const Error& error = *done.error;
    EXPECT_EQ(error.unknown_attempts(), std::ranges::count(truths_, Truth::may_have_acted) + doubted_refusals_);
    if (error.kind() == ErrorKind::circuit_open) {
      EXPECT_TRUE(observer_.keeps_back(now));
      EXPECT_TRUE(truths_.empty()) << "what ended an attempt says more";
    }
    if (doubted_) EXPECT_EQ(error.outcome(), Outcome::unknown) << "the refusal was perhaps not ours";
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
  Calls calls_;
  Observer observer_;
  Exchange exchange_;
  Admission admission_;
  std::chrono::steady_clock::time_point deadline_;
  std::chrono::steady_clock::time_point earliest_ = std::chrono::steady_clock::time_point::min();
  std::vector<Truth> truths_;  ///< one an attempt
  std::string token_, refused_, last_result_, path_;
  std::optional<std::chrono::steady_clock::time_point> connecting_since_;  ///< the first of the failures in a row
  std::shared_ptr<http::KeptConnection> connection_;                       ///< that the next attempt must have
  bool doubted_ = false;      ///< by the last response: a refusal before it
  int doubted_refusals_ = 0;  ///< which no attempt of its own stands for
  int left_ = 0;              ///< attempts of which something left
  int refused_tokens_ = 0;
  int steps_ = 0;
  std::size_t lessons_ = 0;
  bool written_down_ = false;
  bool admitted_ = false;
  Action action_ = Done{};
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
  const bool kept_back = GetParam().failures_before >= 5 && GetParam().since_then < 1s;
  EXPECT_GT(walker.ends(), kept_back ? 5 : results().size());
}

// A connection is waited for as long as it takes for two tries: more of them would only be more of the same.
constexpr auto two_tries = 60ms;
constexpr Rates no_limit{.per_second = 0, .per_minute = 0};

const World worlds[] = {
    {"a_start", {}, {.max_attempts = 3, .connect_for = two_tries}},
    {"a_start_with_many_attempts", {}, {.max_attempts = 5, .connect_for = 0ms}},
    {"a_start_with_little_time", {.timeout = 3s}, {.max_attempts = 3, .connect_for = two_tries}},
    {"a_start_in_one_attempt", {}, {.max_attempts = 1}},
    {"a_start_that_waits_long_for_a_connection", {.timeout = 1s}, {.max_attempts = 2}},
    {"a_start_without_a_budget", {}, {.max_attempts = 3, .connect_for = two_tries}, Repeat::never, 0},
    {"a_start_behind_a_rate_limit",
     {.timeout = 5s},
     {.max_attempts = 3, .connect_for = two_tries},
     Repeat::never,
     1000,
     {.per_second = 1, .per_minute = 60}},
    {"a_start_behind_a_rate_limit_past_its_deadline",
     {.timeout = 800ms},
     {.first_pause = 0ms, .connect_for = two_tries},
     Repeat::never,
     1000,
     {.per_second = 1, .per_minute = 60}},
    {"a_start_that_may_be_repeated", {}, {.repeat_unknown_starts = true, .connect_for = 0ms}},
    {"a_start_that_may_be_repeated_and_waits_for_a_connection",
     {},
     {.max_attempts = 2, .repeat_unknown_starts = true, .connect_for = two_tries}},
    {"a_read", {}, {.max_attempts = 3, .connect_for = 0ms}, Repeat::freely},
    {"a_refresh_of_a_token", {}, {.max_attempts = 3, .connect_for = 0ms}, Repeat::once},
    {"a_start_while_the_circuit_is_open", {}, {}, Repeat::never, 1000, no_limit, 5, 5, 500ms},
    {"a_start_that_finds_out",
     {},
     {.max_attempts = 2, .connect_for = two_tries},
     Repeat::never,
     1000,
     no_limit,
     5,
     5,
     1s},
    {"a_start_whose_own_repeats_open_the_circuit",
     {},
     {.max_attempts = 3, .repeat_unknown_starts = true, .connect_for = 0ms},
     Repeat::never,
     1000,
     no_limit,
     5,
     3},
};

INSTANTIATE_TEST_SUITE_P(Worlds, ExchangeModel, testing::ValuesIn(worlds),
                         [](const auto& world) { return world.param.name; });

}  // namespace
}  // namespace connectid::detail
