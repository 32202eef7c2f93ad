// token_benchmark [REPETITIONS]: what a token that renews itself costs.
//
// - Starts of 16 threads with `refresh_token_source`, beside the same with `static_token`. The rounds of both
//   alternate, and each pair of neighbours is one ratio: the machine may be busier at one time than at another.
// - A renewal in a FileTokenStore that holds 50,000 accounts, beside one that holds 10: lock, load, an authorization
//   server that responds at once, save. They alternate, too.

#include <unistd.h>

#include <connectid/connectid.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "loopback_server.hpp"

namespace {

using namespace std::chrono_literals;
using connectid::Environment;
using connectid::TokenSource;
using connectid::auth::StoredToken;
using Clock = std::chrono::steady_clock;

constexpr int threads = 16;
constexpr auto access_token = "3f0c8a52-6f1e-4d55-9d0b-7f2a4c1e9b60";

connectid::Timestamp now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

void check(bool held, const char* what) {
  if (!held) throw std::runtime_error(what);
}

// ---- starts

TokenSource refreshing_source(const Environment& environment) {
  const auto store = std::make_shared<connectid::auth::MemoryTokenStore>();
  const StoredToken token{.access_token = access_token,
                          .obtained_at = now(),
                          .expires_at = now() + 12h,
                          .refresh_token = "refresh",
                          .api_url = environment.api_url(),
                          .login_url = environment.login_url(),
                          .client_id = "bench"};
  check(store->save("bench", token).has_value(), "the token cannot be stored");
  TokenSource source = connectid::auth::refresh_token_source(
      {.credentials = {.environment = environment, .client_id = "bench"}, .store = store, .account = "bench"});
  check(source({}).has_value(), "there is no token");
  return source;
}

/// Starts a second, of all threads.
double starts_a_second(const connectid::SubscriptionClient& client, std::chrono::milliseconds time) {
  const connectid::StartSubscriptionRequest request{.product = "CO27409",
                                                    .start_time = connectid::Timestamp{1560336440000ms},
                                                    .copies = 1,
                                                    .coupon_code = "WMDigi",
                                                    .coupon_number = 5223};
  std::atomic<int> starts = 0;
  std::atomic<bool> failed = false;
  const auto began = Clock::now();
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < threads; ++i) {
      all.emplace_back([&] {
        while (Clock::now() < began + time) {
          if (!client.start(request)) failed = true;
          ++starts;
        }
      });
    }
  }
  check(!failed, "not started");
  return starts / std::chrono::duration<double>(Clock::now() - began).count();
}

/// Requests for a token a microsecond, of all threads: the source alone.
double tokens_a_microsecond(const TokenSource& source) {
  constexpr int rounds = 20'000;
  const auto began = Clock::now();
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < threads; ++i) {
      all.emplace_back([&] {
        for (int round = 0; round < rounds; ++round) check(source({}).has_value(), "no token");
      });
    }
  }
  return threads * rounds / std::chrono::duration<double, std::micro>(Clock::now() - began).count();
}

void compare_starts(int repetitions) {
  const bench::LoopbackServer server(bench::started_response);
  const Environment environment = Environment::custom(server.url(), server.url());
  const TokenSource fixed = connectid::static_token(access_token);
  const TokenSource refreshing = refreshing_source(environment);
  const connectid::SubscriptionClient client(
      {.environment = environment, .token_source = fixed, .rate_limit = connectid::RateLimit::off()});
  std::vector<double> with_static, with_refreshing, ratios;
  starts_a_second(client, 200ms);  // connects
  for (int i = 0; i < repetitions; ++i) {
    const bool first = i % 2 == 0;  // whoever comes first has no advantage
    const double one = starts_a_second(client.with(first ? fixed : refreshing), 200ms);
    const double other = starts_a_second(client.with(first ? refreshing : fixed), 200ms);
    with_static.push_back(first ? one : other);
    with_refreshing.push_back(first ? other : one);
    ratios.push_back(with_refreshing.back() / with_static.back());
  }
  const double ratio = median(ratios);
  std::cout << "starts a second, " << threads << " threads: static_token " << median(with_static)
            << ", refresh_token_source " << median(with_refreshing) << "\n"
            << "refresh_token_source: " << ratio
            << " times static_token (target: 0.98 at least): " << (ratio >= 0.98 ? "met" : "missed") << "\n"
            << "the source alone, tokens a microsecond: static_token " << tokens_a_microsecond(fixed)
            << ", refresh_token_source " << tokens_a_microsecond(refreshing) << "\n";
}

// ---- renewals in a directory

/// A login that responds at once.
class InstantTokenEndpoint final : public connectid::http::Transport {
 public:
  connectid::http::AttemptResult perform(const connectid::http::Request&, const connectid::http::Limits&) override {
    const std::string next = std::to_string(++responses_);
    return connectid::http::Response{
        .status = 200,
        .body = R"({"access_token":"access-)" + next + R"(","refresh_token":"refresh-)" + next + R"("})",
        .framed = true};
  }

 private:
  int responses_ = 0;
};

class Directory {
 public:
  /// Ten accounts that are renewed in turn, and the files of others: copies, for to save each would wait for the disk
  /// 50,000 times.
  explicit Directory(int accounts) {
    std::string name = std::filesystem::temp_directory_path() / "connectid-bench-XXXXXX";
    check(mkdtemp(name.data()) != nullptr, "no directory can be made");
    path_ = name;
    store_ = std::make_shared<connectid::auth::FileTokenStore>(path_ / "tokens");
    for (int i = 0; i < renewed; ++i) check(save(i), "a token cannot be stored");
    const std::filesystem::path one = a_file();
    for (int i = renewed; i < accounts; ++i) {
      const std::string number = std::to_string(i);
      std::filesystem::copy_file(one, one.parent_path() / (std::string(64 - number.size(), '0') + number + ".json"));
    }
    ::sync();  // or the first renewals would wait for the copies to be written
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path_); }

  /// Microseconds.
  double renew() {
    const int account = next_++ % renewed;
    check(save(account), "a token cannot be stored");  // one that has expired
    const TokenSource source = connectid::auth::refresh_token_source(
        {.credentials = credentials_, .store = store_, .account = name_of(account)});
    const auto began = Clock::now();
    check(source({}).has_value(), "not renewed");
    return std::chrono::duration<double, std::micro>(Clock::now() - began).count();
  }

 private:
  [[nodiscard]] std::filesystem::path a_file() const {
    for (const auto& file : std::filesystem::directory_iterator(path_ / "tokens")) {
      if (file.path().extension() == ".json") return file.path();
    }
    throw std::runtime_error("the store has made no file");
  }
  static std::string name_of(int account) { return "customer-" + std::to_string(account); }
  bool save(int account) {
    return store_
        ->save(name_of(account), {.access_token = access_token,
                                  .obtained_at = now() - 24h,
                                  .expires_at = now() - 12h,
                                  .refresh_token = "refresh",
                                  .api_url = "https://api.test",
                                  .login_url = "https://login.test",
                                  .client_id = "bench"})
        .has_value();
  }

  static constexpr int renewed = 10;
  int next_ = 0;
  std::filesystem::path path_;
  std::shared_ptr<connectid::auth::FileTokenStore> store_;
  const connectid::auth::Credentials credentials_{
      .environment = Environment::custom("https://api.test", "https://login.test"),
      .client_id = "bench",
      .transport = std::make_shared<InstantTokenEndpoint>()};
};

void compare_directories(int repetitions) {
  Directory few(10);
  Directory many(50'000);
  std::vector<double> in_few, in_many;
  for (int i = 0; i < 20 * repetitions; ++i) {
    in_few.push_back(few.renew());
    in_many.push_back(many.renew());
  }
  const double ratio = median(in_many) / median(in_few);
  std::cout << "a renewal in a directory of 10 accounts: " << median(in_few) << " us, of 50000: " << median(in_many)
            << " us\n"
            << "50000 accounts: " << ratio << " times 10 (target: 2 at most): " << (ratio <= 2 ? "met" : "missed")
            << "\n";
}

}  // namespace

int main(int count, char** arguments) try {
  const int repetitions = count > 1 ? std::max(std::atoi(arguments[1]), 1) : 21;
  std::cout << std::fixed << std::setprecision(3);
  compare_starts(repetitions);
  compare_directories(repetitions);
  return 0;
} catch (const std::exception& thrown) {
  std::cerr << "token_benchmark: " << thrown.what() << '\n';
  return 1;
}
