#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "rows.hpp"

namespace connectid::faults {
namespace {

using namespace std::chrono_literals;

struct Case {
  const Row* row;
  Variant variant;
  [[nodiscard]] std::string name() const {
    switch (variant) {
      case fresh_plain:
        return row->name + "__plain_fresh";
      case fresh_tls:
        return row->name + "__tls_fresh";
      case reused_plain:
        return row->name + "__plain_reused";
      case reused_tls:
        return row->name + "__tls_reused";
    }
    return "";
  }
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Row& row : rows()) {
    for (const Variant variant : {fresh_plain, reused_plain, fresh_tls, reused_tls}) {
      if (row.variants & variant) all.push_back({&row, variant});
    }
  }
  return all;
}

/// How many connections the call opens; none: the row does not say.
std::optional<std::uint64_t> connections_of(const Row& row, bool used_before) {
  const std::uint64_t least = used_before ? 0 : 1;
  if (row.more_connections) return least + static_cast<std::uint64_t>(*row.more_connections);
  if (row.attempts != 1 || row.outcome == "not_sent") return std::nullopt;
  return least;
}

void start_well(Bench& bench) {
  const auto first = bench.client.start(valid_request);
  ASSERT_TRUE(first) << first.error();
  ASSERT_EQ(bench.server.gate().open_connections(), 1U) << "there is no idle connection to use again";
}

class FaultMatrix : public ::testing::TestWithParam<Case> {};

TEST_P(FaultMatrix, ends_in_the_true_outcome_and_starts_no_more_than_once) {
  const Row& row = *GetParam().row;
  const bool used_before = GetParam().variant & reused;
  Choices choices;
  choices.server.access_token = good_token;
  choices.server.tls = GetParam().variant & tls;
  row.choose(choices);
  Bench bench(choices);
  if (used_before) (row.warm_up ? row.warm_up : start_well)(bench);
  if (HasFatalFailure()) return;
  const std::size_t bodies_before = bench.server.bodies_received();
  const std::size_t started_before = bench.server.started().size();
  const std::uint64_t exchanges_before = bench.server.gate().exchanges();
  const std::uint64_t connections_before = bench.server.gate().connections();
  row.arm(bench);

  const auto begun = std::chrono::steady_clock::now();
  const auto result = bench.start();
  bench.took = std::chrono::steady_clock::now() - begun;
  if (bench.helper.joinable()) bench.helper.join();

  EXPECT_EQ(outcome_of(result), row.outcome) << (result ? "" : result.error().message());
  EXPECT_EQ(kind_of(result), row.kind) << (result ? "" : result.error().message());
  const auto bodies = static_cast<std::size_t>(row.bodies);
  EXPECT_TRUE(bench.server.wait_for_bodies(bodies_before + bodies, 30s));
  EXPECT_EQ(bench.server.bodies_received() - bodies_before, bodies);
  const int attempts = (result ? result->call : result.error().call()).attempts;
  EXPECT_LE(bench.server.gate().exchanges() - exchanges_before, static_cast<std::uint64_t>(attempts))
      << "more requests were begun than attempts made";
  EXPECT_LE(bench.server.started().size() - started_before, row.outcome == "not_sent" ? 0U : 1U) << "THE promise";
  EXPECT_GE(attempts, row.attempts);
  if (!row.more_attempts) EXPECT_EQ(attempts, row.attempts);
  if (const auto connections = connections_of(row, used_before))
    EXPECT_EQ(bench.server.gate().connections() - connections_before, *connections);
  if (!result) {
    const Error& error = result.error();
    EXPECT_EQ(error.call().sent_at.has_value(), error.outcome() != Outcome::not_sent);
    EXPECT_EQ(error.unknown_attempts(), error.outcome() == Outcome::unknown ? row.unknown_attempts : 0);
    for (const char* secret : {"canary", "hunter2"})
      EXPECT_EQ(error.message().find(secret), std::string::npos) << error.message();
    EXPECT_EQ(error.message().find('\n'), std::string::npos);
  }
  row.verify(bench);
}
INSTANTIATE_TEST_SUITE_P(Rows, FaultMatrix, ::testing::ValuesIn(cases()),
                         [](const auto& row) { return row.param.name(); });

TEST(FaultMatrixPage, has_a_hundred_and_fifty_kinds_or_more) { EXPECT_GE(rows().size(), 150U); }

TEST(FaultMatrixPage, docs_faults_md_is_current) {
  const std::string path = CONNECTID_SOURCE_DIR "/docs/faults.md";
  if (std::getenv("CONNECTID_WRITE_DOCS")) std::ofstream(path) << markdown();
  std::stringstream page;
  page << std::ifstream(path).rdbuf();
  EXPECT_EQ(page.str(), markdown()) << "docs/faults.md is not current: run scripts/docs.sh tables";
}

}  // namespace
}  // namespace connectid::faults
