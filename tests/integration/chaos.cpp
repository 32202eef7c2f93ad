// A storm of faults, thrown from a seed: whatever a network does to them, no start happens twice, no call is lost, and
// every outcome is true. CONTRIBUTING.md tells how to run a longer one, or one seed again.
//
// Each call carries an id of its own, by which the server's records tell what it did. So that truth can be told, no
// fault may make a lie that no client could see. Of what is forged in the place of a response, that leaves:
//  - A 200 with bytes flipped, lost or doubled, where the server has acted: `started` and `unknown` are both true. The
//    three digits of the status stay as they are, for a flip could make a refusal of them.
//  - A failure that says nothing of what was done (5xx, 408, 3xx), whatever was done.
//  - A refusal in the server's place, where the request was stopped on its way to it.
//  - Between exchanges, bytes that are no response at all, and the 408 that real servers send. (A 200 or a 400 there
//    could meet a request that just left, and no client can tell it from the response.)
// Where the storm tears at TLS from outside, anything may be forged, and the server itself refuses some requests.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>

#include "support/eventually.hpp"
#include "support/fault_bench.hpp"

namespace connectid {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::Fault;
using testing::FaultGate;
using End = Fault::End;

enum class Way {
  plain,       ///< faults in what is said, without TLS
  inside_tls,  ///< the gate ends TLS: the same faults inside it
  around_tls,  ///< faults in the bytes of TLS, its handshake among them
};

struct Case {
  const char* name;
  Way way;
  int share;  ///< of the starts, in quarters
};

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* set = std::getenv(name);
  if (!set) return otherwise;
  const std::string_view text = set;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  EXPECT_TRUE(error == std::errc() && end == text.data() + text.size()) << name << " must be a whole number";
  return value;
}

/// Chance that comes out the same for the same seed and place. (Which call meets which fault is the threads' affair.)
class Dice {
 public:
  enum Use : std::uint64_t { exchange = 1, connection, call, journal, token };
  Dice(std::uint64_t seed, Use use, std::uint64_t first, std::uint64_t second = 0) {
    std::seed_seq words{seed, seed >> 32, std::uint64_t{use}, first, second};
    engine_.seed(words);
  }

  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_); }
  bool one_in(std::size_t count) { return below(count) == 0; }
  template <class Options>
  auto& one_of(Options& options) {
    return options[below(std::size(options))];
  }
  std::string bytes(std::size_t count) {
    std::string text(count, '\0');
    for (char& byte : text) byte = static_cast<char>(below(256));
    return text;
  }

 private:
  std::mt19937_64 engine_;
};

// ---- what the storm does

const End cuts[] = {End::fin, End::reset};

void spoil(std::string& text, Dice& dice) {
  const std::size_t at = dice.below(text.size());
  switch (dice.below(4)) {
    case 0:
      text[at] = static_cast<char>(text[at] ^ (1 << dice.below(8)));
      break;
    case 1:
      text.erase(at, 1 + dice.below(3));
      break;
    case 2:
      text.insert(at, text.substr(at, 1 + dice.below(8)));
      break;
    default:
      text.insert(at, dice.bytes(1 + dice.below(3)));
  }
}

std::string spoiled_200(Dice& dice) {
  std::string before = "HTTP/1.1 ";
  std::string after = " OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}";
  for (std::size_t i = 1 + dice.below(3); i > 0; --i) spoil(dice.one_in(8) ? before : after, dice);
  return before + "200" + after;
}

const std::string failures[] = {
    "HTTP/1.1 502 Bad\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 504 Late\r\n\r\nlate",
    "HTTP/1.1 408 Slow\r\nRetry-After: 0\r\nContent-Length: 99\r\n\r\ncut",
    "HTTP/1.1 302 There\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
};

Fault in_the_servers_place(Dice& dice) {
  static const std::string slow_down[] = {
      "HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 429 Slow\r\nX-RateLimit-Reset: 0\r\nContent-Length: 99\r\n\r\ncut",
  };
  static const std::string refusals[] = {
      "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n{}",
      "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 403 No\r\n\r\nno",
  };
  Fault fault;
  fault.truncate_request_at = dice.below(150);  // less than the headers alone
  // After a 429 the call waits for a second: more of them would only be a longer storm.
  fault.response = dice.one_in(10) ? dice.one_of(slow_down) : dice.one_of(refusals);
  fault.end = End::fin;
  return fault;
}

Fault fault_of_what_is_said(Dice& dice) {
  Fault fault;
  const std::size_t thrown = dice.below(1000);
  if (thrown < 50) {
    fault.truncate_request_at = dice.below(700);
    fault.end = dice.one_of(cuts);
  } else if (thrown < 110) {
    fault.truncate_response_at = dice.below(130);
    fault.end = dice.one_of(cuts);
  } else if (thrown < 113) {
    fault.end = End::silence;
  } else if (thrown < 190) {
    fault.response = spoiled_200(dice);
    fault.end = dice.one_in(4) ? dice.one_of(cuts) : End::keep;
  } else if (thrown < 280) {
    fault = in_the_servers_place(dice);
  } else if (thrown < 300) {
    fault.response = dice.one_of(failures);
    fault.end = End::fin;
  } else if (thrown < 350) {
    fault.delay = std::chrono::milliseconds{dice.below(4)};
  } else if (thrown < 353) {
    fault.drip = 1ms;
  }
  return fault;
}

Fault fault_around_tls(Dice& dice) {
  static const std::string alert("\x15\x03\x03\x00\x02\x02\x28", 7);
  static const std::string record("\x17\x03\x03\x00\x20", 5);
  Fault fault;
  const std::size_t thrown = dice.below(1000);
  if (thrown < 40) {
    fault.truncate_request_at = dice.below(900);
    fault.end = dice.one_of(cuts);
  } else if (thrown < 100) {
    fault.truncate_response_at = dice.below(1500);
    fault.end = dice.one_of(cuts);
  } else if (thrown < 102) {
    fault.end = End::silence;
  } else if (thrown < 160) {
    const std::string begins[] = {"", alert, record, "HTTP/1.1 400 Bad Request\r\n\r\n"};
    fault.response = dice.one_of(begins) + dice.bytes(1 + dice.below(40));
    fault.end = dice.one_of(cuts);
  } else if (thrown < 200) {
    fault.delay = std::chrono::milliseconds{dice.below(4)};
  }
  return fault;
}

/// Whether it has acted by then is not to be seen.
testing::Script failed(int status, Dice& dice) {
  testing::Script script = testing::response(status, "", {{"Retry-After", "0"}});
  script.acts = dice.one_in(2);
  return script;
}

/// What the server behind TLS does by itself.
std::optional<testing::Script> script(Dice& dice) {
  switch (dice.below(100)) {
    case 0:
      return testing::response(400, "{}");
    case 1:
      return failed(503, dice);
    case 2:
      return failed(500, dice);
    case 3:
      return testing::lost_before_acting(dice.one_of(cuts));
    case 4:
      return testing::started_but_response_lost(dice.one_of(cuts));
    case 5:
      return testing::response(429, "", {{"Retry-After", "0"}});
    default:
      return std::nullopt;
  }
}

std::string stray(Dice& dice) {
  static const std::string words[] = {
      "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 ",
      "\r\n",
  };
  return dice.one_in(4) ? dice.bytes(1 + dice.below(50)) : dice.one_of(words);
}

// ---- what is remembered of each call

struct Record {
  std::string outcome = {};  ///< that it ended in
  int attempts = 0;
  int unknown_attempts = 0;
  int written_down = 0;             ///< how often the journal was asked
  std::vector<Outcome> ended = {};  ///< what the journal was told
  int at_server = 0;                ///< how often it started there
};

/// Calls are named by their place in the list of records.
std::size_t place_of(std::string_view call_id) {
  std::size_t place = 0;
  std::from_chars(call_id.data(), call_id.data() + call_id.size(), place);
  return place;
}

/// Refuses now and then.
class ChaosJournal final : public Journal {
 public:
  ChaosJournal(std::uint64_t seed, std::vector<Record>& records) : seed_(seed), records_(records) {}
  Result<void> sending(const JournalCall& call, int attempt) override {
    ++records_.at(place_of(call.call_id)).written_down;
    if (!Dice(seed_, Dice::journal, place_of(call.call_id), static_cast<std::uint64_t>(attempt)).one_in(200)) return {};
    return Error(Outcome::not_sent, JournalRefused{}, "disk full");
  }
  void ended(const JournalCall& call, Outcome outcome) override {
    records_.at(place_of(call.call_id)).ended.push_back(outcome);
  }

 private:
  std::uint64_t seed_;
  std::vector<Record>& records_;  // each is touched by the thread of its call alone
};

// ---- the storm

class Storm {
 public:
  Storm(Way way, std::uint64_t seed, std::size_t starts)
      : records(starts),
        way_(way),
        seed_(seed),
        server_({.tls = way == Way::around_tls}),
        gate_(std::make_unique<FaultGate>(server_.gate().port(), gate_options())),
        client_({.environment = Environment::custom(url()),
                 .token_source = [this](const TokenRequest& request) { return token(request); },
                 .transport = std::make_shared<http::CurlTransport>(http::CurlOptions{.ca_pem = authority()}),
                 .retry_policy = {.first_pause = 1ms,
                                  .longest_pause = 4ms,
                                  .longest_named_pause = 0ms,
                                  .budget = 1'000'000,
                                  .connect_for = 150ms,
                                  .break_circuit_after = 0},  // it would keep most of the calls out of the storm
                 .rate_limit = RateLimit::off(),
                 .journal = std::make_shared<ChaosJournal>(seed, records),
                 .timeouts = {.connect = 250ms * CONNECTID_TEST_PATIENCE,
                              .attempt_timeout = 500ms * CONNECTID_TEST_PATIENCE}}) {}

  void rage() {
    constexpr int threads = 16;
    std::atomic<std::size_t> next = 0;
    {
      std::vector<std::jthread> crowd;
      for (int t = 0; t < threads; ++t) {
        crowd.emplace_back([&] {
          for (std::size_t i = next++; i < records.size(); i = next++) start(i);
        });
      }
    }
    connections = gate_->connections();
    gate_.reset();  // nothing more comes to the server, and what is on its way there is waited for
    EXPECT_TRUE(eventually([this] { return server_.gate().open_connections() == 0; }));
    for (const auto& subscription : server_.started()) {
      EXPECT_EQ(subscription.call_id, subscription.request.customer_reference);
      ++records.at(place_of(subscription.call_id)).at_server;
    }
  }

  std::vector<Record> records;
  std::uint64_t connections = 0;

 private:
  FaultGate::Options gate_options() {
    FaultGate::Options options;
    if (way_ == Way::inside_tls) options.certificate = certificate_ = testing::make_certificate();
    options.plan = [seed = seed_, way = way_](const FaultGate::Position& at) {
      Dice dice(seed, Dice::exchange, at.connection, at.number);
      return way == Way::around_tls ? fault_around_tls(dice) : fault_of_what_is_said(dice);
    };
    options.greet = [seed = seed_](std::uint64_t connection) {
      return !Dice(seed, Dice::connection, connection).one_in(500);
    };
    return options;
  }
  [[nodiscard]] std::string url() const {
    return (way_ == Way::plain ? "http://127.0.0.1:" : "https://127.0.0.1:") + std::to_string(gate_->port());
  }
  [[nodiscard]] std::string authority() const {
    return way_ == Way::inside_tls ? certificate_.authority : server_.ca_pem();
  }

  /// Where the server's own responses come through, some calls begin with an old token, and some have no other.
  Result<AccessToken> token(const TokenRequest& request) {
    const bool old =
        way_ == Way::around_tls && Dice(seed_, Dice::token, ++tokens_).one_in(request.refused.empty() ? 25 : 4);
    return AccessToken{old ? "old-token" : "test-token"};
  }

  void start(std::size_t place) {
    Dice dice(seed_, Dice::call, place);
    if (auto own = script(dice); own && way_ == Way::around_tls) server_.next(*std::move(own));
    StartSubscriptionRequest request = faults::valid_request;
    request.customer_reference = std::to_string(place);
    std::stop_source stop;
    CallOptions options{.timeout = 60s, .stop_token = stop.get_token(), .call_id = request.customer_reference};
    if (dice.one_in(50)) options.timeout = std::chrono::milliseconds{dice.below(30)};
    std::jthread canceller;
    if (dice.one_in(50)) {
      canceller = std::jthread([&stop, pause = std::chrono::microseconds{dice.below(3000)}] {
        std::this_thread::sleep_for(pause);
        stop.request_stop();
      });
    }

    const auto result = client_.start(request, options);
    Record& record = records[place];
    record.outcome = faults::outcome_of(result);
    record.attempts = (result ? result->call : result.error().call()).attempts;
    record.unknown_attempts = result ? 0 : result.error().unknown_attempts();

    FaultGate& nearer = way_ == Way::around_tls && dice.one_in(2) ? server_.gate() : *gate_;
    if (dice.one_in(25)) nearer.send_stray(stray(dice));
    if (dice.one_in(150)) nearer.close_connections(dice.one_of(cuts));
  }

  const Way way_;
  const std::uint64_t seed_;
  std::atomic<std::uint64_t> tokens_ = 0;
  testing::Certificate certificate_;
  testing::FakeServer server_;
  std::unique_ptr<FaultGate> gate_;
  SubscriptionClient client_;
};

// ---- what must be true of each call

/// What is false of this call; empty: nothing.
std::string complaint(const Record& call) {
  const bool started_nothing = call.outcome == "not_sent" || call.outcome == "rejected";
  if (call.outcome.empty()) return "has no outcome";
  if (call.at_server > 1) return "started " + std::to_string(call.at_server) + " times";
  if (call.outcome == "started" && call.at_server == 0) return "is called started, and the server did not start it";
  if (started_nothing && call.at_server > 0) return "is called " + call.outcome + ", and the server started it";
  if (call.unknown_attempts != (call.outcome == "unknown" ? 1 : 0))
    return "went on after an attempt that may have acted";
  if (call.attempts > call.written_down) return "made attempts that were not written down";
  if (call.ended.size() != (call.written_down > 0 ? 1U : 0U)) return "was not ended once in the journal";
  const auto outcome_of = [](Outcome outcome) {
    return outcome == Outcome::succeeded ? std::string("started") : std::string(to_string(outcome));
  };
  if (!call.ended.empty() && outcome_of(call.ended[0]) != call.outcome) return "has another outcome in the journal";
  return {};
}

class ChaosThreads : public ::testing::TestWithParam<Case> {};

TEST_P(ChaosThreads, starts_nothing_twice_and_every_outcome_is_true) {
  const std::uint64_t seed = number_from_environment("CONNECTID_CHAOS_SEED", std::random_device{}());
  const std::uint64_t all = number_from_environment("CONNECTID_CHAOS_STARTS", 20'000 / CONNECTID_TEST_PATIENCE);
  SCOPED_TRACE("run it again with CONNECTID_CHAOS_SEED=" + std::to_string(seed));
  const auto began = steady_clock::now();
  Storm storm(GetParam().way, seed, all * static_cast<std::uint64_t>(GetParam().share) / 4);
  storm.rage();

  std::map<std::string, int> seen;
  int complaints = 0;
  for (const Record& call : storm.records) {
    ++seen[call.outcome];
    if (call.attempts > 1) ++seen["tried again"];
    if (call.attempts > 1 && call.outcome == "started") ++seen["started by a repeat"];
    if (call.outcome == "unknown") ++seen[call.at_server > 0 ? "unknown, had started" : "unknown, had not started"];
    const std::string what = complaint(call);
    if (!what.empty() && ++complaints <= 10) ADD_FAILURE() << "call " << &call - storm.records.data() << ' ' << what;
  }
  EXPECT_EQ(complaints, 0) << "of " << storm.records.size() << " calls";

  std::cout << "seed " << seed << ", " << storm.records.size() << " starts, " << storm.connections << " connections, "
            << std::chrono::duration<double>(steady_clock::now() - began).count() << " s:";
  const char* kinds[] = {"started",
                         "not_sent",
                         "rejected",
                         "unknown",
                         "tried again",
                         "started by a repeat",
                         "unknown, had started",
                         "unknown, had not started"};
  for (const char* kind : kinds) std::cout << "\n  " << kind << ": " << seen[kind];
  std::cout << '\n';
  if (storm.records.size() < 500) return;
  for (const char* kind : kinds) EXPECT_GT(seen[kind], 0) << kind << ": the storm was too mild to show anything";
}

INSTANTIATE_TEST_SUITE_P(Ways, ChaosThreads,
                         ::testing::Values(Case{"plain", Way::plain, 2}, Case{"inside_tls", Way::inside_tls, 1},
                                           Case{"around_tls", Way::around_tls, 1}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace connectid
