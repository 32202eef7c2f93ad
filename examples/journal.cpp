// A journal: each call is on the disk before it leaves, so that the run after a crash knows which may have started.
//
//     journal FILE

#include <connectid/connectid.hpp>
#include <connectid/testing/fake_server.hpp>

#include <iostream>
#include <memory>
#include <string>

namespace {

using namespace std::chrono_literals;

// docs: after a crash
// When a program begins, before it starts anything: each of these may have started, so nothing sends it again. Give it
// to somebody who verifies it, and store that; only then is it settled here.
bool settle(const std::string& path) {
  const connectid::Result<connectid::JournalContents> found = connectid::FileJournal::read(path);
  if (!found) {
    std::cerr << found.error() << '\n';
    return false;
  }
  const auto journal = connectid::FileJournal::open(path);
  if (!journal) {
    std::cerr << journal.error() << '\n';
    return false;
  }
  for (const connectid::InFlightCall& call : found->in_flight) {
    std::cout << "may have started, so verify: call " << call.call_id << ", " << call.body << '\n';
    (*journal)->ended({.call_id = call.call_id}, connectid::Outcome::unknown);
  }
  const std::string error = (*journal)->error();
  if (!error.empty()) std::cerr << error << '\n';
  return error.empty();
}
// docs: end

bool start_one(const std::string& path) {
  const connectid::testing::FakeServer server;
  const auto journal = connectid::FileJournal::open(path);
  if (!journal) {
    std::cerr << journal.error() << '\n';
    return false;
  }
  const connectid::SubscriptionClient client({
      .environment = server.environment(),
      .token_source = connectid::static_token("test-token"),
      .journal = *journal,
  });
  const auto result = client.start({.product = "CO27409",
                                    .start_time = connectid::Timestamp{1774994400000ms},
                                    .copies = 1,
                                    .coupon_code = "WMDigi",
                                    .coupon_number = 5223});
  if (!result) std::cerr << result.error() << '\n';  // a full disk, say: not_sent, journal_refused
  return result.has_value();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: journal FILE\n";
    return 2;
  }
  return settle(argv[1]) && start_one(argv[1]) ? 0 : 1;
}
