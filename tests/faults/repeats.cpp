// Rows in which a call has reason to try again. What would take longer than a pause of a second is in the tests of the
// rules, whose clock is simulated: tests/unit/retries.cpp.
#include <gtest/gtest.h>

#include <stdexcept>

#include "row_makers.hpp"
#include "support/listener.hpp"

namespace connectid::faults {
namespace {

using namespace std::chrono_literals;
using testing::Fault;
using testing::FaultGate;
using testing::Script;
using End = Fault::End;

constexpr auto rate_limited = "rate_limited";
constexpr auto unauthorized = "unauthorized";

std::function<void(Bench&)> meets(std::vector<Script> scripts) {
  return [scripts = std::move(scripts)](Bench& bench) {
    for (const Script& script : scripts) bench.server.next(script);
  };
}

// A 429 costs a pause of a second. What it shows is the same in every variant, so each of these rows has one or two.

// ---- 429

Script slow_down(http::Headers headers) {
  return testing::response(429, R"({"errorMessage":"m"})", std::move(headers));
}

Row pause_of_a_second(std::string name, const std::string& what, http::Headers headers, unsigned variants) {
  return {.name = "status_429_" + std::move(name),
          .what = "sends 429 with " + what + " a second later, then 200",
          .outcome = started,
          .kind = "",
          .attempts = 2,
          .bodies = 2,
          .variants = variants,
          .arm = meets({slow_down(std::move(headers))}),
          .verify = [](Bench& bench) { EXPECT_GE(bench.took, 1s) << "the pause was not kept"; }};
}

Row no_pause(std::string name, const std::string& what, http::Headers headers) {
  return {.name = "status_429_" + std::move(name),
          .what = "sends 429 with " + what,
          .outcome = rejected,
          .kind = rate_limited,
          .arm = meets({slow_down(std::move(headers))})};
}

std::vector<Row> too_many_requests() {
  // The server's clock is far from ours: its dates are read against its own `Date`.
  const http::Header date{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"};
  return {
      pause_of_a_second("seconds", "a `Retry-After` in seconds:", {{"Retry-After", "1"}}, fresh_plain | reused_tls),
      pause_of_a_second("date", "a `Retry-After` that is a date:",
                        {date, {"Retry-After", "Sun, 06 Nov 1994 08:49:38 GMT"}}, fresh_tls),
      pause_of_a_second("reset_delta", "an `X-RateLimit-Reset` in seconds:", {{"X-RateLimit-Reset", "1"}},
                        reused_plain),
      pause_of_a_second("reset_absolute",
                        "an `X-RateLimit-Reset` since 1970:", {date, {"X-RateLimit-Reset", "784111778"}}, fresh_plain),
      {.name = "status_429_for_ever",
       .what = "sends 429 with `Retry-After: 0`, each time",
       .outcome = rejected,
       .kind = rate_limited,
       .attempts = 3,
       .bodies = 3,
       .variants = reused_plain,
       .arm =
           [](Bench& bench) {
             bench.server.always(slow_down({{"Retry-After", "0"}}));
           }},
      {.name = "status_429_with_one_attempt",
       .what = "sends 429 with `Retry-After: 0` (`max_attempts` is 1)",
       .outcome = rejected,
       .kind = rate_limited,
       .choose = [](Choices& choices) { choices.retry_policy.max_attempts = 1; },
       .arm = meets({slow_down({{"Retry-After", "0"}})})},
      no_pause("alone", "no pause", {}),
      no_pause("beyond_the_deadline", "a `Retry-After` that the call has no time for", {{"Retry-After", "3600"}}),
      no_pause("negative", "`Retry-After: -1`", {{"Retry-After", "-1"}}),
      no_pause("exponent", "`Retry-After: 1e9`", {{"Retry-After", "1e9"}}),
      no_pause("nan", "`Retry-After: NaN`", {{"Retry-After", "NaN"}}),
      no_pause("eternity", "a `Retry-After` of 10^18 seconds", {{"Retry-After", "1000000000000000000"}}),
      no_pause("twenty_digits", "a `Retry-After` of twenty digits", {{"Retry-After", "99999999999999999999"}}),
      no_pause("reset_eternity", "an `X-RateLimit-Reset` of 10^18", {{"X-RateLimit-Reset", "1000000000000000000"}}),
      {.name = "status_429_two_pauses",
       .what = "sends 429 with `Retry-After` twice, 0 and 3600, then 200: the first counts",
       .outcome = started,
       .kind = "",
       .attempts = 2,
       .bodies = 2,
       .variants = fresh_tls,
       .arm = meets({refused_with("HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nRetry-After: 3600\r\n"
                                  "Content-Length: 0\r\n\r\n")})},
      {.name = "status_429_truncated_in_its_headers",
       .what = "sends 429 with `Retry-After: 0`; its header section is cut by FIN",
       .outcome = unknown,
       .kind = transport,
       .arm = meets({refused_with("HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nX-Ra", End::fin)})},
      {.name = "status_429_truncated_in_its_body",
       .what = "sends 429 with `Retry-After: 0`; its body is cut by FIN; then 200",
       .outcome = started,
       .kind = "",
       .attempts = 2,
       .bodies = 2,
       .variants = reused_tls,
       .arm = meets({refused_with("HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 99\r\n\r\nhalf", End::fin)})},
      {.name = "status_429_then_truncated",
       .what = "sends 429 with `Retry-After: 0`, then acts and closes",
       .outcome = unknown,
       .kind = transport,
       .attempts = 2,
       .bodies = 2,
       .variants = reused_plain,
       .arm = meets({slow_down({{"Retry-After", "0"}}), testing::started_but_response_lost()})},
      {.name = "status_429_then_gone",
       .what = "sends 429 with `Retry-After: 0`, then refuses connections",
       .outcome = rejected,
       .kind = rate_limited,
       .attempts = 2,
       .more_attempts = true,
       .variants = fresh_plain,
       .choose = connect_briefly,
       .arm =
           [](Bench& bench) {
             Script last = refused_with("HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n", End::fin);
             last.fault.stop_listening = true;
             bench.server.next(last);
           }},
  };
}

// ---- 401

/// Gives the first token to whoever had none refused, the next ones to those who had, and the last for ever.
TokenSource one_after_the_other(std::vector<std::string> tokens) {
  auto refusals = std::make_shared<std::size_t>(0);
  return [tokens = std::move(tokens), refusals](const TokenRequest& request) -> Result<AccessToken> {
    *refusals = request.refused.empty() ? 0 : *refusals + 1;
    return AccessToken{tokens[std::min(*refusals, tokens.size() - 1)]};
  };
}

const std::vector<std::string> an_old_one_and_the_good = {"old-canary-token", good_token};

Row token_refused(std::string name, std::string what, std::vector<Script> scripts, std::vector<std::string> tokens,
                  int attempts) {
  const bool lets_in = tokens[static_cast<std::size_t>(attempts) - 1] == good_token;
  return {.name = "status_401_" + std::move(name),
          .what = std::move(what),
          .outcome = lets_in ? started : rejected,
          .kind = lets_in ? "" : unauthorized,
          .attempts = attempts,
          .bodies = attempts,
          .variants = tokens.back() == good_token && tokens.size() < 3 ? everywhere : fresh,
          .choose = [tokens](Choices& choices) { choices.token_source = one_after_the_other(tokens); },
          .arm = meets(std::move(scripts))};
}

/// The source knows the old token alone, and this is what it does when that is refused.
Row renewal(std::string name, std::string what, std::function<Result<AccessToken>(std::stop_source&)> renew) {
  auto stop = std::make_shared<std::stop_source>();
  return {.name = "status_401_and_" + std::move(name),
          .what = "sends 401 with a challenge, and " + std::move(what),
          .outcome = rejected,
          .kind = unauthorized,
          .variants = fresh,
          .choose =
              [stop, renew](Choices& choices) {
                choices.token_source = [stop, renew](const TokenRequest& request) -> Result<AccessToken> {
                  if (!request.refused.empty()) return renew(*stop);
                  return AccessToken{"old-canary-token"};
                };
              },
          .arm = [stop](Bench& bench) { *stop = bench.stop; }};
}

std::vector<Row> refused_tokens() {
  const http::Header challenge{"WWW-Authenticate", "Bearer"};
  return {
      token_refused("another_token", "sends 401 with a challenge; the token source then has another token", {},
                    an_old_one_and_the_good, 2),
      token_refused("oauth_error", "sends 401 with an OAuth `error` in its body; the source has another token",
                    {testing::response(401, R"({"error":"invalid_token"})")}, an_old_one_and_the_good, 2),
      token_refused("same_token", "sends 401 with a challenge; the source has no other token", {}, {"old-canary-token"},
                    1),
      token_refused("each_time", "sends 401 with a challenge to two tokens, and would take the third", {},
                    {"old-canary-token", "older-canary-token", good_token}, 2),
      token_refused("without_a_challenge", "sends 401 with garbage and no challenge; the source has another token",
                    {testing::response(401, "\x01\xff{{")}, an_old_one_and_the_good, 1),
      token_refused("with_garbage", "sends 401 with a challenge and garbage; the source has another token",
                    {testing::response(401, "\x01\xff{{", {challenge})}, an_old_one_and_the_good, 2),
      [] {
        Row row = token_refused("with_one_attempt",
                                "sends 401 with a challenge; the source has another token (`max_attempts` is 1)", {},
                                an_old_one_and_the_good, 1);
        row.variants = fresh;  // a start that goes well before takes two
        row.choose = [choose = row.choose](Choices& choices) {
          choose(choices);
          choices.retry_policy.max_attempts = 1;
        };
        return row;
      }(),
      renewal("no_token", "the token source then gives none",
              [](std::stop_source&) -> Result<AccessToken> {
                return Error(Outcome::not_sent, TokenError{}, "logged out");
              }),
      renewal("a_throwing_source", "the token source then throws",
              [](std::stop_source&) -> Result<AccessToken> { throw std::runtime_error("canary"); }),
      renewal("cancelled", "the call is cancelled while the source gets another token",
              [](std::stop_source& stop) -> Result<AccessToken> {
                stop.request_stop();
                return AccessToken{good_token};
              }),
      {.name = "status_401_truncated_in_its_headers",
       .what = "sends 401 with a challenge; its header section is cut by FIN",
       .outcome = unknown,
       .kind = transport,
       .arm = meets({refused_with("HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer\r\nX-", End::fin)})},
  };
}

// ---- connections

/// A port of 127.0.0.1 that refuses connections until it is opened.
class ClosedDoor {
 public:
  [[nodiscard]] std::uint16_t port() const { return reserved_.port(); }
  void leads_to(std::uint16_t server_port) { server_port_ = server_port; }
  void open() { gate_ = std::make_unique<FaultGate>(server_port_, FaultGate::Options{.port = port()}); }

 private:
  ReservedPort reserved_;
  std::uint16_t server_port_ = 0;
  std::unique_ptr<FaultGate> gate_;
};

/// Opens the door when the call is about to make its second attempt.
class Doorkeeper final : public Journal {
 public:
  explicit Doorkeeper(std::shared_ptr<ClosedDoor> door) : door_(std::move(door)) {}
  Result<void> sending(const JournalCall&, int attempt) override {
    if (attempt == 2) door_->open();
    return {};
  }
  void ended(const JournalCall&, Outcome) override {}

 private:
  std::shared_ptr<ClosedDoor> door_;
};

Row comes_back() {
  auto door = std::make_shared<std::shared_ptr<ClosedDoor>>();
  return {.name = "refused_and_back",
          .what = "refuses the connection, and takes the next one",
          .outcome = started,
          .kind = "",
          .attempts = 2,
          .variants = fresh,
          .choose =
              [door](Choices& choices) {
                *door = std::make_shared<ClosedDoor>();
                choices.port = (*door)->port();
                choices.journal = std::make_shared<Doorkeeper>(*door);
              },
          .arm = [door](Bench& bench) { (*door)->leads_to(bench.server.gate().port()); },
          .verify = [door](Bench&) { door->reset(); }};
}

/// What the gate before the TLS server does in the handshake of the first connection, or of all.
Row handshake(std::string name, const std::string& what, Fault fault, bool each_time) {
  return {.name = "handshake_" + std::move(name),
          .what = what + (each_time ? " in each TLS handshake" : " in the TLS handshake, and not in the next"),
          .outcome = each_time ? not_sent : started,
          .kind = each_time ? transport : "",
          .attempts = 2,
          .more_attempts = each_time,
          .bodies = each_time ? 0 : 1,
          .variants = fresh_tls,
          .choose = [fault, each_time](Choices& choices) {
            if (each_time) connect_briefly(choices);
            choices.front = FaultGate::Options{.plan = [fault, each_time](const FaultGate::Position& at) {
              return each_time || at.connection == 1 ? fault : Fault{};
            }};
          }};
}

std::vector<Row> without_a_connection() {
  Fault truncated;
  truncated.truncate_response_at = 100;
  truncated.end = End::fin;
  Fault reset = truncated;
  reset.end = End::reset;
  Fault garbage;
  garbage.response = "this is not TLS\r\n\r\n";
  garbage.end = End::fin;
  return {
      comes_back(),
      {.name = "refused_with_one_attempt",
       .what = "refuses the connection (`max_attempts` is 1)",
       .outcome = not_sent,
       .kind = transport,
       .bodies = 0,
       .variants = fresh,
       .choose = [](Choices& choices) { choices.retry_policy.max_attempts = 1; },
       .arm = [](Bench& bench) { bench.server.gate().stop_listening(); }},
      {.name = "refused_with_no_time_for_connecting",
       .what = "refuses the connection (`connect_for` is 0)",
       .outcome = not_sent,
       .kind = transport,
       .bodies = 0,
       .variants = fresh,
       .choose = [](Choices& choices) { choices.retry_policy.connect_for = 0ms; },
       .arm = [](Bench& bench) { bench.server.gate().stop_listening(); }},
      {.name = "name_not_found",
       .what = "has a name that is not found",
       .outcome = not_sent,
       .kind = transport,
       .attempts = 2,
       .more_attempts = true,
       .bodies = 0,
       .variants = fresh_tls,
       .choose =
           [](Choices& choices) {
             connect_briefly(choices);
             // A label of more than 63 letters: the resolver says so without asking anybody.
             choices.host = std::string(64, 'a') + ".test";
           }},
      handshake("cut", "closes", truncated, false),
      handshake("reset", "resets", reset, false),
      handshake("garbage", "says what is not TLS", garbage, false),
      handshake("truncated_each_time", "closes", truncated, true),
      handshake("garbage_each_time", "says what is not TLS", garbage, true),
  };
}

// ---- what may have acted

Row never_again(int status, const std::string& kind) {
  const std::string code = std::to_string(status);
  return {.name = "status_" + code + "_with_retry_after",
          .what = "sends " + code + " with `Retry-After: 0`: it may have acted",
          .outcome = unknown,
          .kind = kind,
          .arm = meets({testing::response(status, "", {{"Retry-After", "0"}})})};
}

Row sent_again(std::string name, const std::string& what, std::vector<Script> scripts, std::string outcome,
               int attempts) {
  return {.name = "unknown_sent_again_" + std::move(name),
          .what = what + " (`repeat_unknown_starts`)",
          .outcome = outcome,
          .kind = outcome == started ? "" : transport,
          .attempts = attempts,
          .bodies = attempts,
          .choose =
              [](Choices& choices) {
                connect_briefly(choices);
                choices.retry_policy.repeat_unknown_starts = true;
              },
          .arm = meets(std::move(scripts))};
}

std::vector<Row> may_have_acted() {
  const Script lost = testing::lost_before_acting();
  std::vector<Row> list = {
      never_again(408, "unexpected_response"),
      never_again(409, "unexpected_response"),
      never_again(500, "server_error"),
      never_again(503, "server_error"),
      sent_again("and_started", "closes without acting, then sends 200", {lost}, started, 2),
      sent_again("and_refused", "closes without acting, then sends 400: what the first did is as unknown as before",
                 {lost, testing::response(400, "{}")}, unknown, 2),
      sent_again("and_told_to_wait", "closes without acting, then sends 429 with no pause", {lost, slow_down({})},
                 unknown, 2),
      sent_again("each_time", "closes without acting, three times", {lost, lost, lost}, unknown, 3),
      sent_again("and_gone", "acts, closes, and refuses connections", {testing::gone()}, unknown, 2),
  };
  list[7].unknown_attempts = 3;
  list[8].bodies = 1;
  list[8].more_attempts = true;
  return list;
}

// ---- the journal and the token

class RefusingJournal final : public Journal {
 public:
  RefusingJournal(int attempt, bool throws) : attempt_(attempt), throws_(throws) {}
  Result<void> sending(const JournalCall&, int attempt) override {
    if (attempt != attempt_) return {};
    if (throws_) throw std::runtime_error("disk full");
    return Error(Outcome::not_sent, JournalRefused{}, "disk full");
  }
  void ended(const JournalCall&, Outcome) override {}

 private:
  int attempt_;
  bool throws_;
};

Row journal(std::string name, std::string what, bool throws) {
  return {.name = "journal_" + std::move(name),
          .what = "is not asked: the journal " + std::move(what),
          .outcome = not_sent,
          .kind = "journal_refused",
          .attempts = 0,
          .bodies = 0,
          .variants = fresh,
          .choose = [throws](Choices& choices) { choices.journal = std::make_shared<RefusingJournal>(1, throws); }};
}

Row no_token(std::string name, std::string what, TokenSource source) {
  return {.name = "token_source_" + std::move(name),
          .what = "is not asked: the token source " + std::move(what),
          .outcome = not_sent,
          .kind = "token_error",
          .attempts = 0,
          .bodies = 0,
          .variants = fresh,
          .choose = [source = std::move(source)](Choices& choices) { choices.token_source = source; }};
}

std::vector<Row> not_let_go() {
  return {
      journal("refuses", "refuses", false),
      journal("throws", "throws", true),
      {.name = "journal_refuses_the_repeat",
       .what = "sends 429 with `Retry-After: 0`, and the journal refuses the second attempt",
       .outcome = rejected,
       .kind = rate_limited,
       .variants = fresh_plain,
       .choose = [](Choices& choices) { choices.journal = std::make_shared<RefusingJournal>(2, false); },
       .arm = meets({slow_down({{"Retry-After", "0"}})})},
      no_token("gives_none", "gives none",
               [](const TokenRequest&) -> Result<AccessToken> {
                 return Error(Outcome::not_sent, TokenError{}, "logged out");
               }),
      no_token("throws", "throws",
               [](const TokenRequest&) -> Result<AccessToken> { throw std::runtime_error("canary"); }),
      no_token("gives_a_line_break", "gives one with a line break in it",
               [](const TokenRequest&) -> Result<AccessToken> { return AccessToken{"canary\r\nX: y"}; }),
  };
}

}  // namespace

std::vector<Row> repeats() {
  std::vector<Row> list;
  for (auto&& part : {too_many_requests(), refused_tokens(), without_a_connection(), may_have_acted(), not_let_go()}) {
    list.insert(list.end(), part.begin(), part.end());
  }
  return list;
}

}  // namespace connectid::faults
