// many_accounts URL LOGIN_URL DIRECTORY ACCOUNTS WORKERS: needs the tokens of so many accounts (customer-0, …) at once,
// with 1,024 descriptors. Prints how many it got, the seconds, and the most threads, descriptors and KiB that it had.

#include <connectid/connectid.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

std::ptrdiff_t entries(const char* directory) {
  return std::distance(std::filesystem::directory_iterator(directory), std::filesystem::directory_iterator{});
}

/// Not getrusage's, which is also of what this process was before it became this program.
long peak_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace connectid;
  using namespace std::chrono_literals;
  if (argc != 6) return 2;
  const rlimit few{1024, 1024};
  if (setrlimit(RLIMIT_NOFILE, &few) != 0) return 2;
  const int accounts = std::stoi(argv[4]);
  const long at_first = peak_kib();

  auth::Accounts all({.environment = Environment::custom(argv[1], argv[2]),
                      .client_id = "test-client",
                      .client_secret = "test-secret",
                      .transport = std::make_shared<http::CurlTransport>()},
                     std::make_shared<auth::FileTokenStore>(argv[3]), {.workers = std::stoi(argv[5])});
  std::vector<TokenSource> sources;
  for (int i = 0; i < accounts; ++i) sources.push_back(all.source("customer-" + std::to_string(i)));
  const auto began = std::chrono::steady_clock::now();
  std::atomic<int> got = 0, ended = 0;
  for (const TokenSource& source : sources) {
    const auto there = source.get({}, [&](const Result<AccessToken>& token) {
      if (!token) std::cerr << token.error() << '\n';
      got += token ? 1 : 0;
      ++ended;
    });
    if (there) ++ended;
  }
  std::ptrdiff_t threads = 0, descriptors = 0;
  while (ended < accounts && std::chrono::steady_clock::now() - began < 250s) {
    threads = std::max(threads, entries("/proc/self/task"));
    descriptors = std::max(descriptors, entries("/proc/self/fd"));
    std::this_thread::sleep_for(1ms);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
  std::cout << got << ' ' << seconds.count() << ' ' << threads << ' ' << descriptors << ' ' << peak_kib() - at_first
            << std::endl;
  return got == accounts ? 0 : 1;
}
